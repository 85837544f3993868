// The client against servers of all kinds: what it sends, what it asks again, and what it gives up.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { calls } from '../../packages/client/src/calls.ts'
import { createClient, ProblemError } from '../../packages/client/src/index.ts'
import { pause } from '../../packages/client/src/pause.ts'
import { pauseMs } from '../../packages/client/src/transport.ts'
import { apiDocument } from '../../src/http/operations.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let close = () => {}
afterEach(() => close())

/** A client of a server that answers one request after the other as given, and then the last way. */
async function clientOf(...answers: Answer[]) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    const answer = answers[Math.min(seen.length, answers.length) - 1] as Answer
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  close = () => {
    server.closeAllConnections()
    server.close()
  }
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`
  return { tracker: createClient({ url, token: 't' }), seen }
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
const refuse = (status: number, code: string, headers: Record<string, string> = {}) =>
  json(
    status,
    { status, code, detail: 'No.', requestId: 'r', errors: [{ field: 'jobId', message: 'is wrong' }] },
    headers,
  )
const breakOff: Answer = (request) => request.socket.destroy()
const silent: Answer = () => {}

test('every operation of the document has a method', () => {
  const reachable = Object.values(calls).flatMap((group) => Object.values(group))
  const operations = Object.entries(apiDocument().paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(reachable.map((call) => call.split(' ').slice(0, 2).join(' ')).sort()).toEqual(operations.sort())
})

test('a query has lists with commas, and metadata by its keys', async () => {
  const { tracker, seen } = await clientOf(json(200, { data: [], next: null }))
  await tracker.imports.list({ state: ['failed', 'lost'], metadata: { team: 'data', 'a.b': 1 }, limit: 5 }).page()
  expect(seen).toEqual(['GET /base/v1/imports?state=failed%2Clost&metadata.team=data&metadata.a.b=1&limit=5'])
})

test('a list goes on to its end', async () => {
  const { tracker, seen } = await clientOf(json(200, { data: [1, 2], next: 'n' }), json(200, { data: [3], next: null }))
  expect(await all(tracker.tokens.list())).toEqual([1, 2, 3])
  expect(seen).toEqual(['GET /base/v1/tokens', 'GET /base/v1/tokens?after=n'])
})

test('a refusal is a ProblemError with its code, its fields and the request’s id', async () => {
  const { tracker } = await clientOf(refuse(400, 'invalid_request'))
  const error = await tracker.imports.get('x').catch((thrown) => thrown)
  expect(error).toBeInstanceOf(ProblemError)
  expect(error).toMatchObject({
    code: 'invalid_request',
    status: 400,
    message: 'No.',
    requestId: 'r',
    errors: [{ field: 'jobId', message: 'is wrong' }],
  })
})

test('a proxy’s page is an unexpected answer', async () => {
  const { tracker } = await clientOf((_request, response) => response.writeHead(403).end('<html>'))
  await expect(tracker.me.get()).rejects.toMatchObject({ code: 'unexpected_answer', status: 403 })
})

describe('asking again', () => {
  const again = { 'retry-after': '0' }

  test.each([408, 429, 500, 502, 503])('%d is asked again', async (status) => {
    const { tracker, seen } = await clientOf(refuse(status, 'unavailable', again), json(200, { name: 'n' }))
    expect(await tracker.me.get()).toEqual({ name: 'n' })
    expect(seen).toHaveLength(2)
  })

  test('a connection that breaks is, too, and three times at the most', async () => {
    const { tracker, seen } = await clientOf(breakOff)
    await expect(tracker.me.get()).rejects.toMatchObject({ code: 'unreachable', status: null })
    expect(seen).toHaveLength(4)
  })

  test('a deletion whose answer was lost has been done, and a first 404 is what it is', async () => {
    const lost = await clientOf(breakOff, refuse(404, 'not_found'))
    await lost.tracker.imports.delete('i')
    expect(lost.seen).toHaveLength(2)
    close()
    const { tracker } = await clientOf(refuse(404, 'not_found'))
    await expect(tracker.imports.delete('i')).rejects.toMatchObject({ status: 404 })
  })

  test('registering a job id is repeated; what isn’t idempotent never', async () => {
    const unavailable = refuse(503, 'unavailable', again)
    const registering = await clientOf(unavailable, json(201, { id: 'i' }))
    await registering.tracker.imports.register({ connection: 'c', jobId: 'j' })
    expect(registering.seen).toHaveLength(2)
    close()
    const { tracker, seen } = await clientOf(unavailable)
    await expect(tracker.imports.register({ connection: 'c', result: {} })).rejects.toMatchObject({ status: 503 })
    await expect(tracker.imports.poll('i')).rejects.toMatchObject({ status: 503 })
    await expect(tracker.tokens.create({ name: 'n', scope: 'read' })).rejects.toMatchObject({ status: 503 })
    expect(seen).toHaveLength(3)
  })

  test('a pause of an hour is not waited for', async () => {
    const { tracker, seen } = await clientOf(refuse(429, 'too_many_requests', { 'retry-after': '3600' }))
    await expect(tracker.me.get()).rejects.toMatchObject({ retryAfterMs: 3_600_000 })
    expect(seen).toHaveLength(1)
  })
})

test.each(['localhost:3000', 'ftp://127.0.0.1', '', 'http://me:secret@127.0.0.1', 'http://127.0.0.1/?a=b'])(
  'the URL %j makes no client: waiting would wait for ever',
  (url) => expect(() => createClient({ url, token: 't' })).toThrow('The URL of the service must be'),
)

test('a token that no header can carry makes none, and isn’t told', () => {
  const make = () => createClient({ url: 'http://127.0.0.1', token: 'sec\nret' })
  expect(make).toThrow(TypeError)
  expect(make).not.toThrow('ret')
})

test('what can’t be written as JSON is the caller’s mistake, and isn’t sent', async () => {
  const { tracker, seen } = await clientOf(json(201, { id: 'i' }))
  const registration = { connection: 'c', jobId: 'j', metadata: { run: 42n } }
  await expect(tracker.imports.register(registration)).rejects.toThrow(TypeError)
  expect(seen).toEqual([])
})

test.each([{ hello: 1 }, [], null, 'text', 1])(
  'JSON of another service is an unexpected answer: %j',
  async (answer) => {
    const { tracker } = await clientOf(json(200, answer))
    const unexpected = { code: 'unexpected_answer', status: 200 }
    await expect(tracker.imports.list().page()).rejects.toMatchObject({ code: 'unexpected_answer' })
    await expect(tracker.events.follow().next()).rejects.toMatchObject({ code: 'unexpected_answer' })
    await expect(tracker.imports.wait('i')).rejects.toMatchObject({ code: 'unexpected_answer' })
    const isObject = typeof answer === 'object' && answer !== null && !Array.isArray(answer)
    if (!isObject) await expect(tracker.imports.stop('i')).rejects.toMatchObject(unexpected)
  },
)

test('a redirect is told, and not followed: it would make a question of what was to be done', async () => {
  const redirect: Answer = (_request, response) => response.writeHead(302, { location: '/v1/elsewhere' }).end()
  const { tracker, seen } = await clientOf(redirect)
  const redirected = { code: 'unexpected_answer', message: expect.stringContaining('/v1/elsewhere'), status: 302 }
  await expect(tracker.imports.register({ connection: 'c', jobId: 'j' })).rejects.toMatchObject(redirected)
  await expect(tracker.imports.wait('i')).rejects.toMatchObject(redirected)
  await expect(tracker.imports.wait('i', { onChange() {} })).rejects.toMatchObject(redirected)
  expect(seen).toEqual([
    'POST /base/v1/imports',
    'GET /base/v1/imports/i?waitMs=25000',
    'GET /base/v1/imports/i/stream',
  ])
})

test.each(['', '.', '..'])(
  'the id %j, which would make the path another one, is refused before it is sent',
  async (id) => {
    const { tracker, seen } = await clientOf(json(200, { data: [], next: null }))
    expect(() => tracker.imports.get(id)).toThrow(TypeError)
    expect(() => tracker.connections.delete(id)).toThrow(TypeError)
    await expect(tracker.imports.wait(id)).rejects.toThrow(TypeError)
    await expect(tracker.imports.wait(id, { onChange() {} })).rejects.toThrow(TypeError)
    expect(seen).toEqual([])
  },
)

test.each([
  [{ 'retry-after': 'Sun, 01 Mar 2026 00:02:00 GMT', date: 'Sun, 01 Mar 2026 00:00:00 GMT' }, 120_000],
  [{ 'retry-after': 'Sun, 01 Mar 2026 00:00:00 GMT', date: 'Sun, 01 Mar 2026 00:00:05 GMT' }, 0],
  [{ 'retry-after': '-5' }, null],
  [{ 'retry-after': '1.5' }, null],
  [{ 'retry-after': 'soon' }, null],
] as const)('a pause that is said as %j is %j ms', async (headers, retryAfterMs) => {
  const { tracker } = await clientOf(refuse(503, 'unavailable', headers))
  await expect(tracker.imports.poll('i')).rejects.toMatchObject({ retryAfterMs })
})

test('a wait that was held longer than the least pause goes on without a warning', async () => {
  const warned = vi.spyOn(process, 'emitWarning')
  await pause(-1)
  expect(warned).not.toHaveBeenCalled()
  warned.mockRestore()
})

test('what is no stream is an unexpected answer, instead of being asked for for ever', async () => {
  const { tracker } = await clientOf((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
  )
  await expect(tracker.imports.wait('i', { onChange() {} })).rejects.toMatchObject({ code: 'unexpected_answer' })
})

test('who waits for ever pauses, even if the service says that it need not', () => {
  const problem = new ProblemError('unavailable', 'No.', { status: 503, retryAfterMs: 0 })
  expect(pauseMs(problem, 3, { isPatient: true })).toBeGreaterThanOrEqual(1_000)
  expect(pauseMs(problem, 3)).toBe(0)
  const later = new ProblemError('unavailable', 'No.', { status: 503, retryAfterMs: 20_000 })
  expect(pauseMs(later, 3, { isPatient: true })).toBe(20_000)
})

describe('an abort ends at once, with its reason,', () => {
  const endless = {
    'waiting for an answer': [silent],
    'waiting to ask again': [refuse(503, 'unavailable', { 'retry-after': '50' })],
  }
  const hours = { 'waiting for hours to ask again': [refuse(503, 'unavailable', { 'retry-after': '7200' })] }
  for (const [what, answers] of Object.entries({ ...endless, ...hours }))
    test.each(['wait', 'wait with changes', 'follow', ...(what in hours ? [] : ['get'])])(
      `${what}: %s`,
      async (call) => {
        const { tracker } = await clientOf(...answers)
        const stop = new AbortController()
        const { signal } = stop
        const running: Record<string, () => Promise<unknown>> = {
          wait: () => tracker.imports.wait('i', { signal }),
          'wait with changes': () => tracker.imports.wait('i', { signal, onChange() {} }),
          follow: () => tracker.events.follow({ signal }).next(),
          get: () => tracker.imports.get('i', { signal }),
        }
        setTimeout(() => stop.abort(new Error('enough')), 20)
        await expect(running[call]?.()).rejects.toThrow('enough')
      },
    )
})

// A promise that settles so soon has waited for no server and no timer.
test.each(['wait', 'wait with changes', 'stream', 'follow', 'get', 'list'])(
  'an abort ends %s within a few turns of the event loop, even where fetch doesn’t heed it',
  async (call) => {
    const unheard = new Promise<never>(() => {})
    const silent = () => Promise.resolve(new Response(new ReadableStream({ pull: () => unheard })))
    for (const fetch of [() => unheard, silent]) {
      const tracker = createClient({ url: 'http://127.0.0.1:9', token: 't', fetch })
      const stop = new AbortController()
      const { signal } = stop
      const running: Record<string, () => Promise<unknown>> = {
        wait: () => tracker.imports.wait('i', { signal }),
        'wait with changes': () => tracker.imports.wait('i', { signal, onChange() {} }),
        stream: () => tracker.imports.stream('i', { signal }).next(),
        follow: () => tracker.events.follow({ signal }).next(),
        get: () => tracker.imports.get('i', { signal }),
        list: () => tracker.imports.list({ signal }).page(),
      }
      const reason = new Error('enough')
      let ended: unknown
      running[call]?.().catch((error) => {
        ended = error
      })
      await turns(5)
      expect(ended).toBeUndefined()
      stop.abort(reason)
      await turns(5)
      expect(ended).toBe(reason)
    }
  },
)

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

async function all(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const found = []
  for await (const item of items) found.push(item)
  return found
}
