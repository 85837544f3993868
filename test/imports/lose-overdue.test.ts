import { expect, test } from 'vitest'
import { loseOverdue } from '../../src/imports/lose-overdue.ts'
import { useImportWorld } from './world.ts'

const world = useImportWorld()

test('of a paused connection what is past its deadline is lost, and nothing else', async () => {
  const [paused, asking] = [
    await world.connection({ pausedAt: world.clock.now(), pauseReason: 'unauthorized' }),
    await world.connection(),
  ]
  const now = world.clock.now()
  const later = new Date(now.getTime() + 1)
  const error = { code: 'unauthorized', message: 'Refused.', at: now.toISOString() }
  const tracked = (connectionId: string, columns = {}) => world.tracked({ connectionId, deadlineAt: now, ...columns })
  const overdue = await tracked(paused.id, { state: 'running', progress: 0.5, polls: 3, lastError: error })
  const untouched = await Promise.all([
    tracked(paused.id, { deadlineAt: later }),
    tracked(paused.id, { pollLeaseUntil: later }), // its probe is under way, and judges for itself
    tracked(paused.id, { state: 'succeeded', nextPollAt: null }),
    tracked(asking.id),
  ])

  expect(await loseOverdue(world)).toBe(1)
  expect(await world.row(overdue.id)).toMatchObject({
    state: 'lost',
    lostReason: 'unauthorized',
    progress: 0.5,
    polls: 3,
    lastError: error,
    nextPollAt: null,
    finishedAt: now,
  })
  expect(await world.eventTypesOf(overdue.id)).toEqual(['import.lost'])
  for (const row of untouched) expect(await world.row(row.id)).toEqual(row)
  expect(await loseOverdue(world)).toBe(0)
})

test('two processes that look at once tell of it once', async () => {
  const { id: connectionId } = await world.connection({ pausedAt: world.clock.now() })
  const { id } = await world.tracked({ connectionId, deadlineAt: world.clock.now() })
  await Promise.all([loseOverdue(world), loseOverdue(world)])
  expect(await world.eventTypesOf(id)).toEqual(['import.lost'])
})

test('of a connection that is paused because imports are forbidden, the deadline passes as any other', async () => {
  const paused = await world.connection({ pausedAt: world.clock.now(), pauseReason: 'forbidden' })
  const { id } = await world.tracked({ connectionId: paused.id, deadlineAt: world.clock.now() })
  expect(await loseOverdue(world)).toBe(1)
  expect(await world.row(id)).toMatchObject({ state: 'lost', lostReason: 'deadline' })
})

test('while a 429 makes the connection wait, the deadline passes too, but says only that we stopped looking', async () => {
  const now = world.clock.now()
  const waiting = await world.connection({ blockedUntil: new Date(now.getTime() + 3_600_000) })
  const { id } = await world.tracked({ connectionId: waiting.id, deadlineAt: now })
  expect(await loseOverdue(world)).toBe(1)
  expect(await world.row(id)).toMatchObject({ state: 'lost', lostReason: 'deadline' })
})
