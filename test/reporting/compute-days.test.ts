import { sql } from 'drizzle-orm'
import { beforeEach, describe, expect, test } from 'vitest'
import { after as later } from '../../src/base/clock.ts'
import { createLog } from '../../src/base/log.ts'
import { keepPartitions } from '../../src/history/drop-months.ts'
import { monthOf } from '../../src/history/months.ts'
import { makePartitions, tablesOfImports } from '../../src/history/partitions.ts'
import { deleteImport } from '../../src/imports/delete.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { markDays, rollUp } from '../../src/reporting/daily-outcomes.ts'
import { recordReport } from '../imports/recording.ts'
import { aPage } from '../support/worlds/polls.ts'
import { useWorld } from '../support/worlds/world.ts'
import { idAt, monthsOf, shown } from './history.ts'

const world = useWorld()
const signal = new AbortController().signal
const tick = () => rollUp(world, signal)
let month = new Date('2031-01-01T00:00:00Z')
let connectionId: string

beforeEach(async () => {
  month = monthOf(month, 12)
  await makePartitions(world.db, month)
  world.clock.set(later(month, 86_400_000))
  connectionId = (await world.connection()).id
})

/** Registered on the second of the month. */
async function registered(registeredAt = later(month, 86_400_000)): Promise<string> {
  return (await world.import({ id: idAt(registeredAt), connectionId, registeredAt })).id
}

/** Seen running so many seconds after it was registered, and over two seconds later, with these columns skipped. */
async function ended(id: string, seconds: number, columns: number[], finishedAt: Date | null = null): Promise<void> {
  const { registeredAt } = await world.importRow(id)
  const seen = await world.changed(await world.importRow(id), {})
  await recordReport(world.db, { ...seen, polledAt: later(registeredAt, seconds * 1_000) })
  const over = await world.changed(await world.importRow(id), { state: 'partial', finishedAt })
  const details = aPage({ skippedLines: columns.map((column, line) => ({ line, column })) })
  const polledAt = later(registeredAt, (seconds + 2) * 1_000)
  await recordReport(world.db, { ...over, polledAt, answer: { ...over.answer, details } })
}

async function dropMonth(): Promise<void> {
  world.clock.set(monthOf(month, 6))
  const historyRetention = { snapshots: 2, skipped_lines: 2, row_results: 2 }
  await keepPartitions(
    {
      db: world.db,
      clock: world.clock,
      databaseTime: async () => world.clock.now(),
      log: createLog('silent'),
      historyRetention,
    },
    signal,
  )
  for (const table of tablesOfImports) expect(await monthsOf(world.database, table)).not.toContain(shown({ month }))
}

async function outcome() {
  const { rows } = await world.db.execute(sql`
    SELECT registered, partial, stopped, total_p50_s AS p50, total_p99_s AS p99 FROM daily_outcomes
    WHERE connection_id = ${connectionId} AND day = ${later(month, 86_400_000)}::timestamptz::date`)
  return rows[0]
}

async function columns() {
  const { rows } = await world.db.execute<{ column: number; lines: number; imports: number }>(sql`
    SELECT "column"::int, lines::int, imports FROM daily_skipped_columns WHERE connection_id = ${connectionId} ORDER BY 1`)
  return rows.map(({ column, lines, imports }) => [column, lines, imports])
}

describe('a day whose history was dropped', () => {
  let [one, other, stopped] = ['', '', '']

  beforeEach(async () => {
    one = await registered()
    other = await registered()
    stopped = await registered()
    await ended(one, 9, [1, 1, 2])
    await ended(other, 19, [2])
    world.clock.set(later(month, 90_000_000))
    await stopImport(world, stopped)
    await tick()
    expect(await outcome()).toEqual({ registered: 3, partial: 2, stopped: 1, p50: 15, p99: 19.9 })
    expect(await columns()).toEqual(allColumns)
    await dropMonth()
  })
  const allColumns = [
    [1, 2, 1],
    [2, 2, 2],
  ]

  test('keeps what came of it when an import is resumed', async () => {
    await resumeImport(world, stopped)
    await tick()
    expect(await outcome()).toEqual({ registered: 3, partial: 2, stopped: 0, p50: 15, p99: 19.9 })
    expect(await columns()).toEqual(allColumns)
  })

  test('keeps what came of it when an import is deleted, until nothing of it is left', async () => {
    await deleteImport(world, one)
    await tick()
    expect(await outcome()).toEqual({ registered: 2, partial: 1, stopped: 1, p50: 15, p99: 19.9 })
    expect(await columns()).toEqual(allColumns)
    await deleteImport(world, other)
    await tick()
    expect(await outcome()).toEqual({ registered: 1, partial: 0, stopped: 1, p50: null, p99: null })
    expect(await columns()).toEqual([])
    await deleteImport(world, stopped)
    await tick()
    expect(await outcome()).toBeUndefined()
  })

  test('has what is left of it where nothing was computed before', async () => {
    await world.db.execute(sql`TRUNCATE daily_outcomes, daily_skipped_columns`)
    const last = new Date(monthOf(month, 1).getTime() - 1)
    const [gone, there] = [await registered(later(last, -1_000)), await registered(later(last, 1))]
    await makePartitions(world.db, month)
    await ended(there, 9, [7])
    await world.db.execute(sql`
      UPDATE imports SET state = 'partial', skipped_lines = 3, details_state = 'complete',
        finished_at = ${later(last, 1_000)} WHERE id = ${gone}`)
    await world.db.transaction((tx) => markDays(tx, [connectionId], [later(last, 1_000)]))
    await tick()
    expect(await columns()).toEqual([[7, 1, 1]])
  })
})

test('a day keeps its skipped columns alone where the provider told all ends', async () => {
  const [one, other] = [await registered(), await registered()]
  const { registeredAt } = await world.importRow(one)
  await ended(one, 9, [1], later(registeredAt, 10_000))
  await ended(other, 9, [2], later(registeredAt, 20_000))
  await tick()
  expect(await outcome()).toMatchObject({ p50: 15 })
  await dropMonth()
  await deleteImport(world, one)
  await tick()
  expect(await outcome()).toMatchObject({ partial: 1, p50: 20, p99: 20 })
  expect(await columns()).toEqual([
    [1, 1, 1],
    [2, 1, 1],
  ])
})

test('a day of which nothing was dropped forgets the columns of what is deleted', async () => {
  const [one, other] = [await registered(), await registered()]
  await ended(one, 9, [1, 2])
  await ended(other, 9, [2])
  await tick()
  await deleteImport(world, one)
  await tick()
  expect(await columns()).toEqual([[2, 1, 1]])
})
