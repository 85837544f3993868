import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { probeIntervalMs } from '../../src/connections/pause.ts'
import { claimCollections, claimPolls } from '../../src/connections/rooms.ts'
import { connections, imports } from '../../src/db/schema/index.ts'
import type { StoredLimits } from '../../src/model/limits.ts'
import { collectLeaseMs, pollLeaseMs, releasePolls } from '../../src/work/leases.ts'
import { useImportWorld } from '../imports/world.ts'

const world = useImportWorld()
const now = () => world.clock.now()
const limitless = { maxInFlight: 1_000 }

/** Imports of a connection of their own, due in this order, and ways to claim them alone. */
async function due(count: number, limits: StoredLimits, columns: Partial<typeof connections.$inferInsert> = {}) {
  await world.db.update(imports).set({ nextPollAt: null, nextCollectAt: null }) // so that tests don't meet
  const { id: connectionId } = await world.connection({ limits, ...columns })
  const ids: string[] = []
  for (let index = count; index > 0; index--) {
    const nextPollAt = new Date(now().getTime() - index)
    ids.push((await world.tracked({ connectionId, nextPollAt })).id)
  }
  const polls = async () => (await claimPolls(world.db, now())).ids.toSorted()
  const connection = async () => (await world.db.select().from(connections).where(eq(connections.id, connectionId)))[0]
  return { ids, connectionId, polls, connection }
}

const collectable = (connectionId: string) =>
  world.tracked({ connectionId, state: 'partial', nextPollAt: null, nextCollectAt: now() })

describe('due work', () => {
  test('is claimed once, the longest due first', async () => {
    const { ids, polls } = await due(5, { maxInFlight: 3 })
    expect(await polls()).toEqual(ids.slice(0, 3).toSorted())
    expect(await polls()).toEqual([])
    await releasePolls(world.db, ids.slice(1, 3))
    expect(await polls()).toEqual(ids.slice(1, 3).toSorted())
  })

  test('is leased until it is recorded, and comes back when the lease is over', async () => {
    const { ids, polls } = await due(1, limitless)
    expect(await polls()).toEqual(ids)
    world.clock.advance(pollLeaseMs - 1)
    expect(await polls()).toEqual([])
    world.clock.advance(1)
    expect(await polls()).toEqual(ids)
    expect((await world.row(ids[0] ?? '')).pollLeaseUntil).toEqual(new Date(now().getTime() + pollLeaseMs))
  })

  test('of a collection comes back likewise', async () => {
    const { connectionId } = await due(0, limitless)
    const { id } = await collectable(connectionId)
    const claimed = async () => (await claimCollections(world.db, now())).ids
    expect(await claimed()).toEqual([id])
    world.clock.advance(collectLeaseMs - 1)
    expect(await claimed()).toEqual([])
    world.clock.advance(1)
    expect(await claimed()).toEqual([id])
  })

  test('is shared out among those who claim at once, and nobody spends more than there is', async () => {
    const { ids, polls } = await due(60, { maxInFlight: 40 })
    const claims = await Promise.all(Array.from({ length: 8 }, polls))
    expect(claims.flat().toSorted()).toEqual(ids.slice(0, 40).toSorted())
  })

  test('of a deleted connection is nobody’s', async () => {
    expect(await (await due(1, limitless, { deletedAt: now() })).polls()).toEqual([])
  })
})

