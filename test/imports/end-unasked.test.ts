import { expect, test } from 'vitest'
import { loseOverdue, settleUnasked } from '../../src/imports/end-unasked.ts'
import { useWorld } from '../support/worlds/world.ts'
import { heldIn, minute, settled } from './held.ts'

const world = useWorld()
const { ago, held, heldFor } = heldIn(world)

test('of a paused connection what is past its deadline is lost, and nothing else', async () => {
  const isPaused = { pausedAt: world.clock.now(), pauseReason: 'unauthorized' }
  const [paused, probed, asking] = [
    await world.connection(isPaused),
    await world.connection(isPaused),
    await world.connection(),
  ]
  const now = world.clock.now()
  const later = new Date(now.getTime() + 1)
  const error = { code: 'unauthorized', message: 'Refused.', at: now.toISOString() }
  const tracked = (connectionId: string, columns = {}) => world.import({ connectionId, deadlineAt: now, ...columns })
  const overdue = await tracked(paused.id, { state: 'running', progress: 0.5, polls: 3, lastError: error })
  const untouched = await Promise.all([
    tracked(paused.id, { deadlineAt: later }),
    tracked(probed.id), // its probe is under way, and judges for itself
    tracked(paused.id, { state: 'succeeded' }),
    tracked(asking.id),
  ])
  await world.served('poll', probed.id, 1)
  await world.served('poll', paused.id) // by one who may ask nothing

  expect(await loseOverdue(world)).toBe(1)
  expect(await world.importRow(overdue.id)).toMatchObject({
    state: 'lost',
    lostReason: 'unauthorized',
    progress: 0.5,
    polls: 3,
    lastError: error,
    nextPollAt: null,
    finishedAt: now,
  })
  expect(await world.eventTypesOf(overdue.id)).toEqual(['import.lost'])
  for (const row of untouched) expect(await world.importRow(row.id)).toEqual(row)
  expect(await loseOverdue(world)).toBe(0)
})

test('two processes that look at once tell of it once', async () => {
  const { id: connectionId } = await world.connection({ pausedAt: world.clock.now() })
  const { id } = await world.import({ connectionId, deadlineAt: world.clock.now() })
  await Promise.all([loseOverdue(world), loseOverdue(world)])
  expect(await world.eventTypesOf(id)).toEqual(['import.lost'])
})

test('of a connection that is paused because imports are forbidden, the deadline passes as any other', async () => {
  const paused = await world.connection({ pausedAt: world.clock.now(), pauseReason: 'forbidden' })
  const { id } = await world.import({ connectionId: paused.id, deadlineAt: world.clock.now() })
  expect(await loseOverdue(world)).toBe(1)
  expect(await world.importRow(id)).toMatchObject({ state: 'lost', lostReason: 'deadline' })
})

test('while a 429 makes the connection wait, the deadline passes too, but says only that we stopped looking', async () => {
  const now = world.clock.now()
  const waiting = await world.connection({ blockedUntil: new Date(now.getTime() + 3_600_000) })
  const { id } = await world.import({ connectionId: waiting.id, deadlineAt: now })
  expect(await loseOverdue(world)).toBe(1)
  expect(await world.importRow(id)).toMatchObject({ state: 'lost', lostReason: 'deadline' })
})

test('nobody may ask: after ten minutes what was told holds', async () => {
  const paused = { pausedAt: ago(minute), pauseReason: 'unauthorized' }
  const blocked = { blockedUntil: new Date(world.clock.now().getTime() + 60 * minute) }
  const due = await held(heldFor(11 * minute), paused)
  const waiting = await held(heldFor(11 * minute), blocked, { nextPollAt: blocked.blockedUntil })
  const early = await held(heldFor(9 * minute), paused)
  const asked = await held(heldFor(11 * minute), paused)
  await world.served('poll', asked.connectionId, 1)
  await world.served('poll', due.connectionId) // by one who may ask nothing
  const soon = await held(heldFor(11 * minute), {}, { nextPollAt: world.clock.now() })
  expect(await settleUnasked(world)).toBe(2)
  for (const { id } of [due, waiting]) {
    expect(await world.importRow(id)).toMatchObject(settled)
    expect(await world.eventTypesOf(id)).toEqual(['import.succeeded'])
  }
  for (const { id } of [early, asked, soon]) expect(await world.importRow(id)).toMatchObject({ state: 'running' })
})

test('at the deadline what was told holds, and is not lost', async () => {
  const paused = { pausedAt: ago(minute), pauseReason: 'unauthorized' }
  const row = await held(heldFor(minute), paused, { deadlineAt: world.clock.now() })
  expect(await loseOverdue(world)).toBe(0)
  expect(await settleUnasked(world)).toBe(1)
  expect(await world.importRow(row.id)).toMatchObject(settled)
})
