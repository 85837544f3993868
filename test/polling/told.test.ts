// Owns what is told of imports beside their state: when they are likely to end, how long they usually take, how late
// their end was seen, and that they take too long.
import { eq } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { showConnection } from '../../src/connections/show.ts'
import { connections, polling } from '../../src/db/schema/index.ts'
import { tellOverdue } from '../../src/imports/attention-unasked.ts'
import { getImport } from '../../src/imports/read.ts'
import { registerImport } from '../../src/imports/register.ts'
import { useWorld } from '../support/worlds/world.ts'
import { passesOf, says } from './passes.ts'

const world = useWorld()
const now = () => world.clock.now()
const minute = 60_000
const limits = { maxInFlight: 100, minIntervalMs: 2_000, maxIntervalMs: 30_000 }

/** When each import ends, by its id. Others go on. */
const ends = new Map<string, number>()

const workerOf = (connectionId: string) =>
  passesOf(
    world,
    () => [connectionId],
    ({ id }) => says((ends.get(id) ?? Number.POSITIVE_INFINITY) <= now().getTime() ? { state: 'succeeded' } : {}),
  )

/** Imports that took about so long each, polled to their ends. */
async function finished(count: number, connectionId: string, durationMs: number, metadata = {}): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    const { id } = await world.import({ connectionId, metadata, deadlineAt: after(now(), 86_400_000) })
    ends.set(id, now().getTime() + durationMs * (0.9 + (0.2 * index) / count))
    ids.push(id)
  }
  await workerOf(connectionId).run({ forMs: 1.5 * durationMs + minute, stepMs: 2_000 })
  return ids
}

async function connectionOf(id: string) {
  const [row] = await world.db.select().from(connections).where(eq(connections.id, id))
  if (!row) throw new Error('no such connection')
  return row
}

const msFromNow = (time: string | undefined) => Date.parse(time ?? '') - now().getTime()

test('an import says when it is likely to end, from its registration on', async () => {
  const { id: connectionId, name } = await world.connection({ limits })
  const [first = ''] = await finished(25, connectionId, 5 * minute)
  const ended = await getImport(world, first)
  expect(ended).toMatchObject({ state: 'succeeded', eta: null })
  expect(ended.detectionGapMs).toBeGreaterThan(0)
  expect(ended.detectionGapMs).toBeLessThanOrEqual(34_000)
  expect((ended.usualDurationMs ?? 0) / minute).toBeCloseTo(5, 0)
  const shown = await showConnection(world.db, await connectionOf(connectionId), now())
  expect(shown.usualDurationMs).toBe(ended.usualDurationMs)

  const { importId } = await registerImport(world, { connection: name, jobId: newId() })
  const registered = await getImport(world, importId)
  expect(registered).toMatchObject({ polls: 0, detectionGapMs: null, usualDurationMs: ended.usualDurationMs })
  expect(msFromNow(registered.eta?.at) / minute).toBeCloseTo(5, 0)
  const worker = workerOf(connectionId)
  await worker.run({ forMs: 2 * minute, stepMs: 2_000 })
  const { eta } = await getImport(world, importId)
  expect(msFromNow(eta?.at) / minute).toBeCloseTo(3, 0)
  expect(msFromNow(eta?.earliest)).toBeLessThan(msFromNow(eta?.at))
  expect(msFromNow(eta?.latest)).toBeGreaterThan(msFromNow(eta?.at))

  world.clock.advance(60 * minute) // nobody polls
  const late = await getImport(world, importId)
  expect(late.eta?.at).toBe(now().toISOString())
  await worker.pass()
  expect(msFromNow((await getImport(world, importId)).eta?.at)).toBeGreaterThan(minute)
})

test('nothing is foreseen where nothing is known', async () => {
  const { name } = await world.connection({ limits })
  const { importId } = await registerImport(world, { connection: name, jobId: newId() })
  expect(await getImport(world, importId)).toMatchObject({ eta: null, usualDurationMs: null, detectionGapMs: null })
})

test('imports of a kind show what is usual for that kind', async () => {
  const { id: connectionId, name } = await world.connection({ limits, baselineBy: ['source'] })
  await finished(5, connectionId, minute, { source: 'delta' })
  await finished(5, connectionId, 10 * minute, { source: 'full' })
  const usualOf = async (metadata: Record<string, unknown>) => {
    const { importId } = await registerImport(world, { connection: name, jobId: newId(), metadata })
    const { usualDurationMs, eta } = await getImport(world, importId)
    return [Math.round((usualDurationMs ?? 0) / minute), Math.round(msFromNow(eta?.at) / minute)]
  }
  expect(await usualOf({ source: 'delta' })).toEqual([1, 1])
  expect(await usualOf({ source: 'full' })).toEqual([10, 10])
})

test('an import that takes too long is overdue, told once, and polled as before', async () => {
  const { id: connectionId } = await world.connection({ limits })
  await finished(25, connectionId, 2 * minute)
  const { id } = await world.import({ connectionId, deadlineAt: after(now(), 86_400_000) })
  const worker = workerOf(connectionId)
  await worker.run({ forMs: 2 * minute, stepMs: 2_000 })
  expect(await getImport(world, id)).toMatchObject({ attention: null })
  await worker.run({ forMs: 2 * minute, stepMs: 2_000 })
  expect(await getImport(world, id)).toMatchObject({ state: 'running', attention: 'overdue' })
  const version = async () =>
    (await world.database.pool.query('SELECT xmin::text FROM imports WHERE id = $1', [id])).rows[0].xmin
  const before = [await version(), worker.calls.length] as const
  await worker.run({ forMs: 10 * minute, stepMs: 10_000 })
  expect(worker.calls.length).toBeGreaterThan(before[1])
  expect(await version()).toBe(before[0]) // polls that change nothing write nothing beside their row in `polling`
  expect(await world.eventTypesOf(id)).toEqual(['import.running', 'import.overdue'])
})

test.each([
  ['paused', { pausedAt: new Date(0), pauseReason: 'unauthorized' }],
  ['made to wait', { blockedUntil: new Date('2030-01-01') }],
  ['at the end of its month', { usedUpUntil: new Date('2030-01-01') }],
])('an import whose connection is %s is overdue on time, though nobody may ask', async (_what, columns) => {
  const { id: connectionId } = await world.connection({ limits, ...columns })
  const { id } = await world.import({ connectionId, state: 'running' })
  const set = (overdueAt: Date) => world.db.update(polling).set({ overdueAt }).where(eq(polling.importId, id))
  await set(after(now(), 1))
  await tellOverdue(world)
  expect(await world.importRow(id)).toMatchObject({ attention: null })
  world.clock.advance(1)
  await Promise.all([tellOverdue(world), tellOverdue(world)])
  await tellOverdue(world)
  expect(await world.importRow(id)).toMatchObject({ attention: 'overdue', attentionsTold: ['overdue'] })
  expect(await world.eventTypesOf(id)).toEqual(['import.overdue'])
})
