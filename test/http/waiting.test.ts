import { describe, expect, test, vi } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { adminToken } from '../support/worlds/ground.ts'

const api = useApi()
const headers = { authorization: `Bearer ${adminToken}` }

function set(id: string, columns: string): Promise<unknown> {
  return api.database.pool.query(`UPDATE imports SET ${columns} WHERE id = $1`, [id])
}

describe('waiting for an import', () => {
  test('is answered at once when it is over', async () => {
    const { id } = await api.import({ state: 'succeeded' })
    const { body } = await api.call('GET /v1/imports/{id}', { id }, { query: { waitMs: 60_000 } })
    expect(body.state).toBe('succeeded')
  })

  test('holds the answer until it is over, for everybody who waits', async () => {
    const { id } = await api.register()
    const waiting = Array.from({ length: 20 }, () =>
      api.call('GET /v1/imports/{id}', { id }, { query: { waitMs: 60_000 } }),
    )
    await set(id, "state = 'running', progress = 0.5")
    await set(id, "state = 'failed', message = 'no luck'")
    for (const answer of await Promise.all(waiting))
      expect(answer.body).toMatchObject({ state: 'failed', message: 'no luck' })
  })

  test('is answered with the import as it is when the time is up', async () => {
    const { id } = await api.register()
    const { body } = await api.call('GET /v1/imports/{id}', { id }, { query: { waitMs: 50 } })
    expect(body.state).toBe('pending')
  })

  test.each(['60001', '-1', '1.5', 'soon', ''])('?waitMs=%s is refused', async (waitMs) => {
    const { id } = await api.register()
    const { body } = await api.call('GET /v1/imports/{id}', { id }, { query: { waitMs } })
    expect(body).toMatchObject({ status: 400, errors: [{ field: 'waitMs' }] })
  })

  test('ends when the client has gone', async () => {
    const { id } = await api.register()
    const client = new AbortController()
    const statements = vi.spyOn(api.database.pool, 'query')
    const waiting = fetch(`${api.url}/v1/imports/${id}?waitMs=60000`, { headers, signal: client.signal })
    const settled = expect(waiting).rejects.toThrow()
    await vi.waitUntil(() => JSON.stringify(statements.mock.calls).includes(id))
    client.abort()
    await settled
    const line = await vi.waitUntil(() =>
      api.logLines
        .map((text) => JSON.parse(text))
        .find(({ path, complete }) => path === `/v1/imports/${id}` && !complete),
    )
    expect(line.durationMs).toBeLessThan(50_000)
  })
})

/** Reads a stream of server-sent events until it ends. */
async function* eventsOf(response: Response): AsyncGenerator<{ event: string; data: Record<string, unknown> }> {
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(/: (.*)/s).slice(0, 2)),
      )
      text = text.slice(end + 2)
      if (fields.event) yield { event: fields.event, data: JSON.parse(fields.data) }
    }
  }
}

describe('the stream', () => {
  test('shows the import now and at each change, and ends when it is over', async () => {
    const { id } = await api.register()
    const response = await fetch(`${api.url}/v1/imports/${id}/stream`, { headers })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const seen: unknown[] = []
    for await (const { event, data } of eventsOf(response)) {
      expect(event).toBe('import')
      seen.push([data.state, data.progress])
      if (seen.length === 1) await set(id, "state = 'running', progress = 0.25")
      if (seen.length === 2) await set(id, "progress_changes = '[]'") // nobody is shown that
      if (seen.length === 2) await set(id, 'progress = 0.75')
      if (seen.length === 3) await set(id, "state = 'succeeded', progress = 1")
    }
    expect(seen).toEqual([
      ['pending', null],
      ['running', 0.25],
      ['running', 0.75],
      ['succeeded', 1],
    ])
  })

  test('of an import that is over is one event', async () => {
    const { id } = await api.import({ state: 'canceled' })
    const { body } = await api.call('GET /v1/imports/{id}/stream', { id })
    expect(body.match(/^event: import$/gm)).toHaveLength(1)
  })

  test('a client that goes is noticed', async () => {
    const { id } = await api.register()
    const client = new AbortController()
    const response = await fetch(`${api.url}/v1/imports/${id}/stream`, { headers, signal: client.signal })
    await eventsOf(response).next()
    client.abort()
    const line = await vi.waitUntil(() =>
      api.logLines.map((text) => JSON.parse(text)).find(({ path }) => path?.includes(`${id}/stream`)),
    )
    expect(line.status).toBe(200)
  })
})

describe('stopping', () => {
  const stopped = useApi()

  test('ends streams, answers those who wait, and takes no more', async () => {
    const { id } = await stopped.register()
    const other = await stopped.register()
    const statements = vi.spyOn(stopped.database.pool, 'query')
    const stream = await fetch(`${stopped.url}/v1/imports/${id}/stream`, { headers })
    const events = eventsOf(stream)
    await events.next()
    const waiting = stopped.call('GET /v1/imports/{id}', { id: other.id }, { query: { waitMs: 60_000 } })
    await vi.waitUntil(() => JSON.stringify(statements.mock.calls).includes(other.id))
    await stopped.server.close()
    expect((await events.next()).done).toBe(true)
    expect((await waiting).body.state).toBe('pending')
    await expect(fetch(`${stopped.url}/healthz`)).rejects.toThrow()
  })
})
