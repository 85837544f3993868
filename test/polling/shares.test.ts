// Owns what imports get of a budget that is too small for what they want.
import { eq } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { connections } from '../../src/db/schema/index.ts'
import { tellWaiting } from '../../src/imports/attention-unasked.ts'
import { loseOverdue } from '../../src/imports/end-unasked.ts'
import { type Registered, registerImports } from '../../src/imports/register.ts'
import { useWorld } from '../support/worlds/world.ts'
import { callsOfEach, passesOf } from './passes.ts'

const world = useWorld()
const now = () => world.clock.now()

async function runningImports(count: number, connectionId: string, columns: { registeredAt?: Date } = {}) {
  const ids: string[] = []
  for (let index = 0; index < count; index++)
    ids.push((await world.import({ connectionId, deadlineAt: after(now(), 86_400_000), ...columns })).id)
  return ids
}

const connectionRow = async (id: string) => {
  const [row] = await world.db.select().from(connections).where(eq(connections.id, id))
  if (!row) throw new Error('no such connection')
  return row
}
const version = async (id: string) =>
  (await world.database.pool.query('SELECT xmin::text FROM connections WHERE id = $1', [id])).rows[0].xmin

test('of a second: everybody is slowed down in proportion, and says so once', { timeout: 240_000 }, async () => {
  const limits = { requestsPerSecond: 0.5, maxInFlight: 100, minIntervalMs: 1_000 }
  const { id } = await world.connection({ limits })
  const old = await runningImports(10, id, { registeredAt: after(now(), -3_600_000) }) // once in two minutes
  const young = await runningImports(40, id, { registeredAt: after(now(), -100_000) }) // once in twenty seconds, at first
  const worker = passesOf(world, () => [id])
  await worker.run({ forMs: 900_000, stepMs: 1_000 })
  expect(worker.calls.length).toBeLessThanOrEqual(452)
  expect(worker.calls.length).toBeGreaterThan(400)
  const [ofOld, ofYoung] = [callsOfEach(worker.calls, old), callsOfEach(worker.calls, young)]
  expect(Math.min(...ofOld)).toBeGreaterThanOrEqual(2)
  expect(Math.min(...ofYoung)).toBeGreaterThan(Math.max(...ofOld))
  expect(Math.max(...ofYoung) - Math.min(...ofYoung)).toBeLessThanOrEqual(4)
  const [one = ''] = young
  expect(await world.importRow(one)).toMatchObject({ attention: 'budget' })
  expect(await world.eventTypesOf(one)).toEqual(['import.running', 'import.attention'])
})

test('of a month: every import gets as many calls, and none more than there are', { timeout: 240_000 }, async () => {
  world.clock.set(new Date('2026-03-10T12:00:00Z'))
  const limits = { requestsPerMonth: 60, maxInFlight: 100, minIntervalMs: 1_000, maxIntervalMs: 5_000 }
  const { id } = await world.connection({ limits })
  const ids = await runningImports(10, id)
  const worker = passesOf(world, () => [id])
  await worker.run({ forMs: 600_000, stepMs: 1_000 })
  const each = callsOfEach(worker.calls, ids)
  expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(1)
  expect(worker.calls.length).toBeLessThanOrEqual(60)
  expect(worker.calls.length).toBeGreaterThan(30)
  expect(await connectionRow(id)).toMatchObject({ monthRequests: worker.calls.length })
})

test('a month that is used up delays no deadline, and what waits says so', async () => {
  world.clock.set(new Date('2026-03-10T12:00:00Z'))
  const { id } = await world.connection({ limits: { requestsPerMonth: 3, maxInFlight: 100 } })
  const ids = await runningImports(5, id)
  const [lost = '', ...others] = [
    (await world.import({ connectionId: id, nextPollAt: after(now(), 1), deadlineAt: after(now(), 60_000) })).id,
    ...ids,
  ]
  const worker = passesOf(world, () => [id])
  expect(await worker.pass()).toBe(3)
  expect(await connectionRow(id)).toMatchObject({ usedUpUntil: new Date('2026-04-01T00:00:00Z') })
  world.clock.advance(59_999)
  expect(await loseOverdue(world)).toBe(0)
  expect(await tellWaiting(world)).toBe(3) // two that were due with the three, and the one that is due since
  expect(await tellWaiting(world)).toBe(0)
  const shown = await Promise.all(others.map(async (one) => (await world.importRow(one)).attention))
  expect(shown.every((attention) => attention === 'budget')).toBe(true)
  world.clock.advance(1)
  expect(await loseOverdue(world)).toBe(1)
  expect(await world.importRow(lost)).toMatchObject({ state: 'lost', lostReason: 'deadline', finishedAt: now() })
  expect(await world.eventTypesOf(lost)).toEqual(['import.attention', 'import.lost'])
})

test.each([
  ['there is more again', { requestsPerSecond: 100 }],
  ['there is no limit any more', {}],
])('where %s, those who were put off come sooner', async (_what, more) => {
  const roomy = { maxInFlight: 100, maxIntervalMs: 10_000 }
  const { id } = await world.connection({ limits: { ...roomy, requestsPerSecond: 0.02 } })
  const [first = ''] = await runningImports(20, id, { registeredAt: after(now(), -3_600_000) })
  const worker = passesOf(world, () => [id])
  await worker.run({ forMs: 60_000, stepMs: 1_000 })
  expect((await connectionRow(id)).stretch).toBeGreaterThan(10)
  const polled = await world.importRow(worker.calls[0]?.importId ?? first)
  expect(polled.nextPollAt?.getTime()).toBeGreaterThan(now().getTime() + 60_000)
  const changed = { limits: { ...roomy, ...more }, stretchUntil: null, nextRequestAt: null } // as a PUT does
  await world.db.update(connections).set(changed).where(eq(connections.id, id))
  await worker.pass()
  expect((await connectionRow(id)).stretch).toBe(1)
  expect((await world.importRow(polled.id)).nextPollAt?.getTime()).toBeLessThanOrEqual(now().getTime() + 10_000)
})

test('registering what the month can’t carry to an end says so, and what it can doesn’t', async () => {
  world.clock.set(new Date('2026-03-10T12:00:00Z'))
  const scarce = await world.connection({ limits: { requestsPerMonth: 50 }, budgetMonth: '2026-03', monthRequests: 5 })
  const register = async (connection: string, jobs: number) => {
    const batch = Array.from({ length: jobs }, () => ({ connection, jobId: newId() }))
    const registered = (await registerImports(world, batch)) as Registered[]
    return Promise.all(registered.map(async ({ importId }) => (await world.importRow(importId)).attention))
  }
  expect(await register(scarce.name, 2)).toEqual([null, null]) // 40 calls of 45
  expect(await register(scarce.name, 2)).toEqual(['budget', 'budget'])
  expect(await register((await world.connection()).name, 3)).toEqual([null, null, null])
  const used = { budgetDay: '2026-03-10', dayRequests: 10 }
  const [over] = await register((await world.connection({ limits: { requestsPerDay: 10 }, ...used })).name, 1)
  expect(over).toBe('budget')
})

test('a connection without limits is not even written', async () => {
  const { id } = await world.connection({ limits: { maxInFlight: 100 } })
  await runningImports(5, id)
  const before = await version(id)
  const worker = passesOf(world, () => [id])
  await worker.run({ forMs: 30_000, stepMs: 1_000 })
  expect(worker.calls.length).toBeGreaterThan(5)
  expect(await version(id)).toBe(before)
})
