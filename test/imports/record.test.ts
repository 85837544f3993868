import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { recordReports } from '../../src/imports/record.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { unknownRows } from '../../src/providers/contract.ts'
import { aPage, aRowResult } from '../support/worlds/polls.ts'
import { useWorld } from '../support/worlds/world.ts'
import { recordLost, recordReport } from './recording.ts'

const world = useWorld()

describe('a changed report', () => {
  test('is a snapshot, a state, an event and its deliveries', async () => {
    const connection = await world.connection()
    const columns = { connections: [connection.name], types: ['import.running'] }
    const { id: endpointId } = await world.endpoint(columns)
    const { id: disabledId } = await world.endpoint({ ...columns, disabledAt: world.clock.now() })
    const row = await world.import({ connectionId: connection.id })
    const change = await world.changed(row, { progress: 0.25, message: 'Busy.' })

    expect(await world.db.transaction((tx) => recordReports(tx, [change]))).toEqual({
      ids: new Set([row.id]),
      hasEvents: true,
      collects: false,
    })
    expect(await world.importRow(row.id)).toMatchObject({
      state: 'running',
      progress: 0.25,
      message: 'Busy.',
      polls: 1,
      firstPolledAt: change.polledAt,
      lastPolledAt: change.polledAt,
      nextPollAt: change.dueAt,
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
    expect(await world.deliveriesOf(endpointId)).toMatchObject([{ eventId: event?.id, state: 'pending' }])
    expect(await world.deliveriesOf(disabledId)).toMatchObject([{ eventId: event?.id, state: 'skipped' }])
  })

  test('is stored as a whole or not at all', async () => {
    const row = await world.import()
    const change = await world.changed(row, { state: 'succeeded' })
    const failedCall = { call: 'summary', code: 'timeout' } as const
    const broken = { ...change, failedCall, connection: { ...change.connection, id: 'no-uuid' } } // which that is counted for
    await expect(recordReport(world.db, broken)).rejects.toThrow()
    expect(await world.importRow(row.id)).toEqual(row)
    expect(await world.snapshotsOf(row.id)).toEqual([])
    expect(await world.eventsOf(row.id)).toEqual([])
  })

  test('that changes no state touches no index of imports', async () => {
    const row = await world.import({ state: 'running', polls: 3, metadata: { run: 1 } })
    const change = await world.changed(row, { progress: 0.5, message: 'Half way.' })
    const updates = await world.db.transaction(async (tx) => {
      const count = async () => {
        const { rows } = await tx.execute<{ all: number; hot: number }>(sql`
          SELECT pg_stat_get_xact_tuples_updated('imports'::regclass)::int AS all,
            pg_stat_get_xact_tuples_hot_updated('imports'::regclass)::int AS hot`)
        return rows[0] ?? { all: 0, hot: 0 }
      }
      const before = await count() // this connection may have more that it hasn't reported yet
      await recordReports(tx, [change])
      const after = await count()
      return { all: after.all - before.all, hot: after.hot - before.hot }
    })
    expect(updates).toEqual({ all: 1, hot: 1 })
  })

  test('that changes no state writes no event', async () => {
    const row = await world.import({ state: 'running', polls: 3 })
    await recordReport(world.db, await world.changed(row, { progress: 0.5 }))
    await recordReport(world.db, await world.changed(await world.importRow(row.id), { progress: 0.75 }))
    expect(await world.eventsOf(row.id)).toEqual([])
    expect(await world.snapshotsOf(row.id)).toMatchObject([{ progress: 0.5 }, { progress: 0.75 }])
    expect(await world.importRow(row.id)).toMatchObject({ polls: 5, progress: 0.75 })
  })

  test('that says less keeps what was known, but for the message', async () => {
    const row = await world.import({ state: 'running', rowsTotal: 10, progress: 0.5, message: 'Busy.' })
    await recordReport(world.db, await world.changed(row, {}))
    expect(await world.importRow(row.id)).toMatchObject({ rowsTotal: 10, progress: 0.5, message: null })
  })

  test('that ends the import stores the rows that came with it', async () => {
    const row = await world.import({ state: 'running' })
    const change = await world.changed(row, { state: 'partial' })
    const answer = { ...change.answer, details: aPage({ rowResults: [aRowResult('a'), aRowResult('b')] }) }
    expect(await recordReport(world.db, { ...change, answer })).toBe('stored')
    expect(await world.eventTypesOf(row.id)).toEqual(['import.partial', 'import.rows_collected'])
    expect(await world.importRow(row.id)).toMatchObject({
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
    const row = await world.import()
    const change = await world.changed(row, { state: 'partial' })
    const answer = { ...change.answer, details: aPage({ skippedLines: [{ line: 10, column: 1 }], next: '20' }) }
    expect(await world.db.transaction((tx) => recordReports(tx, [{ ...change, answer }]))).toMatchObject({
      collects: true,
    })
    expect(await world.eventTypesOf(row.id)).toEqual(['import.partial'])
    expect(await world.importRow(row.id)).toMatchObject({
      detailsState: 'pending',
      nextCollectAt: change.polledAt,
      skippedLines: 1,
    })
    expect(await world.pagesOf(row.id)).toMatchObject([{ page: 0, cursor: null, nextCursor: '20' }])
  })
})

describe('an answer that comes too late', () => {
  test('is dropped when another one was recorded since it was asked for', async () => {
    const row = await world.import()
    const first = await world.changed(row, { progress: 0.1 })
    const second = await world.changed(row, { state: 'succeeded' })
    const results = await Promise.all([first, second].map((change) => recordReport(world.db, change)))
    expect(results.toSorted()).toEqual(['stale', 'stored'])
    expect(await world.eventsOf(row.id)).toHaveLength(1)
    expect(await world.snapshotsOf(row.id)).toHaveLength(1)
    expect(await world.importRow(row.id)).toMatchObject({ polls: 1 })
  })

  test('is dropped when another one is recorded at the same time that changes no state', async () => {
    const rows = await Promise.all(Array.from({ length: 20 }, () => world.import({ state: 'running' })))
    for (const row of rows) await recordReport(world.db, await world.changed(row, { progress: 0.1 }))
    const seen = await Promise.all(rows.map(({ id }) => world.importRow(id)))
    const rounds = await Promise.all(
      [0.2, 0.3, 0.4].map((progress) => Promise.all(seen.map((row) => world.changed(row, { progress })))),
    )
    const stored = await Promise.all(rounds.map((round) => world.db.transaction((tx) => recordReports(tx, round))))
    expect(stored.reduce((sum, { ids }) => sum + ids.size, 0)).toBe(rows.length)
    for (const { id } of rows) {
      expect(await world.importRow(id)).toMatchObject({ polls: 2 })
      expect(await world.snapshotsOf(id)).toHaveLength(2)
    }
  })

  test('is dropped when the import was stopped while it was asked for', async () => {
    const row = await world.import({ state: 'running' })
    const change = await world.changed(row, { state: 'succeeded' })
    const lost = await world.lost(row)
    await stopImport(world, row.id)
    expect(await recordReport(world.db, change)).toBe('stale')
    expect(await recordLost(world.db, lost)).toBe('stale')
    expect(await world.importRow(row.id)).toMatchObject({ state: 'stopped', polls: 0 })
    expect(await world.eventTypesOf(row.id)).toEqual(['import.stopped'])
  })
})

test('a final state has the values of the answer that told it, and no older ones', async () => {
  const earlier = { rowsTotal: 10, rowsProcessed: 6, rowsFailed: 2, progress: 0.6 }
  const ended = { state: 'succeeded', providerStatus: 'FINISHED' } as const
  const row = await world.import({ state: 'running', ...earlier })
  await recordReport(world.db, await world.changed(row, { ...ended, rows: { ...unknownRows, inserted: 10 } }))
  const last = { rowsTotal: null, rowsProcessed: null, rowsFailed: null, rowsInserted: 10, progress: 1 }
  expect(await world.importRow(row.id)).toMatchObject(last)
  const [event] = await world.eventsOf(row.id)
  expect(JSON.parse(event?.body ?? '').data).toMatchObject({
    progress: 1,
    rows: { total: null, processed: null, failed: null, inserted: 10 },
  })
  expect((await world.snapshotsOf(row.id)).at(-1)).toMatchObject({ progress: 1, rows: { total: null, inserted: 10 } })

  const failed = await world.import({ state: 'running', ...earlier })
  await recordReport(world.db, await world.changed(failed, { state: 'failed' }))
  expect(await world.importRow(failed.id)).toMatchObject({ rowsTotal: null, rowsProcessed: null, progress: null })
  const gone = await world.import({ state: 'running', ...earlier })
  await recordReport(world.db, await world.changed(gone, { state: 'archived' }, { to: 'lost', lostReason: 'archived' }))
  expect(await world.importRow(gone.id)).toMatchObject(earlier)
})
