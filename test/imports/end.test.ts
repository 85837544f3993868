import { expect, test } from 'vitest'
import { resumeImport } from '../../src/imports/resume.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { useWorld } from '../support/worlds/world.ts'
import { heldIn, minute, settled } from './held.ts'
import { recordLost, recordSettled } from './recording.ts'

const world = useWorld()
const { held, heldFor } = heldIn(world)

test('a lost import keeps what is known, and tells why', async () => {
  const row = await world.import({ state: 'running', progress: 0.5, polls: 7 })
  const lastError = { code: 'not_found', message: 'Gone.', at: world.clock.now().toISOString() }
  const lost = await world.lost(row, { reason: 'not_found', lastError })
  expect(await recordLost(world.db, lost)).toBe('stored')
  expect(await world.importRow(row.id)).toMatchObject({
    state: 'lost',
    lostReason: 'not_found',
    progress: 0.5,
    polls: 8,
    lastError,
    nextPollAt: null,
    finishedAt: lost.polledAt,
  })
  expect(await world.eventTypesOf(row.id)).toEqual(['import.lost'])
})

test('what was told is recorded with the counts of that answer, once', async () => {
  const row = await held(heldFor(minute), {}, { rowsFailed: null, rowsTotal: 12 })
  const { reason: _, ...seen } = await world.lost(row)
  const lastError = { code: 'outcome_incomplete', message: 'Gone.', at: seen.polledAt.toISOString() }
  const change = { ...seen, held: heldFor(minute), lastError }
  expect(await recordSettled(world.db, change)).toBe('stored')
  expect(await recordSettled(world.db, change)).toBe('stale')
  expect(await world.importRow(row.id)).toMatchObject({
    ...settled,
    rowsTotal: 12,
    rowsFailed: null,
    polls: 1,
    lastError,
  })
  const [event] = await world.eventsOf(row.id)
  expect(JSON.parse(event?.body ?? '')).toMatchObject({
    type: 'import.succeeded',
    data: { state: 'succeeded', progress: 1, lastError: { code: 'outcome_incomplete' } },
  })
})

test('its rows are collected where they have pages of their own, and incomplete where they came with the status', async () => {
  for (const [provider, expected] of [
    ['fullstory', { detailsState: 'pending', nextCollectAt: expect.any(Date) }],
    ['micro', { detailsState: 'incomplete', nextCollectAt: null }],
  ] as const) {
    const row = await held(heldFor(minute, { state: 'partial', hasDetails: true }), { provider })
    const lastError = { code: 'outcome_incomplete', message: '', at: '' }
    const { reason: _, ...lost } = await world.lost(row)
    await recordSettled(world.db, { ...lost, held: heldFor(minute, { state: 'partial', hasDetails: true }), lastError })
    expect(await world.importRow(row.id)).toMatchObject({ state: 'partial', ...expected })
    const events = provider === 'micro' ? ['import.partial', 'import.rows_incomplete'] : ['import.partial']
    expect(await world.eventTypesOf(row.id)).toEqual(events)
  }
})

test('stopping, losing and resuming forget what was told', async () => {
  const stopped = await held(heldFor(minute))
  await stopImport(world, stopped.id)
  const lost = await held(heldFor(minute))
  await recordLost(world.db, await world.lost(lost))
  for (const { id } of [stopped, lost]) {
    expect(await world.importRow(id)).toMatchObject({ attention: null, heldOutcome: null })
    await resumeImport(world, id)
    expect(await world.importRow(id)).toMatchObject({
      state: 'pending',
      heldOutcome: null,
      resumedAt: world.clock.now(),
    })
  }
})
