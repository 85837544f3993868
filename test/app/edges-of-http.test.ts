// Answers at the edges of HTTP, from the vendor's or the receiver's socket to what the API, SQL and the log say of them.
import { createServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { FaultInput } from '../../src/sandbox/faults.ts'
import type { ProviderName, ScriptInput } from '../../src/sandbox/script.ts'
import { queueStores } from '../support/stores.ts'
import { useService } from '../support/worlds/service.ts'
import { status } from '../webhooks/receiver.ts'

const [store] = queueStores
if (!store) throw new Error('no queue')
const app = useService(store)

const scripts: Record<ProviderName, ScriptInput> = {
  cdq: { provider: 'cdq', durationMs: 0, rows: 40, skippedLines: 25, pageSize: 10 },
  micro: { provider: 'micro', durationMs: 0, rows: 20, outcome: 'partial' },
  zilliant: { provider: 'zilliant', durationMs: 0, rows: 20, outcome: 'partial' },
  fullstory: { provider: 'fullstory', durationMs: 0, rows: 50, outcome: 'partial', pageSize: 2 },
}
const seconds = 1_000

describe.each(Object.values(scripts))('answers of $provider', (script) => {
  test.each<[string, FaultInput[]]>([
    ['in gzip', [{ kind: 'compressed', encoding: 'gzip', on: 'any' }]],
    ['in Brotli', [{ kind: 'compressed', encoding: 'br', on: 'any' }]],
    ['with 20 KiB of headers', [{ kind: 'large_headers', on: 'any' }]],
    [
      'with 60 KiB of headers, in Zstandard',
      [
        { kind: 'large_headers', bytes: 60_000, on: 'any' },
        { kind: 'compressed', encoding: 'zstd', on: 'any' },
      ],
    ],
  ])('%s are read as any others', async (_name, faults) => {
    const connection = await app.connect(script.provider)
    const found = await Promise.all(
      [script, { ...script, faults }].map(async (each) => {
        const { id } = await app.track(connection, each)
        return vi.waitFor(async () => {
          const { state, rows, details, lastError } = await app.get(id)
          expect(['none', 'complete']).toContain(details.state)
          expect(state).toBe('partial')
          return { state, rows, details, lastError }
        }, 20_000)
      }),
    )
    expect(found[1]).toEqual(found[0])
    expect(found[0]).toMatchObject({ lastError: null })
  })

  test.each<[FaultInput, string]>([
    [{ kind: 'large_headers', bytes: 100_000 }, 'headers_too_large'],
    [{ kind: 'invalid_http' }, 'invalid_response'],
  ])('with $kind say in lastError why they are not read', async (fault, code) => {
    const { id } = await app.track(await app.connect(script.provider), { ...script, faults: [fault] })
    const shown = await vi.waitFor(async () => {
      const found = await app.get(id)
      expect(found.lastError).not.toBeNull()
      return found
    }, 20_000)
    expect(shown).toMatchObject({ state: 'pending', lastError: { code } })
  })

  test.each(['-1h', '+1h'])('with a clock that is off by %s say how long to wait', async (off) => {
    const connection = await app.connect(script.provider)
    const headers = { date: `<now${off}>`, 'retry-after': `<now${off}+30s>` }
    await app.track(connection, { ...script, answers: [{ status: 429, headers }] })
    const waitMs = await vi.waitFor(async () => {
      const { body } = await app.call('GET /v1/connections/{name}', { name: connection })
      expect(body.blockedUntil).not.toBeNull()
      return Date.parse(body.blockedUntil) - Date.now()
    }, 20_000)
    expect(waitMs).toBeGreaterThan(5 * seconds)
    expect(waitMs).toBeLessThanOrEqual(31 * seconds)
  })
})

describe('a receiver', () => {
  test('with 20 KiB of headers has its webhook once', async () => {
    const cookies = Array.from({ length: 5 }, () => 'c'.repeat(4_096))
    const attempt = await attempted((response) => response.writeHead(200, { 'set-cookie': cookies }).end())
    expect(attempt).toMatchObject({ number: 1, outcome: 'delivered', status: 200, errorCode: null })
  })

  test('that compresses has its words kept', async () => {
    const sent = gzipSync('{"ok":true}')
    const attempt = await attempted((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(sent))
    expect(attempt).toMatchObject({ outcome: 'delivered', responseSnippet: '{"ok":true}' })
  })

  test('whose clock is an hour ahead is waited for as long as it says', async () => {
    const inMs = (ms: number) => new Date(Date.now() + 3_600 * seconds + ms).toUTCString()
    const consumer = await app.consumer({ types: ['import.stopped'] }, (response) =>
      response.writeHead(503, { date: inMs(0), 'retry-after': inMs(40 * seconds) }).end(),
    )
    await app.call('POST /v1/webhook-endpoints/{id}/test', { id: consumer.endpointId })
    const waits = await vi.waitFor(async () => {
      const { body } = await app.call('GET /v1/webhook-endpoints/{id}', { id: consumer.endpointId })
      expect(body.blockedUntil).not.toBeNull()
      return Date.parse(body.blockedUntil) - Date.now()
    }, 20_000)
    expect(waits).toBeLessThanOrEqual(41 * seconds)
    expect(waits).toBeGreaterThan(10 * seconds)
  })

  test.each([
    ['that ends lines with a line feed alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', 'malformed_http'],
    [
      'with 80 KiB of headers',
      `HTTP/1.1 200 OK\r\n${`x-a: ${'a'.repeat(4_096)}\r\n`.repeat(20)}\r\n`,
      'headers_too_large',
    ],
  ])('%s has the same reason in the API, in SQL and in the log', async (_name, answer, errorCode) => {
    const url = await serveTcp((socket) => socket.end(answer))
    const { body: endpoint } = await app.call(
      'POST /v1/webhook-endpoints',
      {},
      { body: { url, types: ['import.stopped'] } },
    )
    await app.call('POST /v1/webhook-endpoints/{id}/test', { id: endpoint.id })
    const deliveryId = await firstDelivery(endpoint.id)
    const expected = { outcome: 'invalid_http', status: null, errorCode, responseSnippet: null }
    expect(await lastAttempt(deliveryId, 1)).toMatchObject({ number: 1, ...expected })
    await app.call('POST /v1/deliveries/{id}/redeliver', { id: deliveryId })
    expect(await lastAttempt(deliveryId, 2)).toMatchObject({ number: 2, manual: true, ...expected })

    expect(
      await app.sql(
        'SELECT last_outcome, last_status, last_error_code FROM reporting.webhook_deliveries WHERE delivery_id = $1',
        [deliveryId],
      ),
    ).toEqual([{ last_outcome: 'invalid_http', last_status: null, last_error_code: errorCode }])
    const logged = await vi.waitFor(() => {
      const found = app.logLines.map((line) => JSON.parse(line)).filter((line) => line.deliveryId === deliveryId)
      expect(found.length).toBeGreaterThanOrEqual(2)
      return found
    })
    expect(logged[0]).toMatchObject({ outcome: 'invalid_http', status: null, errorCode })
  })
})

/** What came of the first webhook to a receiver that answers like this. */
async function attempted(answer: Parameters<typeof app.consumer>[1]) {
  const consumer = await app.consumer({ types: ['import.stopped'] }, answer ?? status(200))
  await app.call('POST /v1/webhook-endpoints/{id}/test', { id: consumer.endpointId })
  return lastAttempt(await firstDelivery(consumer.endpointId), 1)
}

function firstDelivery(endpointId: string): Promise<string> {
  return vi.waitFor(async () => {
    const { body } = await app.call('GET /v1/deliveries', {}, { query: { endpointId } })
    expect(body.data).toHaveLength(1)
    return body.data[0].id
  }, 20_000)
}

/** The attempt of this number, when it is over. */
function lastAttempt(deliveryId: string, number: number) {
  return vi.waitFor(async () => {
    const { body } = await app.call('GET /v1/deliveries/{id}/attempts', { id: deliveryId })
    const last = body.data.find((attempt: { number: number }) => attempt.number === number)
    expect(last).toBeDefined()
    expect(last.outcome).not.toBe('in_flight')
    return last
  }, 20_000)
}

async function serveTcp(onRequest: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => void socket.on('error', () => {}).once('data', () => onRequest(socket)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
}
