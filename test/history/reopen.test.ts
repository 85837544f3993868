import { eq, isNull, sql } from 'drizzle-orm'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { createLog } from '../../src/base/log.ts'
import type { HistoryRetention } from '../../src/config/config.ts'
import { imports, polling } from '../../src/db/schema/index.ts'
import { keepPartitions } from '../../src/history/drop-months.ts'
import { monthOf } from '../../src/history/months.ts'
import { lockPartitions, makePartition, makePartitions, tablesOfImports } from '../../src/history/partitions.ts'
import { storePage } from '../../src/imports/pages.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { recordReport, recordUnchanged } from '../imports/recording.ts'
import { idAt, monthsOf, shown } from '../reporting/history.ts'
import { aPage, aRowResult } from '../support/worlds/polls.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const retention = { snapshots: 2, skipped_lines: 3, row_results: 4 }
const longAgo = new Date(0)
let month = new Date('2031-01-01T00:00:00Z')

beforeEach(async () => {
  month = monthOf(month, 12)
  world.clock.set(month)
  await makePartitions(world.db, month)
  // What is left of other tests goes.
  const left = await world.db.select({ id: imports.id }).from(imports).where(isNull(imports.finishedAt))
  for (const { id } of left) await stopped(id)
  world.clock.set(monthOf(month, 1))
  await keep({ snapshots: 1, skipped_lines: 1, row_results: 1 })
  world.clock.set(month)
})

const keep = (historyRetention: HistoryRetention = retention, waitMs = 5_000) => {
  const { db, clock } = world
  const times = { clock, databaseTime: async () => clock.now(), waitMs }
  return keepPartitions({ db, log: createLog('silent'), historyRetention, ...times }, new AbortController().signal)
}
const resume = (id: string) => resumeImport(world, id)
const there = async () => {
  const all = await Promise.all(tablesOfImports.map((table) => monthsOf(world.database, table)))
  return tablesOfImports.filter((_table, index) => all[index]?.includes(shown({ month })))
}

/** Ends it as if that had been long ago. */
async function stopped(id: string) {
  await world.db.delete(polling).where(eq(polling.importId, id))
  await world.db.update(imports).set({ state: 'stopped', finishedAt: longAgo }).where(eq(imports.id, id))
}

/** An import of that month that was lost then, with one report. */
async function lost() {
  const id = idAt(new Date(month.getTime() + 86_400_000))
  const snapshotId = newId()
  const row = await world.import({
    id,
    state: 'lost',
    finishedAt: longAgo,
    snapshotId,
    fingerprint: 'same',
    polls: 1,
  })
  await world.snapshot({ id: snapshotId, importId: id })
  return row
}

function whileLocked(work: () => Promise<unknown>): Promise<unknown> {
  return world.db.transaction(async (tx) => {
    expect(await lockPartitions(tx)).toBe(true)
    return work()
  })
}

