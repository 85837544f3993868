import { describe, expect, test, vi } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { writeEvent } from '../../src/events/write.ts'
import { type Api, useApi } from '../support/worlds/api.ts'

const api = useApi()
const stopped = useApi()
const feed = async (query: Record<string, string | number> = {}) =>
  (await api.call('GET /v1/events', {}, { query })).body

async function feedAfter(id: string): Promise<{ id: string; type: string }[]> {
  return (await feed({ after: id })).data
}

/** Until a request has read the feed, and waits for what comes next. */
async function untilSomebodyWaits({ database }: Api): Promise<void> {
  const statements = vi.spyOn(database.pool, 'query')
  const reads = () => statements.mock.calls.filter((call) => JSON.stringify(call).includes('event_positions')).length
  await vi.waitUntil(() => reads() >= 4, { timeout: 30_000 })
  statements.mockRestore()
}

async function stopAndResume(id: string): Promise<void> {
  await api.call('POST /v1/imports/{id}/stop', { id })
  await api.call('POST /v1/imports/{id}/resume', { id })
}

describe('the events of an import', () => {
  test('are listed, the oldest first, with the import as it was then', async () => {
    const { id } = await api.register({ metadata: { mine: 1 } })
    await stopAndResume(id)
    await stopAndResume((await api.register()).id)
    const { body } = await api.call('GET /v1/imports/{id}/events', { id })
    expect(body.data.map(({ type }: { type: string }) => type)).toEqual(['import.stopped', 'import.resumed'])
    expect(Object.keys(body.data[0])).toEqual(['id', 'type', 'timestamp', 'importId', 'sequence', 'data'])
    expect(body.data[0]).toMatchObject({
      importId: id,
      sequence: 1,
      data: { id, state: 'stopped', metadata: { mine: 1 } },
    })
    expect(body.data[0].timestamp).toBe(api.clock.now().toISOString())
    const first = await api.call('GET /v1/imports/{id}/events', { id }, { query: { limit: 1 } })
    const second = await api.call(
      'GET /v1/imports/{id}/events',
      { id },
      { query: { limit: 1, after: first.body.next } },
    )
    expect([...first.body.data, ...second.body.data]).toEqual(body.data)
  })

  test('of an unknown import are 404', async () => {
    expect((await api.call('GET /v1/imports/{id}/events', { id: newId() })).status).toBe(404)
  })
})

describe('an event', () => {
  test('is had by its id, as the lists show it', async () => {
    const { id } = await api.register()
    await stopAndResume(id)
    const { data } = (await api.call('GET /v1/imports/{id}/events', { id })).body
    expect((await api.call('GET /v1/events/{id}', { id: data[1].id })).body).toEqual(data[1])
    expect((await api.call('GET /v1/events/{id}', { id: newId() })).status).toBe(404)
  })
})

describe('the feed', () => {
  test('goes on from the last event that was shown', async () => {
    const start = newId()
    const { id } = await api.register()
    await stopAndResume(id)
    const first = await feedAfter(start)
    expect(first.map(({ type }) => type)).toEqual(['import.stopped', 'import.resumed'])
    await stopAndResume(id)
    expect(await feedAfter(first.at(-1)?.id ?? '')).toHaveLength(2)
  })

  test('shows what is committed late after what was shown before', async () => {
    const start = newId()
    const { db } = api.database
    const occurredAt = api.clock.now()
    const name = await api.putConnection()
    const event = {
      type: 'connection.paused',
      importId: null,
      connectionId: null,
      connectionName: null,
      provider: null,
      metadata: null,
      endpointId: null,
      occurredAt,
      data: (await api.call('GET /v1/connections/{name}', { name })).body,
    } as const
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise: written, resolve: isWritten } = Promise.withResolvers<string>()
    const slow = db.transaction(async (tx) => {
      isWritten(await writeEvent(tx, event))
      await released
    })
    const late = await written
    const early = await db.transaction((tx) => writeEvent(tx, event))
    expect((await feedAfter(start)).map(({ id }) => id)).toEqual([early])
    release()
    await slow
    expect((await feedAfter(early)).map(({ id }) => id)).toEqual([late])
  })

  test('waits for the next event where there is none', async () => {
    const { id } = await api.register()
    const after = newId()
    const waits = untilSomebodyWaits(api)
    const waiting = feed({ after, waitMs: 60_000 })
    await waits
    await stopAndResume(id)
    const { data } = await waiting
    expect(data[0]).toMatchObject({ type: 'import.stopped', importId: id })
    // At once, since there is one; and both, of which the one that waited may have seen the first alone.
    const both = (await feed({ after, waitMs: 60_000 })).data
    expect(both).toMatchObject([data[0], { type: 'import.resumed', importId: id }])
    expect(await feed({ after: both.at(-1).id, waitMs: 1 })).toEqual({ data: [], next: null })
  })

  test('shows and waits for those of a type or a connection alone', async () => {
    const [mine, other] = [await api.register(), await api.register()]
    const after = newId()
    const { connection } = mine
    const waits = untilSomebodyWaits(api)
    const waiting = feed({ after, connection, type: 'import.resumed', waitMs: 60_000 })
    await waits
    await stopAndResume(other.id)
    await stopAndResume(mine.id)
    expect((await waiting).data).toMatchObject([{ type: 'import.resumed', importId: mine.id }])
    expect((await feed({ after, type: 'import.stopped' })).data).toMatchObject([
      { type: 'import.stopped', importId: other.id },
      { type: 'import.stopped', importId: mine.id },
    ])
    expect((await feed({ after, connection })).data).toMatchObject([
      { type: 'import.stopped', importId: mine.id },
      { type: 'import.resumed', importId: mine.id },
    ])
    expect(await feed({ after, connection: 'nobody' })).toEqual({ data: [], next: null })
    expect(await feed({ type: 'import.exploded' })).toMatchObject({ status: 400, errors: [{ field: 'type' }] })
  })

  test.each([60_001, -1, 1.5, 'long'])('doesn’t wait for %s', async (waitMs) => {
    expect(await feed({ waitMs })).toMatchObject({ status: 400, errors: [{ field: 'waitMs' }] })
  })

  test('lets those go who wait when the server stops', async () => {
    const waits = untilSomebodyWaits(stopped)
    const waiting = stopped.call('GET /v1/events', {}, { query: { waitMs: 60_000 } })
    await waits
    await stopped.server.close({ graceMs: 60_000 })
    expect(await waiting).toMatchObject({ status: 200, body: { data: [], next: null } })
  })

  test('leaves out tests of endpoints', async () => {
    const start = newId()
    const endpoint = await api.call('POST /v1/webhook-endpoints', {}, { body: { url: 'https://hooks.example.com/in' } })
    await api.call('POST /v1/webhook-endpoints/{id}/test', { id: endpoint.body.id })
    await stopAndResume((await api.register()).id)
    expect((await feedAfter(start)).map(({ type }) => type)).toEqual(['import.stopped', 'import.resumed'])
  })

  test('goes 30 days back', async () => {
    const start = newId()
    await stopAndResume((await api.register()).id)
    await feedAfter(start)
    const now = api.clock.now()
    api.clock.set(new Date(Date.now() + 31 * 24 * 3_600_000))
    expect((await feed({ after: start })).data).toEqual([])
    api.clock.set(now)
  })
})
