// Owns the ends of imports whose outcome was told and never shown whole.
import { expect, test } from 'vitest'
import type { StoredHeldOutcome } from '../../src/db/schema/index.ts'
import { loseOverdue } from '../../src/imports/lose-overdue.ts'
import { recordLost, recordReport } from '../../src/imports/record.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { recordSettled, settleUnasked } from '../../src/imports/settle.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { unknownRows } from '../../src/providers/contract.ts'
import { useImportWorld } from './world.ts'

const world = useImportWorld()
const minute = 60_000
const ago = (ms: number) => new Date(world.clock.now().getTime() - ms)

const heldFor = (ms: number, outcome: Partial<StoredHeldOutcome> = {}): StoredHeldOutcome => ({
  state: 'succeeded',
  since: ago(ms).toISOString(),
  asked: 1,
  hasDetails: false,
  ...outcome,
})

/** An import whose outcome isn't whole, on a connection that is as `columns` say. */
async function held(held: StoredHeldOutcome, connection: Parameters<typeof world.connection>[0] = {}, more = {}) {
  const { id: connectionId } = await world.connection(connection)
  const columns = { state: 'running', attention: 'outcome_incomplete', progress: 0.5, heldOutcome: held }
  return world.tracked({ connectionId, ...columns, nextPollAt: ago(2 * minute), ...more })
}

const settled = {
  state: 'succeeded',
  lostReason: null,
  attention: null,
  heldOutcome: null,
  progress: 1,
  nextPollAt: null,
  lastError: { code: 'outcome_incomplete' },
}

test('what was told is recorded with the counts of that answer, once', async () => {
  const row = await held(heldFor(minute), {}, { rowsFailed: null, rowsTotal: 12 })
  const { connection, from, ...seen } = await world.lost(row)
  const lastError = { code: 'outcome_incomplete', message: 'Gone.', at: seen.polledAt.toISOString() }
  const change = { ...seen, connection, from, held: heldFor(minute), lastError, polls: 1 as const }
  expect(await recordSettled(world.db, change)).toMatchObject({ kind: 'recorded', events: ['import.succeeded'] })
  expect(await recordSettled(world.db, change)).toEqual({ kind: 'stale' })
  expect(await world.row(row.id)).toMatchObject({ ...settled, rowsTotal: 12, rowsFailed: null, polls: 1, lastError })
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
    expect(await world.row(row.id)).toMatchObject({ state: 'partial', ...expected })
    const events = provider === 'micro' ? ['import.partial', 'import.rows_incomplete'] : ['import.partial']
    expect(await world.eventTypesOf(row.id)).toEqual(events)
  }
})

test('nobody may ask: after ten minutes what was told holds', async () => {
  const paused = { pausedAt: ago(minute), pauseReason: 'unauthorized' }
  const blocked = { blockedUntil: new Date(world.clock.now().getTime() + 60 * minute) }
  const due = await held(heldFor(11 * minute), paused)
  const waiting = await held(heldFor(11 * minute), blocked, { nextPollAt: blocked.blockedUntil })
  const early = await held(heldFor(9 * minute), paused)
  const asked = await held(heldFor(11 * minute), paused, { pollLeaseUntil: world.clock.now() })
  const soon = await held(heldFor(11 * minute), {}, { nextPollAt: world.clock.now() })
  expect(await settleUnasked(world)).toBe(2)
  for (const { id } of [due, waiting]) {
    expect(await world.row(id)).toMatchObject(settled)
    expect(await world.eventTypesOf(id)).toEqual(['import.succeeded'])
  }
  for (const { id } of [early, asked, soon]) expect(await world.row(id)).toMatchObject({ state: 'running' })
})

test('at the deadline what was told holds, and is not lost', async () => {
  const paused = { pausedAt: ago(minute), pauseReason: 'unauthorized' }
  const row = await held(heldFor(minute), paused, { deadlineAt: world.clock.now() })
  expect(await loseOverdue(world)).toBe(0)
  expect(await settleUnasked(world)).toBe(1)
  expect(await world.row(row.id)).toMatchObject(settled)
})

test('stopping, losing and resuming forget what was told', async () => {
  const stopped = await held(heldFor(minute))
  await stopImport(world, stopped.id)
  const lost = await held(heldFor(minute))
  await recordLost(world.db, await world.lost(lost))
  for (const { id } of [stopped, lost]) {
    expect(await world.row(id)).toMatchObject({ attention: null, heldOutcome: null })
    await resumeImport(world, id)
    expect(await world.row(id)).toMatchObject({ state: 'pending', heldOutcome: null, resumedAt: world.clock.now() })
  }
})

test('a final state has the values of the answer that told it, and no older ones', async () => {
  const earlier = { rowsTotal: 10, rowsProcessed: 6, rowsFailed: 2, progress: 0.6 }
  const ended = { state: 'succeeded', providerStatus: 'FINISHED' } as const
  const row = await world.tracked({ state: 'running', ...earlier })
  await recordReport(world.db, await world.changed(row, { ...ended, rows: { ...unknownRows, inserted: 10 } }))
  const last = { rowsTotal: null, rowsProcessed: null, rowsFailed: null, rowsInserted: 10, progress: 1 }
  expect(await world.row(row.id)).toMatchObject(last)
  const [event] = await world.eventsOf(row.id)
  expect(JSON.parse(event?.body ?? '').data).toMatchObject({
    progress: 1,
    rows: { total: null, processed: null, failed: null, inserted: 10 },
  })
  expect((await world.snapshotsOf(row.id)).at(-1)).toMatchObject({ progress: 1, rows: { total: null, inserted: 10 } })

  const failed = await world.tracked({ state: 'running', ...earlier })
  await recordReport(world.db, await world.changed(failed, { state: 'failed' }))
  expect(await world.row(failed.id)).toMatchObject({ rowsTotal: null, rowsProcessed: null, progress: null })
  const gone = await world.tracked({ state: 'running', ...earlier })
  await recordReport(world.db, await world.changed(gone, { state: 'archived' }, { to: 'lost', lostReason: 'archived' }))
  expect(await world.row(gone.id)).toMatchObject(earlier)
})
