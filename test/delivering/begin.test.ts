import { eq, sql } from 'drizzle-orm'
import { afterEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { deliveries, webhookEndpoints } from '../../src/db/schema/index.ts'
import { timeOrderedId } from '../../src/db/time-ordered-id.ts'
import type { Attempt } from '../../src/delivering/begin.ts'
import { endpointsToServe, longestDueDeliveries, troubledToServe } from '../../src/delivering/due.ts'
import { mostAttempts } from '../../src/delivering/work.ts'
import { leaseMs } from '../../src/work/leases.ts'
import { useDueWorld } from './due-world.ts'

const world = useDueWorld()
const { now, minutes } = world
const ids = (begun: readonly Attempt[]) => begun.map(({ id }) => id).toSorted()

afterEach(() =>
  world.db.execute(sql`TRUNCATE deliveries, delivery_attempts, events, webhook_endpoints, leases CASCADE`),
)

describe('the deliveries of one endpoint', () => {
  test('are begun once, and by whoever serves it next when its lease is over', async () => {
    const [id = ''] = await world.pending((await world.endpoint()).id, 1)
    const [first, second] = [world.process(), world.process()]
    expect(ids(await first.begin())).toEqual([id])
    expect(await second.begin()).toEqual([])
    expect(await first.begin()).toEqual([])
    world.clock.advance(leaseMs)
    expect(ids(await second.begin())).toEqual([id])
  })

  test('go out five at once, the longest due first, and the next one as soon as one has ended', async () => {
    const all = await world.pending((await world.endpoint()).id, 7)
    const process = world.process()
    expect(ids(await process.begin())).toEqual(all.slice(0, 5).toSorted())
    expect(await process.begin()).toEqual([])
    await world.finish(process, all.slice(0, 1))
    expect(ids(await process.begin())).toEqual(all.slice(5, 6))
    await world.finish(process, all.slice(1, 3))
    expect(ids(await process.begin())).toEqual(all.slice(6))
  })

  test('are first attempts before retries, but for one retry, so that these are not starved', async () => {
    const { id: endpointId } = await world.endpoint(world.answering)
    const retries = await world.pending(endpointId, 9, { isRetry: true, dueMs: -minutes(60) })
    const firsts = await world.pending(endpointId, 9)
    const process = world.process()
    expect(ids(await process.begin())).toEqual([...firsts.slice(0, 4), retries[0]].toSorted())
    await world.finish(process, firsts.slice(0, 1))
    expect(ids(await process.begin())).toEqual(firsts.slice(4, 5))
    await world.finish(process, retries.slice(0, 1))
    expect(ids(await process.begin())).toEqual(retries.slice(1, 2))
  })

  test('are three retries at once at the most, so that a first attempt never waits for one', async () => {
    const { id: endpointId } = await world.endpoint()
    await world.pending(endpointId, 1_000, { isRetry: true })
    const process = world.process()
    expect((await process.begin()).map(({ isRetry }) => isRetry)).toEqual([true, true, true])
    const firsts = await world.pending(endpointId, 1)
    expect(ids(await process.begin())).toEqual(firsts)
  })

  test('are two at once while a request to it takes longer than a second', async () => {
    const { id: endpointId } = await world.endpoint(world.answering)
    const slow = await world.pending(endpointId, 1)
    const process = world.process()
    expect(await process.begin()).toHaveLength(1)
    world.clock.advance(1_000)
    await world.pending(endpointId, 9)
    expect(await process.begin()).toHaveLength(1)
    await world.finish(process, slow)
    expect(await process.begin()).toHaveLength(4)
  })

  test('are first attempts nevertheless while retries take long, of which there is one then', async () => {
    const { id: endpointId } = await world.endpoint(world.answering)
    const retries = await world.pending(endpointId, 9, { isRetry: true })
    const process = world.process()
    expect(await process.begin()).toHaveLength(3)
    world.clock.advance(1_000)
    await world.pending(endpointId, 9)
    expect((await process.begin()).map(({ isRetry }) => isRetry)).toEqual([false, false])
    await world.finish(process, retries.slice(0, 2))
    expect(await process.begin()).toEqual([])
  })

  test('wait while it is disabled, deleted or told us to wait', async () => {
    const later = new Date(now().getTime() + 1)
    for (const columns of [{ disabledAt: now() }, { deletedAt: now() }, { blockedUntil: later }])
      await world.pending((await world.endpoint(columns)).id, 1)
    const process = world.process()
    expect(await process.begin()).toEqual([])
    world.clock.advance(1)
    expect(await process.begin()).toHaveLength(1)
  })

  test('are one at a time while its breaker is open, and none before the next probe', async () => {
    const { id: endpointId } = await world.endpoint(world.failing({ nextProbeAt: new Date(now().getTime() + 1) }))
    const all = await world.pending(endpointId, 3)
    const process = world.process()
    expect(await process.begin()).toEqual([])
    world.clock.advance(1)
    expect(ids(await process.begin())).toEqual(all.slice(0, 1))
    expect(await process.begin()).toEqual([])
  })

  test('go nevertheless where somebody asks for one', async () => {
    const { id: endpointId } = await world.endpoint(
      world.failing({ nextProbeAt: new Date(now().getTime() + minutes(30)) }),
    )
    const [asked = '', other = ''] = await world.pending(endpointId, 2, { isRetry: true })
    await world.db.update(deliveries).set({ manualRequested: true, attempts: 4 }).where(eq(deliveries.id, asked))
    const process = world.process()
    expect(await process.begin()).toMatchObject([{ id: asked, number: 5, manual: true, isRetry: false }])
    await world.db.update(webhookEndpoints).set({ nextProbeAt: now() })
    expect(await process.begin()).toEqual([]) // it has one under way
    await world.finish(process, [asked])
    expect(ids(await process.begin())).toEqual([other])
  })

  test('never are more than five under way, however many processes look at once', async () => {
    const { id: endpointId } = await world.endpoint(world.answering)
    await world.pending(endpointId, 20)
    await world.pending(endpointId, 20, { isRetry: true })
    const database = openDatabase(world.database.url, { maxConnections: 6, onError: () => {} })
    const begun = (await Promise.all(Array.from({ length: 6 }, () => world.process(database.db).begin()))).flat()
    await database.close()
    expect(begun).toHaveLength(5)
    expect(new Set(ids(begun)).size).toBe(5)
  })
})

describe('endpoints', () => {
  test('that answer are claimed apart from those that failed three times in a row, or were never tried', async () => {
    const { answering } = world
    const due = async (columns: object, dueMs: number, isRetry = false) => {
      const { id } = await world.endpoint(columns)
      await world.pending(id, 2, { dueMs: -minutes(dueMs), isRetry })
      return id
    }
    const good = [await due(answering, 1), await due({ ...answering, failures: 2 }, 3), await due(answering, 2, true)]
    const bad = [await due({}, 1), await due({ ...answering, failures: 3 }, 9), await due(world.failing({}), 9)]
    const fresh = await due({}, 2)
    await due(world.failing({ nextProbeAt: new Date(now().getTime() + 1) }), 9)
    expect(await endpointsToServe(world.db, now(), 9)).toEqual([good[1], good[2], good[0]])
    expect(await endpointsToServe(world.db, now(), 1)).toEqual([good[1]])
    expect(await troubledToServe(world.db, now(), 9)).toEqual([fresh, ...bad]) // those that failed least first
    expect(new Set((await longestDueDeliveries(world.db, now())).map(({ id }) => id))).toEqual(
      new Set([...good, bad[0], bad[1], fresh]),
    )
    await world.process().begin()
    for (const find of [endpointsToServe, troubledToServe]) expect(await find(world.db, now(), 9)).toEqual([])
    expect(await longestDueDeliveries(world.db, now())).toEqual([])
  })

  test('take turns: those with the least under way go first', async () => {
    const { id: busy } = await world.endpoint(world.answering)
    const many = await world.pending(busy, 5, { dueMs: -minutes(2) })
    const process = world.process()
    expect(ids(await process.beginOnce(1))).toEqual([many[0]])
    const [other] = await world.pending((await world.endpoint(world.answering)).id, 1)
    expect(ids(await process.beginOnce(1))).toEqual([other])
    expect(ids(await process.beginOnce(0))).toEqual([])
    expect(ids(await process.beginOnce(9))).toEqual(many.slice(1).toSorted())
  })

  test('that are in trouble get one more at a look', async () => {
    await world.pending((await world.endpoint({ failures: 3 })).id, 9)
    await world.pending((await world.endpoint()).id, 9)
    const process = world.process()
    for (let looks = 0; looks < 5; looks++) expect(await process.beginOnce()).toHaveLength(2)
    expect(await process.beginOnce()).toEqual([])
  })

  test('are not held up by what somebody asked for at one of them', async () => {
    const { id: asking } = await world.endpoint(world.answering)
    await world.pending(asking, 100, { isRetry: true })
    await world.db.update(deliveries).set({ manualRequested: true }).where(eq(deliveries.endpointId, asking))
    const [other] = await world.pending((await world.endpoint(world.answering)).id, 1)
    const begun = await world.process().beginOnce()
    expect(ids(begun)).toContain(other)
    expect(begun).toHaveLength(6)
  })
})

describe('beside a thousand dead endpoints with a hundred thousand due retries', () => {
  test('a fresh delivery is found at once, without reading what is due to the others', async () => {
    await deadEndpoints({ isRetry: true, failures: 3 })
    const { id: healthy } = await world.endpoint(world.answering)
    const [fresh] = await world.pending(healthy, 1)

    const before = await readsOfDeliveries()
    expect(await endpointsToServe(world.db, now(), 100)).toEqual([healthy])
    const after = await readsOfDeliveries()
    expect(after.sequential - before.sequential).toBe(0)
    expect(after.rows - before.rows).toBeLessThan(100)

    expect(await troubledToServe(world.db, now(), 100)).toHaveLength(100)
    const found = await readsOfDeliveries()
    expect(found.sequential - after.sequential).toBe(0)
    expect(found.rows - after.rows).toBeLessThan(5_000) // one or two an endpoint, of a hundred

    expect(ids(await world.process().beginOnce())).toContain(fresh)
    const begun = await readsOfDeliveries()
    expect(begun.sequential - found.sequential).toBe(0)
    expect(begun.rows - found.rows).toBeLessThan(10_000) // four an endpoint to begin one of
  })
})

describe('a thousand endpoints that answered until now, and hang all at once', () => {
  test('take a few places each, and leave the others to those that answer', async () => {
    await deadEndpoints({ isRetry: false, failures: 0, lastSuccessAt: now() })
    const process = world.process()
    let underWay = 0
    for (let passes = 0; passes < 60; passes++) {
      underWay += (await process.beginOnce(mostAttempts - underWay)).length
      world.clock.advance(20)
    }
    expect(underWay).toBeGreaterThan(1_000)
    expect(underWay).toBeLessThan(0.8 * mostAttempts)
    const [fresh] = await world.pending((await world.endpoint(world.answering)).id, 1)
    expect(ids(await process.beginOnce(mostAttempts - underWay))).toEqual([fresh])
  })
})

/** A thousand endpoints with a hundred due deliveries each. */
async function deadEndpoints(as: { isRetry: boolean; failures: number; lastSuccessAt?: Date }): Promise<void> {
  await world.db.execute(sql`
    INSERT INTO webhook_endpoints (id, url, types, secret, created_at, updated_at, failures, last_success_at)
    SELECT gen_random_uuid(), 'https://dead.example.com/', '{}', '', ${now()}, ${now()}, ${as.failures}::int,
      ${as.lastSuccessAt ?? null}::timestamptz
    FROM generate_series(1, 1000)`)
  // Ten at a time: a busy machine takes longer for all of them than a connection may be silent.
  for (let times = 0; times < 10; times++)
    await world.db.execute(sql`
    WITH event AS (
      INSERT INTO events (id, type, occurred_at, body)
      SELECT ${timeOrderedId(sql`now()`)}, 'import.failed', ${now()}, '{}' FROM generate_series(1, 10) RETURNING id)
    INSERT INTO deliveries (id, event_id, endpoint_id, state, attempts, is_retry, next_attempt_at, created_at)
    SELECT ${timeOrderedId(sql`now()`)}, event.id, endpoint.id, 'pending', ${as.isRetry ? 1 : 0}::int, ${as.isRetry}::boolean,
      ${now()}, ${now()}
    FROM webhook_endpoints endpoint CROSS JOIN event`)
  await world.db.execute(sql`ANALYZE deliveries, webhook_endpoints, events`)
}

/** Sequential scans over deliveries so far, and rows read of it by its indexes. */
async function readsOfDeliveries(): Promise<{ sequential: number; rows: number }> {
  await world.db.execute(sql`SELECT pg_stat_force_next_flush()`) // the pool has one connection
  const { rows } = await world.db.execute<{ sequential: number; rows: number }>(sql`
    SELECT seq_scan::int AS sequential,
      (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'deliveries')::int AS rows
    FROM pg_stat_user_tables WHERE relname = 'deliveries'`)
  const [row] = rows
  if (!row) throw new Error('There are no statistics of the table.')
  return row
}
