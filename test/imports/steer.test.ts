import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { storeCollectedPage } from '../../src/collecting/checkpoint.ts'
import { dailyOutcomesDue, imports, polling } from '../../src/db/schema/index.ts'
import { patchImport } from '../../src/imports/patch.ts'
import { pollNow } from '../../src/imports/poll-now.ts'
import { inlineJobId } from '../../src/imports/register.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { type ImportState, states } from '../../src/model/import-state.ts'
import { aPage } from '../support/worlds/polls.ts'
import { useWorld } from '../support/worlds/world.ts'
import { recordLost, recordReport } from './recording.ts'

const world = useWorld()
const endedByProvider: ImportState[] = ['succeeded', 'partial', 'failed', 'canceled']
const live: ImportState[] = ['pending', 'queued', 'running']

const inState = (state: ImportState) =>
  world.import({ state, ...(!live.includes(state) && { finishedAt: world.clock.now() }) })

describe('stopping', () => {
  test.each(live)('ends the tracking of one that is %s, with one event', async (state) => {
    const { id } = await world.import({ state, attention: 'unmapped_status' })
    await stopImport(world, id)
    await stopImport(world, id)
    expect(await world.importRow(id)).toMatchObject({
      state: 'stopped',
      attention: null,
      nextPollAt: null,
      finishedAt: world.clock.now(),
    })
    expect(await world.eventTypesOf(id)).toEqual(['import.stopped'])
  })

  test.each([...endedByProvider, 'lost' as const])('is refused for one that is %s', async (state) => {
    const row = await inState(state)
    await expect(stopImport(world, row.id)).rejects.toMatchObject({ code: 'conflict' })
    expect(await world.importRow(row.id)).toEqual(row)
  })

  test('twice at once writes one event', async () => {
    const { id } = await inState('running')
    await Promise.all([stopImport(world, id), stopImport(world, id), stopImport(world, id)])
    expect(await world.eventTypesOf(id)).toEqual(['import.stopped'])
  })
})

describe('resuming', () => {
  test.each(['lost', 'stopped'] as const)(
    'asks again about one that was %s, with a deadline as long as before',
    async (state) => {
      const { id } = await world.import({
        state,
        lostReason: state === 'lost' ? 'deadline' : null,
        finishedAt: world.clock.now(),
        deadlineMs: 60_000,
        attention: 'forbidden',
        lastError: { code: 'not_found', message: '', at: '' },
        progressChanges: [[0, 0.5]],
      })
      world.clock.advance(600_000)
      const now = world.clock.now()
      await resumeImport(world, id)
      expect(await world.importRow(id)).toMatchObject({
        state: 'pending',
        lostReason: null,
        attention: null,
        finishedAt: null,
        nextPollAt: now,
        deadlineAt: new Date(now.getTime() + 60_000),
        failures: 0,
        notFounds: 0,
        lastError: null,
        progressChanges: [],
      })
      expect(await world.eventTypesOf(id)).toEqual(['import.resumed'])
    },
  )

  test.each(live)('leaves one alone that is %s', async (state) => {
    const row = await inState(state)
    await resumeImport(world, row.id)
    expect(await world.importRow(row.id)).toEqual(row)
    expect(await world.eventsOf(row.id)).toEqual([])
  })

  test.each(endedByProvider)('is refused for one that is %s, unless it is forced', async (state) => {
    const row = await inState(state)
    const refusal = { code: 'conflict', message: expect.stringContaining('"force": true') }
    await expect(resumeImport(world, row.id)).rejects.toMatchObject(refusal)
    await expect(resumeImport(world, row.id, { force: false })).rejects.toMatchObject(refusal)
    expect(await world.importRow(row.id)).toEqual(row)
  })

  test('makes an answer stale that was asked for before it was stopped', async () => {
    const row = await inState('running')
    const asked = await world.changed(row, { progress: 0.9 })
    await stopImport(world, row.id)
    await resumeImport(world, row.id)
    expect(await recordReport(world.db, asked)).toBe('stale')
    expect(await world.importRow(row.id)).toMatchObject({ state: 'pending', progress: null })
    expect(await world.eventTypesOf(row.id)).toEqual(['import.stopped', 'import.resumed'])
  })
})

