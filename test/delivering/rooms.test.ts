import { eq, inArray, sql } from 'drizzle-orm'
import { afterEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { deliveries, webhookEndpoints } from '../../src/db/schema/index.ts'
import { timeOrderedId } from '../../src/db/time-ordered-id.ts'
import { attemptLeaseMs } from '../../src/delivering/begin.ts'
import { type DueDelivery, deliveryLeaseMs, releaseDeliveries } from '../../src/delivering/rooms.ts'
import { type ClaimedDelivery, claimAllDeliveries, claimRound } from '../support/claim.ts'
import { useDeliveryWorld } from './due-world.ts'

const world = useDeliveryWorld()
const { now, minutes } = world
const claim = () => claimAllDeliveries(world.db, now())
const claimOnce = (room: Parameters<typeof claimRound>[2]) => claimRound(world.db, now(), room)
const lanes = (claimed: readonly ClaimedDelivery[]) => claimed.map(({ lane }) => lane)
const ids = (claimed: readonly DueDelivery[]) => claimed.map(({ id }) => id).toSorted()

afterEach(() => world.db.execute(sql`TRUNCATE deliveries, delivery_attempts, events, webhook_endpoints CASCADE`))

describe('the deliveries of one endpoint', () => {
  test('are leased, and due again when the lease is over or they are given back', async () => {
    const [id = ''] = await world.deliveries(await world.endpoint(), 1)
    expect(ids(await claim())).toEqual([id])
    expect(await claim()).toEqual([])
    await releaseDeliveries(world.db, [id])
    expect(ids(await claim())).toEqual([id])
    world.clock.advance(deliveryLeaseMs)
    expect(ids(await claim())).toEqual([id])
  })

  test('go out five at once, the longest due first', async () => {
    const all = await world.deliveries(await world.endpoint(), 7)
    expect(ids(await claim())).toEqual(all.slice(0, 5).toSorted())
    expect(await claim()).toEqual([])
    await world.finish(all.slice(0, 2))
    expect(ids(await claim())).toEqual(all.slice(5).toSorted())
  })

  test('are first attempts before retries, but for one retry, so that these are not starved', async () => {
    const endpointId = await world.endpoint(world.answering)
    const retries = await world.deliveries(endpointId, 9, { isRetry: true, dueMs: -minutes(60) })
    const firsts = await world.deliveries(endpointId, 9)
    const claimed = await claim()
    expect(ids(claimed)).toEqual([...firsts.slice(0, 4), retries[0]].toSorted())
    await world.finish(firsts.slice(0, 1))
    expect(ids(await claim())).toEqual(firsts.slice(4, 5))
  })

  test('are three retries at once at the most, so that a first attempt never waits for one', async () => {
    const endpointId = await world.endpoint()
    await world.deliveries(endpointId, 1_000, { isRetry: true })
    expect(lanes(await claim())).toEqual(['retry', 'retry', 'retry'])
    const firsts = await world.deliveries(endpointId, 1)
    expect(ids(await claim())).toEqual(firsts)
  })

  test('are two at once while a request to it takes longer than a second', async () => {
    const endpointId = await world.endpoint(world.answering)
    const [slow = ''] = await world.deliveries(endpointId, 1)
    await claim()
    await begin([slow])
    world.clock.advance(1_000)
    await world.deliveries(endpointId, 9)
    expect(await claim()).toHaveLength(1)
    await world.finish([slow])
    const waiting = ids(await claim())
    expect(waiting).toHaveLength(4)
    world.clock.advance(9_000) // in their queue
    await world.finish(waiting.slice(0, 1))
    expect(await claim()).toHaveLength(1)
  })

  test('are first attempts nevertheless while retries take long, of which there is one then', async () => {
    const endpointId = await world.endpoint(world.answering)
    const retries = await world.deliveries(endpointId, 9, { isRetry: true })
    await begin(ids(await claim()))
    world.clock.advance(1_000)
    await world.deliveries(endpointId, 9)
    expect(lanes(await claim())).toEqual(['deliver', 'deliver'])
    await world.finish(retries.slice(0, 2))
    expect(lanes(await claim())).toEqual([])
  })

  test('wait while it is disabled, deleted or told us to wait', async () => {
    const later = new Date(now().getTime() + 1)
    for (const columns of [{ disabledAt: now() }, { deletedAt: now() }, { blockedUntil: later }])
      await world.deliveries(await world.endpoint(columns), 1)
    expect(await claim()).toEqual([])
    world.clock.advance(1)
    expect(await claim()).toHaveLength(1)
  })

  test('are one at a time while its breaker is open, and none before the next probe', async () => {
    const endpointId = await world.endpoint(world.failing({ nextProbeAt: new Date(now().getTime() + 1) }))
    const all = await world.deliveries(endpointId, 3)
    expect(await claim()).toEqual([])
    world.clock.advance(1)
    expect(ids(await claim())).toEqual(all.slice(0, 1))
    expect(await claim()).toEqual([])
  })

  test('go nevertheless where somebody asks for one', async () => {
    const endpointId = await world.endpoint(world.failing({ nextProbeAt: new Date(now().getTime() + minutes(30)) }))
    const [asked = '', other = ''] = await world.deliveries(endpointId, 2, { isRetry: true })
    await world.db.update(deliveries).set({ manualRequested: true, attempts: 4 }).where(eq(deliveries.id, asked))
    expect(await claim()).toEqual([{ id: asked, lane: 'trial', number: 5, manual: true }])
    await world.db.update(webhookEndpoints).set({ nextProbeAt: now() })
    expect(await claim()).toEqual([]) // it has one under way
    await world.finish([asked])
    expect(ids(await claim())).toEqual([other])
  })
})

describe('the lanes', () => {
  test('keep first attempts to endpoints that answer apart from those to others, and from retries', async () => {
    const { answering } = world
    for (const columns of [
      answering,
      { ...answering, failures: 2 },
      {},
      { ...answering, failures: 3 },
      world.failing({}),
    ])
      await world.deliveries(await world.endpoint(columns), 1)
    await world.deliveries(await world.endpoint(world.answering), 1, { isRetry: true })
    expect(lanes(await claim()).toSorted()).toEqual(['deliver', 'deliver', 'retry', 'trial', 'trial', 'trial'])
  })

  test('take no more than they have room for: of the endpoints that failed least, in turn', async () => {
    const failed = await world.deliveries(await world.endpoint({ failures: 2 }), 2, { dueMs: -minutes(9) })
    const first = await world.deliveries(await world.endpoint(), 2, { dueMs: -minutes(2) })
    const second = await world.deliveries(await world.endpoint(), 2, { dueMs: -minutes(1) })
    expect(ids(await claimOnce({ trial: 2 }))).toEqual([first[0], second[0]].toSorted())
    expect(ids(await claimOnce({ trial: 2 }))).toEqual([first[1], second[1]].toSorted())
    expect(ids(await claimOnce({ trial: 0 }))).toEqual([])
    expect(ids(await claimOnce({ trial: 9 }))).toEqual(failed.slice(0, 1))
  })

  test('give each endpoint its turn: those with the least under way go first', async () => {
    const busy = await world.endpoint(world.answering)
    const many = await world.deliveries(busy, 5, { dueMs: -minutes(2) })
    const [other] = await world.deliveries(await world.endpoint(world.answering), 1)
    expect(ids(await claimOnce({ deliver: 2 }))).toEqual([many[0], other].toSorted())
  })

  test('are not filled by what somebody asked for at one endpoint', async () => {
    const asking = await world.endpoint(world.answering)
    await world.deliveries(asking, 100, { isRetry: true })
    await world.db.update(deliveries).set({ manualRequested: true }).where(eq(deliveries.endpointId, asking))
    const [other] = await world.deliveries(await world.endpoint(world.answering), 1)
    const claimed = await claimOnce({ deliver: 64 })
    expect(ids(claimed)).toContain(other)
    expect(claimed).toHaveLength(6)
  })

  test('never have more than five under way to an endpoint, however many processes look at once', async () => {
    const endpointId = await world.endpoint(world.answering)
    await world.deliveries(endpointId, 20)
    await world.deliveries(endpointId, 20, { isRetry: true })
    const database = openDatabase(world.url, { maxConnections: 6, onError: () => {} })
    const rounds = Array.from({ length: 6 }, () => claimAllDeliveries(database.db, now()))
    const claimed = (await Promise.all(rounds)).flat()
    await database.close()
    expect(claimed).toHaveLength(5)
    expect(new Set(ids(claimed)).size).toBe(5)
  })
})

describe('beside a thousand dead endpoints with a hundred thousand due retries', () => {
  test('a fresh delivery is claimed at once, without reading what is due to the others', {
    timeout: 240_000,
  }, async () => {
    await deadEndpoints({ isRetry: true, failures: 3 })
    const healthy = await world.endpoint(world.answering)
    const [fresh] = await world.deliveries(healthy, 1)

    const before = await readsOfDeliveries()
    expect(await claimOnce({ deliver: 100 })).toMatchObject([{ id: fresh, lane: 'deliver' }])
    const after = await readsOfDeliveries()
    expect(after.sequential - before.sequential).toBe(0)
    expect(after.rows - before.rows).toBeLessThan(100)

    expect(lanes(await claimOnce({ trial: 100, retry: 100 }))).toEqual(Array(100).fill('retry'))
    const last = await readsOfDeliveries()
    expect(last.sequential - after.sequential).toBe(0)
    expect(last.rows - after.rows).toBeLessThan(5_000) // one or two an endpoint, of a hundred
  })
})

describe('a thousand endpoints that answered until now, and hang all at once', () => {
  test('take a few places each, and leave the others to those that answer', { timeout: 240_000 }, async () => {
    await deadEndpoints({ isRetry: false, failures: 0, lastSuccessAt: now() })
    const room = { deliver: 500 }
    const look = async () => {
      const claimed = ids(await claimOnce(room))
      await begin(claimed)
      world.clock.advance(600)
      return claimed.length
    }
    const taken = [await look(), await look(), await look(), await look(), await look(), await look()]
    expect(taken).toEqual([500, 500, 500, 500, 0, 0])
    const [fresh] = await world.deliveries(await world.endpoint(world.answering), 1)
    expect(ids(await claimOnce(room))).toEqual([fresh])
  })
})

/** Their attempts begin now. */
async function begin(claimed: readonly string[]): Promise<void> {
  const leaseUntil = new Date(now().getTime() + attemptLeaseMs)
  await world.db
    .update(deliveries)
    .set({ leaseUntil })
    .where(inArray(deliveries.id, [...claimed]))
}

/** A thousand endpoints with a hundred due deliveries each. */
async function deadEndpoints(as: { isRetry: boolean; failures: number; lastSuccessAt?: Date }): Promise<void> {
  await world.db.execute(sql`
    INSERT INTO webhook_endpoints (id, url, types, secret, created_at, updated_at, failures, last_success_at)
    SELECT gen_random_uuid(), 'https://dead.example.com/', '{}', '', ${now()}, ${now()}, ${as.failures}::int,
      ${as.lastSuccessAt ?? null}::timestamptz
    FROM generate_series(1, 1000)`)
  await world.db.execute(sql`
    WITH event AS (
      INSERT INTO events (id, type, occurred_at, body)
      SELECT ${timeOrderedId(sql`now()`)}, 'import.failed', ${now()}, '{}' FROM generate_series(1, 100) RETURNING id)
    INSERT INTO deliveries (id, event_id, endpoint_id, state, attempts, is_retry, next_attempt_at, created_at)
    SELECT gen_random_uuid(), event.id, endpoint.id, 'pending', ${as.isRetry ? 1 : 0}::int, ${as.isRetry}::boolean,
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
