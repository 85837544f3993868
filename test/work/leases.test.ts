import { afterAll, beforeAll, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { endLeases, leaseMs, lockLeases, readLeases, renewLeases, takeLeases } from '../../src/work/leases.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database?.close())

const start = new Date('2026-03-01T12:00:00.000Z')
const take = (ownerIds: readonly string[], now = start) => takeLeases(database.db, 'poll', ownerIds, now)
async function taken(now = start) {
  const ownerId = newId()
  const [lease] = await take([ownerId], now)
  if (!lease) throw new Error('nothing was leased')
  return lease
}

test('an owner has one lease for each kind of work', async () => {
  const { ownerId } = await taken()
  expect(await take([ownerId])).toEqual([])
  expect(await takeLeases(database.db, 'collect', [ownerId], start)).toMatchObject([{ ownerId }])
})

test('of many who take at once one has it', async () => {
  const owners = Array.from({ length: 20 }, newId)
  const takers = Array.from({ length: 8 }, (_, index) => take(index % 2 === 0 ? owners : owners.toReversed()))
  const all = (await Promise.all(takers)).flat()
  expect(all.map(({ ownerId }) => ownerId).toSorted()).toEqual(owners.toSorted())
})

test('one that is over is taken under another id, and is nobody’s before', async () => {
  const { id, ownerId } = await taken()
  const over = after(start, leaseMs)
  expect(await take([ownerId], after(over, -1))).toEqual([])
  expect(await readLeases(database.db, [id], after(over, -1))).toEqual([{ id, ownerId }])
  expect(await readLeases(database.db, [id], over)).toEqual([])
  const [next] = await take([ownerId], over)
  expect(next?.id).not.toBe(id)
  expect(await readLeases(database.db, [id], over)).toEqual([])
  expect(await lockIt(id, over)).toEqual([])
  await endLeases(database.db, [id]) // whoever lost it ends nothing of the other one’s
  expect(await lockIt(next?.id ?? '', over)).toEqual([next?.id])
})

const lockIt = async (id: string, now: Date) => [...(await database.db.transaction((tx) => lockLeases(tx, [id], now)))]

test('one that is locked can’t be taken over before the transaction ends', async () => {
  const { id, ownerId } = await taken()
  const over = after(start, leaseMs)
  const order: string[] = []
  let takenOver: Promise<unknown> | undefined
  await database.db.transaction(async (tx) => {
    expect(await lockLeases(tx, [id], after(over, -1))).toEqual(new Set([id]))
    takenOver = take([ownerId], over).then((found) => order.push(`${found.length} taken over`))
    await waitForLock()
    order.push('recorded')
  })
  await takenOver
  expect(order).toEqual(['recorded', '1 taken over'])
})

/** Resolves when another connection waits for a lock. */
async function waitForLock(): Promise<void> {
  for (;;) {
    const { rows } = await database.pool.query(
      'SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = $1',
      ['Lock'],
    )
    if (rows.length > 0) return
  }
}

test('those that go on are renewed, those that don’t are ended, and what is over stays over', async () => {
  const [goesOn, ends, over] = [await taken(), await taken(), await taken(after(start, -leaseMs))]
  const now = after(start, 10_000)
  const goOn = [
    { id: goesOn.id, size: 7 },
    { id: over.id, size: 1 },
  ]
  expect(await renewLeases(database.db, { goOn, end: [ends.id] }, now)).toEqual(new Set([goesOn.id]))
  const { rows } = await database.pool.query('SELECT id, size, until FROM leases WHERE id = ANY($1)', [
    [goesOn.id, ends.id, over.id],
  ])
  expect(rows).toHaveLength(2)
  expect(rows).toContainEqual({ id: goesOn.id, size: 7, until: after(now, leaseMs) })
  expect(rows).toContainEqual({ id: over.id, size: 0, until: start })
})