describe('an import whose month is gone', () => {
  test('can be resumed and goes on, with a history from then on', async () => {
    const { id } = await lost()
    world.clock.set(monthOf(month, 6))
    await keep()
    expect(await there()).toEqual([])
    expect(await world.snapshotsOf(id)).toEqual([])

    await resume(id)
    expect(await there()).toEqual([...tablesOfImports])
    const row = await world.importRow(id)
    expect(row).toMatchObject({ state: 'pending', snapshotId: null, fingerprint: null })
    expect(await recordReport(world.db, await world.changed(row, {}))).toBe('stored')
    await recordUnchanged(world.db, [world.unchanged(await world.importRow(id))])
    expect((await world.snapshotsOf(id)).map(({ polls }) => polls)).toEqual([2])
    const details = aPage({ skippedLines: [{ line: 1, column: 1 }], rowResults: [aRowResult('r')] })
    await world.db.transaction((tx) => storePage(tx, { importId: id, page: 0, cursor: null, details }, month))
    expect([await world.skippedLinesOf(id), await world.rowResultsOf(id)]).toMatchObject([[{}], [{}]])
  })

  test('keeps its month from then on, until it is over', async () => {
    const { id } = await lost()
    world.clock.set(monthOf(month, 6))
    await keep()
    await resume(id)
    await keep()
    expect(await there()).toEqual([...tablesOfImports])
    await stopped(id)
    await keep()
    expect(await there()).toEqual([])
  })

  test('gets back what is gone alone', async () => {
    const { id, snapshotId } = await lost()
    const other = await lost()
    world.clock.set(monthOf(month, 4)) // over for snapshots and skipped lines
    await keep()
    expect(await there()).toEqual(['row_results'])
    await resume(id)
    expect(await there()).toEqual([...tablesOfImports])
    await resume(other.id) // its snapshots are gone, too, though the month is there
    expect([snapshotId, (await world.importRow(other.id)).snapshotId]).toEqual([expect.any(String), null])
  })

  test('is kept as long as others whose end is as late, though it was registered long before', async () => {
    const { id } = await lost()
    await world.db
      .update(imports)
      .set({ state: 'failed', finishedAt: monthOf(month, 5) })
      .where(eq(imports.id, id))
    world.clock.set(monthOf(month, 6))
    await keep({ snapshots: 1 })
    expect(await there()).toContain('snapshots')
    world.clock.set(monthOf(month, 7))
    await keep({ snapshots: 1 })
    expect(await there()).not.toContain('snapshots')
  })

  test('is not resumed into a month that somebody has detached by hand', async () => {
    const { id } = await lost()
    world.clock.set(monthOf(month, 6))
    const name = `skipped_lines_${shown({ month }).replace('-', '_')}`
    await world.db.execute(sql.raw(`ALTER TABLE skipped_lines DETACH PARTITION ${name}`))
    await expect(resume(id)).rejects.toMatchObject({ code: 'conflict' })
    await world.db.execute(sql.raw(`DROP TABLE ${name}`))
    await resume(id)
  })

  test('can be resumed while the month is on its way out', async () => {
    const { id } = await lost()
    world.clock.set(monthOf(month, 6))
    const reader = await world.database.pool.connect()
    await reader.query('BEGIN')
    for (const table of tablesOfImports) await reader.query(`SELECT FROM ${table} LIMIT 1`)
    await vi.waitUntil(async () => {
      const { held } = await keep(retention, 50)
      return held.length === 3 && (await there()).length === 0
    })
    await reader.query('COMMIT')
    reader.release()
    await resume(id)
    expect(await there()).toEqual([...tablesOfImports])
    expect(await recordReport(world.db, await world.changed(await world.importRow(id), {}))).toBe('stored')
  })

  test('is refused for now while months are being dropped, and stays as it was', async () => {
    const { id } = await lost()
    world.clock.set(monthOf(month, 6))
    await whileLocked(() => expect(resume(id)).rejects.toMatchObject({ code: 'unavailable' }))
    expect(await world.importRow(id)).toMatchObject({ state: 'lost' })
  })
})

test('an import of this month or the last isn’t held up by months that are being dropped', async () => {
  const { id } = await lost()
  world.clock.set(new Date(monthOf(month, 2).getTime() - 1))
  await whileLocked(() => resume(id))
  expect(await world.importRow(id)).toMatchObject({ state: 'pending', fingerprint: 'same' })
})

test('resuming and dropping at once never leave a tracked import without its month', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { id } = await lost()
    world.clock.set(monthOf(month, 6))
    await Promise.all([keep(), resume(id), keep()])
    expect(await there()).toEqual([...tablesOfImports])
    expect(await recordReport(world.db, await world.changed(await world.importRow(id), {}))).toBe('stored')
    await stopped(id)
    await keep()
    for (const table of tablesOfImports) await world.db.transaction((tx) => makePartition(tx, { table, month }))
  }
})
