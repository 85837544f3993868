import { eq, sql } from 'drizzle-orm'
import { afterEach, describe, expect, test } from 'vitest'
import { deliveries, webhookEndpoints } from '../../src/db/schema/index.ts'
import { claimDeliveries, type DueDelivery, deliveryLeaseMs, releaseDeliveries } from '../../src/dispatch/deliveries.ts'
import { useDeliveryWorld } from './delivery-world.ts'

const world = useDeliveryWorld()
const { now, minutes } = world
const claim = async (room?: Parameters<typeof claimDeliveries>[2]) =>
  (await claimDeliveries(world.db, now(), room)).deliveries
const lanes = (claimed: readonly DueDelivery[]) => claimed.map(({ lane }) => lane)
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
    const endpointId = await world.endpoint()
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
    for (const columns of [world.answering, {}, { ...world.answering, failures: 1 }, world.failing({})])
      await world.deliveries(await world.endpoint(columns), 1)
    await world.deliveries(await world.endpoint(world.answering), 1, { isRetry: true })
    expect(lanes(await claim()).toSorted()).toEqual(['deliver', 'retry', 'trial', 'trial', 'trial'])
  })

  test('take no more than they have room for: of the endpoints that failed least, in turn', async () => {
    const failed = await world.deliveries(await world.endpoint({ failures: 2 }), 5, { dueMs: -minutes(9) })
    const untried = [await world.endpoint(), await world.endpoint()]
    const first = await world.deliveries(untried[0], 5, { dueMs: -minutes(2) })
    const second = await world.deliveries(untried[1], 5, { dueMs: -minutes(1) })
    const room = { deliver: 0, trial: 3, retry: 0 }
    expect(ids(await claim(room))).toEqual([first[0], second[0], first[1]].toSorted())
    expect(ids(await claim(room))).toEqual([second[1], first[2], second[2]].toSorted())
    expect(ids(await claim({ ...room, trial: 0 }))).toEqual([])
    expect(ids(await claim({ ...room, trial: 9 }))).toEqual(
      [...first.slice(3), ...second.slice(3), ...failed].toSorted(),
    )
  })
})

describe('beside a thousand dead endpoints with a hundred thousand due retries', () => {
  test('a fresh delivery is claimed at once, without reading what is due to the others', {
    timeout: 60_000,
  }, async () => {
    await world.db.execute(sql`
      INSERT INTO webhook_endpoints (id, url, types, secret, created_at, updated_at, failures)
      SELECT gen_random_uuid(), 'https://dead.example.com/', '{}', '', ${now()}, ${now()}, 3 FROM generate_series(1, 1000)`)
    await world.db.execute(sql`
      WITH event AS (
        INSERT INTO events (id, type, occurred_at, body)
        SELECT gen_random_uuid(), 'import.failed', ${now()}, '{}' FROM generate_series(1, 100) RETURNING id)
      INSERT INTO deliveries (id, event_id, endpoint_id, state, attempts, is_retry, next_attempt_at, created_at)
      SELECT gen_random_uuid(), event.id, endpoint.id, 'pending', 1, true, ${now()}, ${now()}
      FROM webhook_endpoints endpoint CROSS JOIN event`)
    await world.db.execute(sql`ANALYZE deliveries, webhook_endpoints, events`)
    const healthy = await world.endpoint(world.answering)
    const [fresh] = await world.deliveries(healthy, 1)

    const before = await readsOfDeliveries()
    const first = await claim({ deliver: 100, trial: 100, retry: 100 })
    const after = await readsOfDeliveries()
    expect(first.filter(({ lane }) => lane !== 'retry')).toMatchObject([{ id: fresh, lane: 'deliver' }])
    expect(first.filter(({ lane }) => lane === 'retry')).toHaveLength(100)
    expect(after.sequential - before.sequential).toBe(0)
    expect(after.rows - before.rows).toBeLessThan(10_000) // a few an endpoint, of a hundred

    // While the retries' lane is full, they aren't looked at any more.
    const [next] = await world.deliveries(healthy, 1)
    const full = await readsOfDeliveries()
    expect(ids(await claim({ deliver: 100, trial: 100, retry: 0 }))).toEqual([next])
    expect((await readsOfDeliveries()).rows - full.rows).toBeLessThan(1_000)
  })
})

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