describe('resuming by force', () => {
  test.each(endedByProvider)(
    'tracks one that is %s again: its outcome is unknown, its history goes on',
    async (state) => {
      const { id, connectionId } = await world.import({
        state,
        finishedAt: world.clock.now(),
        deadlineMs: 60_000,
        polls: 7,
        firstPolledAt: world.clock.now(),
        providerStatus: 'DONE',
        message: 'Done.',
        progress: 1,
        progressChanges: [[1, 1]],
        pollUrl: 'https://vendor.example/jobs/1?t=9',
        rowsTotal: 5,
        rowsFailed: 2,
        rowsSkipped: 1,
        providerStartedAt: world.clock.now(),
        providerFinishedAt: world.clock.now(),
        attention: 'outcome_incomplete',
        attentionsTold: ['stalled'],
        lastError: { code: 'not_found', message: '', at: '' },
        metadata: { mine: 1 },
      })
      const before = await world.importRow(id)
      await world.db.delete(dailyOutcomesDue)
      world.clock.advance(48 * 3_600_000)
      const now = world.clock.now()
      await resumeImport(world, id, { force: true })
      expect(await world.importRow(id)).toEqual({
        ...before,
        state: 'pending',
        finishedAt: null,
        nextPollAt: now,
        failures: 0,
        notFounds: 0,
        resumedAt: now,
        deadlineAt: new Date(now.getTime() + 60_000),
        providerStatus: null,
        message: null,
        progress: null,
        progressChanges: [],
        pollUrl: null,
        rowsTotal: null,
        rowsFailed: null,
        rowsSkipped: null,
        providerStartedAt: null,
        providerFinishedAt: null,
        attention: null,
        attentionsTold: [],
        lastError: null,
        lastSequence: 1,
      })
      expect(await world.eventTypesOf(id)).toEqual(['import.resumed'])
      const due = await world.db.select().from(dailyOutcomesDue).where(eq(dailyOutcomesDue.connectionId, connectionId))
      expect(due).toMatchObject([{ day: before.finishedAt?.toISOString().slice(0, 10) }])
    },
  )

  test('keeps the rows until the new run ends, which replaces them', async () => {
    const { id } = await endedWith(['a', 'b'])
    await resumeImport(world, id, { force: true })
    await recordReport(world.db, await world.changed(await world.importRow(id), { progress: 0.5 }))
    expect((await world.rowResultsOf(id)).map(({ recordId }) => recordId)).toEqual(['a', 'b'])
    expect(await world.importRow(id)).toMatchObject({ state: 'running', detailsState: 'complete', rowResults: 2 })

    await endWith(id, ['c'])
    expect((await world.rowResultsOf(id)).map(({ row, recordId }) => [row, recordId])).toEqual([[0, 'c']])
    expect(await world.pagesOf(id)).toHaveLength(1)
    expect(await world.importRow(id)).toMatchObject({ state: 'partial', detailsState: 'complete', rowResults: 1 })
    expect(await world.eventTypesOf(id)).toEqual([
      'import.partial',
      'import.rows_collected',
      'import.resumed',
      'import.running',
      'import.partial',
      'import.rows_collected',
    ])
    expect(await world.snapshotsOf(id)).toHaveLength(3)
  })

  test('and without rows in the new run there are none', async () => {
    const { id } = await endedWith(['a'])
    await resumeImport(world, id, { force: true })
    await recordReport(world.db, await world.changed(await world.importRow(id), { state: 'succeeded' }))
    expect(await world.rowResultsOf(id)).toEqual([])
    expect(await world.importRow(id)).toMatchObject({ state: 'succeeded', detailsState: 'none', rowResults: 0 })
  })

  test('keeps the rows where nobody hears how the new run ended', async () => {
    const { id } = await endedWith(['a'])
    await resumeImport(world, id, { force: true })
    await recordLost(world.db, await world.lost(await world.importRow(id)))
    expect(await world.importRow(id)).toMatchObject({ state: 'lost', detailsState: 'complete', rowResults: 1 })
    expect(await world.rowResultsOf(id)).toHaveLength(1)
  })

  test('ends a collection that is under way', async () => {
    const { id } = await world.import({
      state: 'failed',
      finishedAt: world.clock.now(),
      detailsState: 'collecting',
      nextCollectAt: world.clock.now(),
    })
    const at = await world.checkpoint(id)
    if (!at) throw new Error('no checkpoint')
    await resumeImport(world, id, { force: true })
    expect(await world.importRow(id)).toMatchObject({
      detailsState: 'incomplete',
      detailsError: { code: 'resumed' },
      nextCollectAt: null,
    })
    const page = aPage({ rowResults: [aResult('late')] })
    expect(await storeCollectedPage(world.db, at, page, world.clock.now())).toEqual({ kind: 'superseded' })
    expect(await world.rowResultsOf(id)).toEqual([])
  })

  test('is refused for one that came with its result, since there is no job', async () => {
    const row = await inState('succeeded')
    await world.db
      .update(imports)
      .set({ jobId: inlineJobId(row.id) })
      .where(eq(imports.id, row.id))
    await expect(resumeImport(world, row.id, { force: true })).rejects.toMatchObject({ code: 'conflict' })
  })

  test.each(live)('leaves one alone that is %s', async (state) => {
    const row = await inState(state)
    await resumeImport(world, row.id, { force: true })
    expect(await world.importRow(row.id)).toEqual(row)
  })

  async function endedWith(records: string[]): Promise<{ id: string }> {
    const { id } = await world.import({ state: 'running' })
    await endWith(id, records)
    return { id }
  }

  async function endWith(id: string, records: string[]): Promise<void> {
    const change = await world.changed(await world.importRow(id), { state: 'partial', message: records.join() })
    const details = aPage({ rowResults: records.map(aResult) })
    await recordReport(world.db, { ...change, answer: { ...change.answer, details } })
  }

  function aResult(recordId: string) {
    return { recordId, created: true, existing: false, error: null }
  }
})