describe('what a connection allows', () => {
  test('in flight counts polls and collections together', async () => {
    const { ids, polls, connectionId } = await due(3, { maxInFlight: 2 })
    const { id } = await collectable(connectionId)
    expect((await claimCollections(world.db, now())).ids).toEqual([id])
    expect(await polls()).toEqual(ids.slice(0, 1))
  })

  test('in a second is an even pace', async () => {
    const { polls } = await due(6, { ...limitless, requestsPerSecond: 10 })
    const counts: number[] = []
    for (let step = 0; step < 4; step++) {
      counts.push((await polls()).length)
      world.clock.advance(50)
    }
    expect(counts).toEqual([1, 0, 1, 0])
  })

  test('in a month ends with the month (UTC)', async () => {
    world.clock.set(new Date('2027-01-31T23:59:59Z'))
    const { ids, polls, connection } = await due(5, { ...limitless, requestsPerMonth: 3 })
    expect(await polls()).toHaveLength(3)
    expect(await polls()).toEqual([])
    world.clock.advance(1_000)
    expect(await polls()).toEqual(ids.slice(3).toSorted())
    expect(await connection()).toMatchObject({ budgetMonth: '2027-02', monthRequests: 2 })
  })

  test('after a 429 is nothing until its time is over', async () => {
    const { ids, polls, connectionId } = await due(2, limitless, { blockedUntil: new Date(now().getTime() + 60_000) })
    await collectable(connectionId)
    expect(await polls()).toEqual([])
    expect((await claimCollections(world.db, now())).ids).toEqual([])
    world.clock.advance(60_000)
    expect(await polls()).toEqual(ids.toSorted())
  })

  test('while it is paused is one probe every few minutes', async () => {
    const { ids, polls, connectionId } = await due(3, limitless, { pausedAt: now(), nextProbeAt: now() })
    await collectable(connectionId)
    expect((await claimCollections(world.db, now())).ids).toEqual([])
    expect(await polls()).toEqual(ids.slice(0, 1))
    await releasePolls(world.db, ids)
    world.clock.advance(probeIntervalMs - 1)
    expect(await polls()).toEqual([])
    world.clock.advance(1)
    expect(await polls()).toHaveLength(1)
  })

  test('while it is paused is a probe by a collection, where no poll is due', async () => {
    const { polls, connectionId } = await due(0, limitless, { pausedAt: now(), nextProbeAt: now() })
    const { id } = await collectable(connectionId)
    expect(await polls()).toEqual([])
    expect((await claimCollections(world.db, now())).ids).toEqual([id])
    expect((await claimCollections(world.db, now())).ids).toEqual([])
  })

  test('while it is paused is a probe by what wasn’t refused itself, though it is due later', async () => {
    const { ids, polls, connectionId, connection } = await due(3, limitless, { pausedAt: now(), nextProbeAt: now() })
    const [first = '', second = '', third = ''] = ids
    const refuse = (id: string) => world.db.update(imports).set({ refusedSince: now() }).where(eq(imports.id, id))
    await refuse(first)
    expect(await polls()).toEqual([second])
    await Promise.all([refuse(second), refuse(third), releasePolls(world.db, ids)])
    const { id: collection } = await collectable(connectionId)
    world.clock.advance(probeIntervalMs)
    expect(await polls()).toEqual([])
    expect((await claimCollections(world.db, now())).ids).toEqual([collection])
    expect((await connection())?.nextProbeAt).toEqual(new Date(now().getTime() + probeIntervalMs))
    world.clock.advance(probeIntervalMs) // and if all were, in turn
    expect(await polls()).toEqual([first])
  })

  test('after a wait comes back one by one, each at its place', async () => {
    const spreadFrom = now()
    const spreadUntil = new Date(now().getTime() + 10_000)
    const { ids, polls } = await due(200, limitless, { blockedUntil: spreadFrom, spreadFrom, spreadUntil })
    const counts: number[] = []
    for (let second = 0; second < 10; second++) {
      counts.push((await polls()).length)
      world.clock.advance(1_000)
    }
    counts.push((await polls()).length)
    expect(counts.reduce((sum, count) => sum + count)).toBe(ids.length)
    expect(counts[0]).toBeLessThan(5)
    for (const count of counts) expect(count).toBeLessThan(50)
  })

  test('holds up no other connection', async () => {
    const full = await due(3, { maxInFlight: 1 })
    const other = await world.connection({ limits: limitless })
    const { id } = await world.tracked({ connectionId: other.id, nextPollAt: now() })
    expect(await full.polls()).toEqual([full.ids[0], id].toSorted())
  })
})

test('who claims is told whether more may start soon', async () => {
  const claim = () => claimPolls(world.db, now())
  await due(3, { ...limitless, requestsPerSecond: 10 })
  expect(await claim()).toMatchObject({ saturated: true })
  await due(3, limitless)
  expect(await claim()).toMatchObject({ saturated: false })
  await due(3, { ...limitless, requestsPerMonth: 1 })
  await claim()
  expect(await claim()).toMatchObject({ saturated: false })
  await due(3, limitless, { pausedAt: now() })
  expect(await claim()).toMatchObject({ saturated: false })
})
