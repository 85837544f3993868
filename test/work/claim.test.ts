import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { leases } from '../../src/db/schema/index.ts'
import { openQueues, type Queues } from '../../src/queue/queues.ts'
import { type Claimable, claim } from '../../src/work/claim.ts'
import { endLeases, leaseMs } from '../../src/work/leases.ts'
import { manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { describeEachStore } from '../support/stores.ts'

describeEachStore('claiming', (store) => {
  const clock = manualClock()
  const opened = new AsyncDisposableStack()
  let database: TestDatabase
  let queues: Queues
  let redisUrl: string | null

  beforeAll(async () => {
    database = await createTestDatabase()
    opened.defer(() => database.close())
    const queue = await store.open()
    redisUrl = queue.redisUrl
    opened.defer(() => queue.close())
    queues = open()
  })
  afterAll(() => opened.disposeAsync())

  function open(): Queues {
    const one = openQueues({ redisUrl, databaseUrl: database.url, installationId: 'test', onError: () => {} })
    opened.defer(() => one.close())
    return one
  }
  /** Of these owners something is due, whoever serves them. */
  const kindOf = (owners: readonly string[]): Claimable => ({
    name: 'poll',
    due: async (_db, _now, limit) => owners.slice(0, limit),
  })
  const claimOf = (owners: readonly string[], by = queues) =>
    claim(kindOf(owners), { db: database.db, clock, queues: by })
  const waiting = async () => (await queues.all.poll.getWaiting()).map(({ data }) => data.leaseId).toSorted()
  const stored = async (owners: readonly string[]) =>
    (await database.db.select().from(leases)).filter(({ ownerId }) => owners.includes(ownerId))
  const clear = () => queues.all.poll.obliterate({ force: true })

  test('makes one job of each owner, however many processes claim at once', async () => {
    const owners = Array.from({ length: 30 }, newId)
    const other = open()
    await Promise.all([claimOf(owners), claimOf(owners, other), claimOf(owners), claimOf(owners, other)])
    const found = await stored(owners)
    expect(found).toHaveLength(30)
    expect(await waiting()).toEqual(found.map(({ id }) => id).toSorted())
    await clear()
  })

  test('gives back what it can’t enqueue', async () => {
    const owners = [newId(), newId()]
    const poll = Object.create(queues.all.poll) as typeof queues.all.poll
    let leased = 0
    poll.addBulk = async () => {
      leased = (await stored(owners)).length
      throw new Error('the store is away')
    }
    await expect(claimOf(owners, { ...queues, all: { ...queues.all, poll } })).rejects.toThrow('the store is away')
    expect([leased, await stored(owners)]).toEqual([2, []])
    await claimOf(owners)
    expect(await waiting()).toHaveLength(2)
    await clear()
  })

  test('leases an owner again, under another id, whose worker has died', async () => {
    const owners = [newId()]
    await claimOf(owners)
    const [first] = await stored(owners)
    clock.advance(leaseMs - 1)
    await claimOf(owners)
    expect(await stored(owners)).toEqual([first])
    clock.advance(1)
    await claimOf(owners)
    const [second] = await stored(owners)
    expect(second?.id).not.toBe(first?.id)
    expect(await waiting()).toEqual([first?.id, second?.id].toSorted())
    await clear()
  })

  test('has owners in trouble served after the others, and takes few of them at a time', async () => {
    const owners = [newId(), newId()]
    const troubled = Array.from({ length: 50 }, newId)
    const kind: Claimable = { ...kindOf(owners), dueInTrouble: async (_db, _now, limit) => troubled.slice(0, limit) }
    const deps = { db: database.db, clock, queues }
    expect(await claim(kind, deps, { inTrouble: false })).toBe(true)
    expect([await stored(owners), await stored(troubled)]).toMatchObject([{ length: 2 }, []])
    await clear()
    await endLeases(
      database.db,
      (await stored(owners)).map(({ id }) => id),
    )
    const late = [newId()]
    expect(await claim({ ...kind, due: async () => [] }, deps)).toBe(true)
    expect(await claim({ ...kindOf([...owners, ...late]) }, deps)).toBe(false)
    const few = await stored(troubled)
    expect(few.length).toBeLessThan(50)

    const taken: string[] = []
    const worker = open().work('poll', async ({ leaseId }) => void taken.push(leaseId), { concurrency: 1 })
    await vi.waitFor(() => expect(taken).toHaveLength(few.length + 3), 10_000)
    await worker.drain()
    const first = (await stored([...owners, ...late])).map(({ id }) => id)
    expect(taken.slice(0, 3).toSorted()).toEqual(first.toSorted())
  })

  test('leaves as much waiting as workers take in time, and says where there is more', async () => {
    const owners = Array.from({ length: 1_500 }, newId)
    expect(await claimOf(owners)).toBe(true)
    expect(await claimOf(owners)).toBe(false)
    expect(await waiting()).toHaveLength(1_000)
    expect(await stored(owners)).toHaveLength(1_000)
    await clear()
    expect(await claimOf(owners.slice(1_000))).toBe(false)
    expect(await waiting()).toHaveLength(500)
  })
})