describe('asking now', () => {
  test.each(live)('makes one due that is %s, and tells nobody', async (state) => {
    const { id } = await world.import({ state, nextPollAt: new Date('2027-01-01T00:00:00Z') })
    await pollNow(world, id)
    expect(await world.importRow(id)).toMatchObject({ state, nextPollAt: world.clock.now() })
    expect(await world.eventsOf(id)).toEqual([])
  })

  test('is refused for one that is over', async () => {
    for (const state of states.filter((state) => !live.includes(state)))
      await expect(pollNow(world, (await inState(state)).id)).rejects.toMatchObject({ code: 'conflict' })
  })
})

test('an earlier deadline isn’t missed by a poll that the budget put off, nor is it asked sooner than wanted', async () => {
  const now = world.clock.now()
  const registeredAt = after(now, -60_000)
  const putOff = { registeredAt, lastPolledAt: now, polls: 1, nextPollAt: after(now, 8 * 3_600_000) }
  const patched = async (wantedMs: number | null, deadlineMs: number) => {
    const deadline = { deadlineMs: 86_400_000, deadlineAt: after(registeredAt, 86_400_000) }
    const { id } = await world.import({ ...putOff, ...deadline })
    await world.db.update(polling).set({ wantedMs }).where(eq(polling.importId, id))
    await patchImport(world, id, { deadlineMs })
    return (await world.importRow(id)).nextPollAt
  }
  expect(await patched(30_000, 120_000)).toEqual(after(now, 60_000))
  expect(await patched(90_000, 120_000)).toEqual(after(now, 90_000))
  expect(await patched(null, 120_000)).toEqual(after(now, 60_000))
  expect(await patched(30_000, 2 * 86_400_000)).toEqual(putOff.nextPollAt)
})

test('what is done to an import that does not exist is not_found', async () => {
  for (const verb of [stopImport, resumeImport, pollNow])
    await expect(verb(world, newId())).rejects.toMatchObject({ code: 'not_found' })
})
