import { describe, expect, test } from 'vitest'
import { recordLost, recordReport } from '../../src/imports/record.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { aPage, aRowResult, useImportWorld } from './world.ts'

const world = useImportWorld()

describe('a changed report', () => {
  test('is a snapshot, a state, an event and its deliveries', async () => {
    const connection = await world.connection()
    const endpointId = await world.endpoint(connection.name)
    const disabledId = await world.endpoint(connection.name, { disabledAt: world.clock.now() })
    const row = await world.tracked({ connectionId: connection.id, pollLeaseUntil: world.clock.now() })
    const change = await world.changed(row, { progress: 0.25, message: 'Busy.' })

    expect(await recordReport(world.db, change)).toEqual({
      kind: 'recorded',
      collect: false,
      events: ['import.running'],
    })
    expect(await world.row(row.id)).toMatchObject({
      state: 'running',
      progress: 0.25,
      message: 'Busy.',
      polls: 1,
      firstPolledAt: change.polledAt,
      lastPolledAt: change.polledAt,
      nextPollAt: change.nextPollAt,
      pollLeaseUntil: null,
      finishedAt: null,
    })
    expect(await world.snapshotsOf(row.id)).toMatchObject([
      { state: 'running', progress: 0.25, polls: 1, firstSeenAt: change.polledAt, body: { status: 'RUNNING' } },
    ])
    const [event] = await world.eventsOf(row.id)
    expect(JSON.parse(event?.body ?? '')).toMatchObject({
      type: 'import.running',
      timestamp: change.polledAt.toISOString(),
      data: { id: row.id, state: 'running', progress: 0.25, polls: 1 },
    })
    expect(await world.deliveriesTo(endpointId)).toMatchObject([{ eventId: event?.id, state: 'pending' }])
    expect(await world.deliveriesTo(disabledId)).toMatchObject([{ eventId: event?.id, state: 'skipped' }])
  })

  test('is stored as a whole or not at all', async () => {
    const row = await world.tracked()
    const change = await world.changed(row, { state: 'succeeded' })
    const broken = { ...change, connection: { ...change.connection, id: 'no-uuid' } } // what its event refers to
    await expect(recordReport(world.db, broken)).rejects.toThrow()
    expect(await world.row(row.id)).toEqual(row)
    expect(await world.snapshotsOf(row.id)).toEqual([])
    expect(await world.eventsOf(row.id)).toEqual([])
  })

  test('that changes no state writes no event', async () => {
    const row = await world.tracked({ state: 'running', polls: 3 })
    await recordReport(world.db, await world.changed(row, { progress: 0.5 }))
    await recordReport(world.db, await world.changed(await world.row(row.id), { progress: 0.75 }))
    expect(await world.eventsOf(row.id)).toEqual([])
    expect(await world.snapshotsOf(row.id)).toMatchObject([{ progress: 0.5 }, { progress: 0.75 }])
    expect(await world.row(row.id)).toMatchObject({ polls: 5, progress: 0.75 })
  })

  test('that says less keeps what was known, but for the message', async () => {
    const row = await world.tracked({ state: 'running', rowsTotal: 10, progress: 0.5, message: 'Busy.' })
    await recordReport(world.db, await world.changed(row, {}))
    expect(await world.row(row.id)).toMatchObject({ rowsTotal: 10, progress: 0.5, message: null })
  })

  test('that ends the import stores the rows that came with it', async () => {
    const row = await world.tracked({ state: 'running' })
    const change = await world.changed(row, { state: 'partial' })
    const answer = { ...change.answer, details: aPage({ rowResults: [aRowResult('a'), aRowResult('b')] }) }
    expect(await recordReport(world.db, { ...change, answer })).toMatchObject({
      collect: false,
      events: ['import.partial', 'import.rows_collected'],
    })
    expect(await world.row(row.id)).toMatchObject({
      state: 'partial',
      nextPollAt: null,
      finishedAt: change.polledAt,
      detailsState: 'complete',
      rowResults: 2,
    })
    const bodies = (await world.eventsOf(row.id)).map(({ body }) => JSON.parse(body).data.details)
    expect(bodies).toEqual([
      { state: 'complete', skippedLines: 0, rowResults: 2, lastError: null },
      { state: 'complete', skippedLines: 0, rowResults: 2, lastError: null },
    ])
  })

  test('that ends the import while pages are left makes collecting them due', async () => {
    const row = await world.tracked()
    const change = await world.changed(row, { state: 'partial' })
    const answer = { ...change.answer, details: aPage({ skippedLines: [{ line: 10, column: 1 }], next: '20' }) }
    expect(await recordReport(world.db, { ...change, answer })).toMatchObject({
      collect: true,
      events: ['import.partial'],
    })
    expect(await world.row(row.id)).toMatchObject({
      detailsState: 'pending',
      nextCollectAt: change.polledAt,
      skippedLines: 1,
    })
    expect(await world.pagesOf(row.id)).toMatchObject([{ page: 0, cursor: null, nextCursor: '20' }])
  })
})

describe('an answer that comes too late', () => {
  test('is dropped when another one was recorded since it was asked for', async () => {
    const row = await world.tracked()
    const first = await world.changed(row, { progress: 0.1 })
    const second = await world.changed(row, { state: 'succeeded' })
    const results = await Promise.all([first, second].map((change) => recordReport(world.db, change)))
    expect(results.map(({ kind }) => kind).toSorted()).toEqual(['recorded', 'stale'])
    expect(await world.eventsOf(row.id)).toHaveLength(1)
    expect(await world.snapshotsOf(row.id)).toHaveLength(1)
    expect(await world.row(row.id)).toMatchObject({ polls: 1 })
  })

  test('is dropped when the import was stopped while it was asked for', async () => {
    const row = await world.tracked({ state: 'running' })
    const change = await world.changed(row, { state: 'succeeded' })
    const lost = await world.lost(row)
    await stopImport(world, row.id)
    expect(await recordReport(world.db, change)).toEqual({ kind: 'stale' })
    expect(await recordLost(world.db, lost)).toEqual({ kind: 'stale' })
    expect(await world.row(row.id)).toMatchObject({ state: 'stopped', polls: 0 })
    expect(await world.eventTypesOf(row.id)).toEqual(['import.stopped'])
  })
})

describe('a lost import', () => {
  test('keeps what is known, and tells why', async () => {
    const row = await world.tracked({ state: 'running', progress: 0.5, polls: 7 })
    const lastError = { code: 'not_found', message: 'Gone.', at: world.clock.now().toISOString() }
    const lost = await world.lost(row, { reason: 'not_found', lastError })
    expect(await recordLost(world.db, lost)).toMatchObject({ kind: 'recorded', events: ['import.lost'] })
    expect(await world.row(row.id)).toMatchObject({
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
})
