// Owns that no connection delays another, that what has waited longest goes first, and that after an hour without answers
// the calls come back one by one.
import { expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { spreadAfterOutage } from '../../src/connections/after-outage.ts'
import { polling } from '../../src/db/schema/index.ts'
import { useWorld } from '../support/worlds/world.ts'
import { callsOfEach, fails, mostInASecond, passesOf, says } from './passes.ts'

const world = useWorld()
const now = () => world.clock.now()
const hourMs = 3_600_000
const roomy = { maxInFlight: 1_000, minIntervalMs: 2_000, maxIntervalMs: 120_000 }

/** Imports that have run for an hour, each asked about once in two minutes. */
async function inTheMidst(count: number, connectionId: string): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    const dueInMs = (120_000 * index) / count
    const polled = { polls: 40, lastPolledAt: after(now(), dueInMs - 120_000), nextPollAt: after(now(), dueInMs) }
    const began = { registeredAt: after(now(), -hourMs), deadlineAt: after(now(), 86_400_000) }
    ids.push((await world.import({ connectionId, ...began, ...polled })).id)
  }
  return ids
}

test('one connection with very many imports, or one that is full or refused, delays no other', async () => {
  await world.db.delete(polling)
  const [many, full, refused, other] = await Promise.all([
    world.connection({ limits: roomy }),
    world.connection({ limits: { ...roomy, maxInFlight: 3 } }),
    world.connection({ limits: roomy, pausedAt: now(), pauseReason: 'unauthorized', nextProbeAt: after(now(), 1) }),
    world.connection({ limits: roomy }),
  ])
  for (const { id: connectionId } of [many, full, refused])
    for (let index = 0; index < (connectionId === many.id ? 1_500 : 20); index++)
      await world.import({ connectionId, nextPollAt: after(now(), -60_000) })
  const mine = await world.import({ connectionId: other.id, nextPollAt: now() })
  const worker = passesOf(world, () => [many, full, refused, other].map(({ id }) => id))
  await worker.pass()
  const of = (connectionId: string) => worker.calls.filter((call) => call.connectionId === connectionId).length
  expect(worker.calls.map(({ importId }) => importId)).toContain(mine.id)
  expect(of(full.id)).toBe(3)
  expect(of(refused.id)).toBe(0)
  expect(of(many.id)).toBeGreaterThan(400)
})

test('what has waited longest goes first', async () => {
  await world.db.delete(polling)
  const { id: connectionId } = await world.connection({ limits: { ...roomy, maxInFlight: 2 } })
  const waits = [30_000, 90_000, 10_000, 60_000]
  const ids: string[] = []
  for (const ms of waits) ids.push((await world.import({ connectionId, nextPollAt: after(now(), -ms) })).id)
  const worker = passesOf(world, () => [connectionId])
  await worker.pass()
  expect(new Set(worker.calls.map(({ importId }) => importId))).toEqual(new Set([ids[1], ids[3]]))
})

test('after an hour’s outage of ours the calls are spread, and every import gets its own', async () => {
  await world.db.delete(polling)
  const [one, other] = [await world.connection({ limits: roomy }), await world.connection({ limits: roomy })]
  const ids = [...(await inTheMidst(120, one.id)), ...(await inTheMidst(60, other.id))]
  world.clock.advance(hourMs)
  expect(await spreadAfterOutage(world.db, now())).toBe(2)
  const worker = passesOf(world, () => [one.id, other.id])
  await worker.run({ forMs: 240_000, stepMs: 1_000 })
  expect(Math.min(...callsOfEach(worker.calls, ids))).toBeGreaterThanOrEqual(1)
  expect(mostInASecond(worker.calls)).toBeLessThanOrEqual(10) // 180 in two minutes are one or two a second
  expect(await spreadAfterOutage(world.db, now())).toBe(0)
})

test('a pause of ours that was no outage spreads nothing', async () => {
  await world.db.delete(polling)
  const { id } = await world.connection({ limits: roomy })
  await inTheMidst(20, id)
  world.clock.advance(30_000)
  expect(await spreadAfterOutage(world.db, now())).toBe(0)
})

test.each([
  ['doesn’t answer', () => fails('connect_error')],
  ['says 503', () => fails('server_error', { status: 503 })],
  ['says 503 and how long', () => fails('server_error', { status: 503, retryAfterMs: hourMs })],
  ['says 429 again and again', () => fails('rate_limited', { status: 429 })],
] as const)('after an hour in which the vendor %s the calls are spread', async (_what, failure) => {
  await world.db.delete(polling)
  const { id } = await world.connection({ limits: roomy })
  const ids = await inTheMidst(120, id)
  let isAway = true
  const worker = passesOf(
    world,
    () => [id],
    () => (isAway ? failure() : says({})),
  )
  await worker.run({ forMs: hourMs, stepMs: 5_000 })
  isAway = false
  const before = worker.calls.length
  await worker.run({ forMs: 420_000, stepMs: 1_000 })
  const afterwards = worker.calls.slice(before)
  expect(Math.min(...callsOfEach(afterwards, ids))).toBeGreaterThanOrEqual(1)
  expect(mostInASecond(afterwards)).toBeLessThanOrEqual(10) // 120 in two minutes are one a second
})
