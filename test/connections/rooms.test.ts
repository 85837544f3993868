import { eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { createBaselines } from '../../src/baselines/read.ts'
import { beginCollections } from '../../src/collecting/begin.ts'
import { oldestDue as oldestCollection } from '../../src/collecting/work.ts'
import type { ConnectionAccess } from '../../src/connections/access.ts'
import { probeIntervalMs } from '../../src/connections/pause.ts'
import { type ConnectionWork, connectionsToServe } from '../../src/connections/rooms.ts'
import { type connections, imports, leases, polling } from '../../src/db/schema/index.ts'
import type { StoredLimits } from '../../src/model/limits.ts'
import { beginPolls } from '../../src/polling/begin.ts'
import { oldestDue as oldestPoll } from '../../src/polling/work.ts'
import { cdq } from '../../src/providers/cdq.ts'
import { leaseMs, takeLeases } from '../../src/work/leases.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const now = () => world.clock.now()
const limitless = { maxInFlight: 1_000 }
const deps = {
  accesses: {
    open: async (_db: unknown, rows: readonly { id: string }[]) =>
      new Map(
        rows.map(({ id }) => [id, { id, provider: cdq, baselineBy: [] as string[] } as unknown as ConnectionAccess]),
      ),
    load: async () => new Map<string, ConnectionAccess>(),
  },
  baselines: createBaselines(),
}

/** One who serves connections by one kind of work: what it begins is under way until it is said to have ended. */
function worker(kind: ConnectionWork, connectionIds: readonly string[], most = 10_000) {
  const underWay = new Map(connectionIds.map((id) => [id, new Map<string, unknown>()]))
  const begin = kind === 'poll' ? beginPolls : beginCollections
  const write = (size: number, ownerId: string) =>
    sql`UPDATE leases SET size = ${size}, until = ${after(now(), leaseMs)} WHERE kind = ${kind} AND owner_id = ${ownerId}`
  return {
    begin: () =>
      world.db.transaction(async (tx) => {
        await takeLeases(tx, kind, connectionIds, now())
        const owners = [...underWay].map(([id, items]) => ({
          id,
          underWay: items as Map<string, never>,
          isQuick: false,
        }))
        const begun = await begin(deps, tx, { owners, most, now: now() })
        for (const item of begun.items) underWay.get(item.ownerId)?.set(item.id, item)
        for (const [ownerId, { size }] of underWay) await tx.execute(write(size, ownerId))
        return { ids: begun.items.map(({ id }) => id), next: begun.next }
      }),
    /** They end without being recorded. */
    async end(ids: readonly string[]) {
      for (const items of underWay.values()) for (const id of ids) items.delete(id)
      for (const [ownerId, { size }] of underWay) await world.db.execute(write(size, ownerId))
    },
  }
}

const toServe = (kind: ConnectionWork) =>
  connectionsToServe(
    world.db,
    { kind, oldestDue: kind === 'poll' ? oldestPoll(now()) : oldestCollection(now()), limit: 1_000 },
    now(),
  )

/** Imports of a connection of their own, due in this order, and workers that serve it alone. */
async function due(count: number, limits: StoredLimits, columns: Partial<typeof connections.$inferInsert> = {}) {
  for (const table of [polling, leases]) await world.db.delete(table) // so that tests don't meet
  await world.db.update(imports).set({ nextCollectAt: null })
  const { id: connectionId } = await world.connection({ limits, ...columns })
  const ids: string[] = []
  for (let index = count; index > 0; index--) {
    const nextPollAt = new Date(now().getTime() - index)
    ids.push((await world.import({ connectionId, nextPollAt })).id)
  }
  const [poller, collector] = [worker('poll', [connectionId]), worker('collect', [connectionId])]
  const polls = async () => (await poller.begin()).ids.toSorted()
  const collections = async () => (await collector.begin()).ids.toSorted()
  const connection = () => world.connectionRow(connectionId)
  return { ids, connectionId, poller, collector, polls, collections, connection }
}

const collectable = (connectionId: string) => world.import({ connectionId, state: 'partial', nextCollectAt: now() })

describe('due work', () => {
  test('is begun once, the longest due first', async () => {
    const { ids, polls, poller } = await due(5, { maxInFlight: 3 })
    expect(await polls()).toEqual(ids.slice(0, 3).toSorted())
    expect(await polls()).toEqual([])
    await poller.end(ids.slice(1, 3))
    expect(await polls()).toEqual(ids.slice(1, 3).toSorted())
  })

  test.each(['poll', 'collect'] as const)(
    'has its connection served by one worker at a time, and by another one when the lease is over: %s',
    async (kind) => {
      const { connectionId } = await due(1, limitless)
      await collectable(connectionId)
      expect(await toServe(kind)).toEqual([connectionId])
      await takeLeases(world.db, kind, [connectionId], now())
      world.clock.advance(leaseMs - 1)
      expect(await toServe(kind)).toEqual([])
      world.clock.advance(1)
      expect(await toServe(kind)).toEqual([connectionId])
    },
  )

  test('is found of the connection that has waited for the longest first', async () => {
    const { ids, connectionId } = await due(1, limitless)
    const { id: later } = await world.connection({ limits: limitless })
    const { id: earlier } = await world.connection({ limits: limitless })
    await world.import({ connectionId: later, nextPollAt: now() })
    await world.import({ connectionId: earlier, nextPollAt: after(now(), -60_000) })
    expect(ids).toHaveLength(1)
    expect(await toServe('poll')).toEqual([earlier, connectionId, later])
  })

  test('is shared out among those who begin at once, and nobody spends more than there is', async () => {
    const { connectionId, polls, collections, connection } = await due(60, { ...limitless, requestsPerMonth: 40 })
    for (let count = 0; count < 30; count++) await collectable(connectionId)
    const begun = await Promise.all([polls(), collections(), polls(), collections()])
    expect(begun.flat()).toHaveLength(40)
    expect(new Set(begun.flat()).size).toBe(40)
    expect(await connection()).toMatchObject({ monthRequests: 40 })
  })

  test.each([
    ['a day', { requestsPerDay: 40 }, { dayRequests: 40 }, 40],
    ['a minute', { requestsPerMinute: 6_000 }, { monthRequests: 9 }, 9],
  ])(
    'stays within the budget of %s, though polls and collections begin at once',
    async (_window, limit, spent, most) => {
      const { connectionId, polls, collections, connection } = await due(60, { ...limitless, ...limit })
      for (let count = 0; count < 30; count++) await collectable(connectionId)
      const begun = (await Promise.all([polls(), collections(), polls(), collections()])).flat()
      begun.push(...(await polls())) // which may have found the connection taken
      expect(new Set(begun).size).toBe(most)
      expect(begun).toHaveLength(most)
      expect(await connection()).toMatchObject(spent)
    },
  )

  test('has no more under way than is allowed, though polls and collections begin at once', async () => {
    const { connectionId, polls, collections } = await due(20, { maxInFlight: 7 })
    for (let count = 0; count < 20; count++) await collectable(connectionId)
    await takeLeases(world.db, 'poll', [connectionId], now())
    await takeLeases(world.db, 'collect', [connectionId], now())
    const begun = await Promise.all([polls(), collections()])
    expect(begun.flat()).toHaveLength(7)
  })

  test('of a deleted connection is nobody’s', async () => {
    const { polls } = await due(1, limitless, { deletedAt: now() })
    expect(await toServe('poll')).toEqual([])
    expect(await polls()).toEqual([])
  })
})

describe('what a connection allows', () => {
  test('in flight counts polls and collections together', async () => {
    const { ids, polls, collections, connectionId } = await due(3, { maxInFlight: 2 })
    const { id } = await collectable(connectionId)
    expect(await collections()).toEqual([id])
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
    world.clock.advance(1_000 + 100) // and a tenth of the wait, over which they come back
    expect(await polls()).toEqual(ids.slice(3).toSorted())
    expect(await connection()).toMatchObject({ budgetMonth: '2027-02', monthRequests: 2 })
  })

  test('after a 429 is nothing until its time is over', async () => {
    const blockedUntil = after(now(), 60_000)
    const { ids, polls, collections, connectionId } = await due(2, limitless, { blockedUntil })
    await collectable(connectionId)
    expect(await polls()).toEqual([])
    expect(await collections()).toEqual([])
    world.clock.advance(60_000)
    expect(await polls()).toEqual(ids.toSorted())
  })

  test('while it is paused is one probe every few minutes', async () => {
    const paused = { pausedAt: now(), nextProbeAt: now() }
    const { ids, polls, collections, poller, connectionId } = await due(3, limitless, paused)
    await collectable(connectionId)
    expect(await collections()).toEqual([])
    expect(await polls()).toEqual(ids.slice(0, 1))
    await poller.end(ids)
    world.clock.advance(probeIntervalMs - 1)
    expect(await polls()).toEqual([])
    world.clock.advance(1)
    expect(await polls()).toHaveLength(1)
  })

  test('while it is paused is a probe by a collection, where no poll is due', async () => {
    const paused = { pausedAt: now(), nextProbeAt: now() }
    const { polls, collections, connectionId } = await due(0, limitless, paused)
    const { id } = await collectable(connectionId)
    expect(await polls()).toEqual([])
    expect(await collections()).toEqual([id])
    expect(await collections()).toEqual([])
  })

  test('while it is paused is a probe by what wasn’t refused itself, though it is due later', async () => {
    const paused = { pausedAt: now(), nextProbeAt: now() }
    const { ids, polls, collections, poller, collector, connectionId, connection } = await due(3, limitless, paused)
    const [first = '', second = '', third = ''] = ids
    const refuse = (id: string) => world.db.update(imports).set({ refusedSince: now() }).where(eq(imports.id, id))
    await refuse(first)
    expect(await polls()).toEqual([second])
    await Promise.all([refuse(second), refuse(third), poller.end(ids)])
    const { id: collection } = await collectable(connectionId)
    world.clock.advance(probeIntervalMs)
    expect(await polls()).toEqual([])
    expect(await collections()).toEqual([collection])
    expect((await connection())?.nextProbeAt).toEqual(new Date(now().getTime() + probeIntervalMs))
    const detailsError = { code: 'forbidden', message: 'No.', at: now().toISOString() }
    await world.db.update(imports).set({ detailsError }).where(eq(imports.id, collection))
    await collector.end([collection])
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
    const { id } = await world.import({ connectionId: other.id, nextPollAt: now() })
    expect((await toServe('poll')).toSorted()).toEqual([full.connectionId, other.id].toSorted())
    const both = worker('poll', [full.connectionId, other.id])
    expect((await both.begin()).ids.toSorted()).toEqual([full.ids[0], id].toSorted())
  })

  test('is waited for by nobody who could serve it', async () => {
    const { connectionId } = await due(3, { maxInFlight: 1 })
    await world.served('collect', connectionId, 1)
    expect(await toServe('poll')).toEqual([])
  })
})

test('a connection that somebody is changing is tried again in a moment, and holds up no other', async () => {
  const { polls, connectionId, poller } = await due(2, limitless)
  await world.db.transaction(async (tx) => {
    await tx.execute(sql`SELECT FROM connections WHERE id = ${connectionId} FOR UPDATE`)
    const begun = await poller.begin()
    expect(begun.ids).toEqual([])
    expect(begun.next.get(connectionId)?.getTime()).toBe(now().getTime() + 50)
  })
  expect(await polls()).toHaveLength(2)
})

test('who begins is told when more may begin', async () => {
  const next = async (limits: StoredLimits, columns: Partial<typeof connections.$inferInsert> = {}) => {
    const { poller, connectionId } = await due(3, limits, columns)
    const at = (await poller.begin()).next.get(connectionId)
    return at && at.getTime() - now().getTime()
  }
  expect(await next({ ...limitless, requestsPerSecond: 10 })).toBe(100)
  expect(await next(limitless)).toBeUndefined()
  expect(await next({ maxInFlight: 1 })).toBeUndefined()
  world.clock.set(new Date('2027-03-31T23:00:00Z'))
  expect(await next({ ...limitless, requestsPerMonth: 1 })).toBe(3_600_000)
  expect(await next(limitless, { pausedAt: now() })).toBe(probeIntervalMs)
  const { connectionId, poller } = await due(0, limitless)
  await world.import({ connectionId, nextPollAt: after(now(), 700) })
  expect((await poller.begin()).next).toEqual(new Map([[connectionId, after(now(), 700)]]))
})

test.each(['poll', 'collect'] as const)(
  'where a process has no room for one each, those get none that come last in turn: %s',
  async (kind) => {
    const ids = [(await due(5, limitless)).connectionId]
    for (let count = 0; count < 2; count++) {
      const { id: connectionId } = await world.connection({ limits: limitless })
      ids.push(connectionId)
      for (let each = 0; each < 5; each++) await world.import({ connectionId, nextPollAt: now() })
    }
    for (const id of ids) for (let each = 0; each < 5; each++) await collectable(id)
    for (const turn of [ids, ids.toReversed()]) {
      await world.db.delete(leases)
      const begun = await worker(kind, turn, 1).begin()
      expect(begun.ids).toHaveLength(1)
      expect((await world.importRow(begun.ids[0] ?? '')).connectionId).toBe(turn[0])
      expect(begun.next).toEqual(new Map(turn.map((id) => [id, now()]))) // more may begin when there is room
    }
  },
)
