import { eq } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { createTally } from '../../src/budget/tally.ts'
import { connections } from '../../src/db/schema/index.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const spentBy = async (id: string) => {
  const [row] = await world.db.select().from(connections).where(eq(connections.id, id))
  return { month: row?.budgetMonth, requests: row?.monthRequests }
}

test('requests of several processes add up, and begin anew with the month', async () => {
  const { id } = await world.connection()
  const tallies = [createTally(world), createTally(world)]
  for (const tally of tallies) for (let count = 0; count < 3; count++) tally.count(id)
  await Promise.all(tallies.map((tally) => tally.flush()))
  await Promise.all(tallies.map((tally) => tally.flush())) // what the other one had locked
  expect(await spentBy(id)).toEqual({ month: '2026-03', requests: 6 })
  world.clock.set(new Date('2026-04-01T00:00:00Z'))
  tallies[0]?.count(id)
  await tallies[0]?.flush()
  expect(await spentBy(id)).toEqual({ month: '2026-04', requests: 1 })
})

test('what can’t be written is kept for the next time, and nothing is written twice', async () => {
  const { id } = await world.connection()
  const tally = createTally(world)
  tally.count(id)
  await world.db.transaction(async (tx) => {
    await tx.select().from(connections).where(eq(connections.id, id)).for('update')
    await tally.flush()
  })
  expect(await spentBy(id)).toMatchObject({ requests: 0 })
  await tally.flush()
  await tally.flush()
  expect(await spentBy(id)).toMatchObject({ requests: 1 })
})
