import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLog } from '../../src/base/log.ts'
import { type HistoryRetention, historyTables } from '../../src/config/config.ts'
import { keepPartitions } from '../../src/history/drop-months.ts'
import { leastId, monthOf } from '../../src/history/months.ts'
import { makePartition, makePartitions, type Partition, storedPartitions } from '../../src/history/partitions.ts'
import { deleteOld } from '../../src/webhooks/prune.ts'
import { anOldImport, idAt, monthsBetween, monthsOf, type OldImport, shown, tablesWith } from '../reporting/history.ts'
import { manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const noSignal = new AbortController().signal
const clock = manualClock()
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

function keep(historyRetention: HistoryRetention, more: Partial<Parameters<typeof keepPartitions>[0]> = {}) {
  const deps = {
    db: database.db,
    clock,
    log: createLog('silent'),
    databaseTime: async () => clock.now(),
    historyRetention,
  }
  return keepPartitions({ ...deps, ...more }, noSignal)
}

const make = (partition: Partition) => database.db.transaction((tx) => makePartition(tx, partition))
const names = (partitions: Partition[]) => partitions.map((one) => `${one.table} ${shown(one)}`).sort()
const pending = async () => (await storedPartitions(database.db)).filter(({ state }) => state === 'detaching')

describe('over two years', () => {
  const months = { snapshots: 12, skipped_lines: 3, row_results: 6, events: 2, delivery_attempts: 2 }
  const start = new Date('2026-03-01T00:00:00.000Z')

  test('there is always room ahead, what is over goes on its day, and nothing else does', async () => {
    const written: { moment: Date; one: OldImport }[] = []
    for (let month = 0; month < 24; month += 1) {
      const first = monthOf(start, month)
      const last = new Date(monthOf(first, 1).getTime() - 1)
      for (const moment of [first, new Date(first.getTime() + 14 * 86_400_000), last]) {
        clock.set(moment)
        await deleteOld({ db: database.db, clock }, noSignal)
        await keep(months)
        written.push({ moment, one: await anOldImport(database, moment) })
        await keep(months) // and once more, with nothing to do
        for (const table of historyTables) {
          const kept = await monthsOf(database, table)
          expect(kept).toEqual(expect.arrayContaining(monthsBetween(monthOf(moment, -1), monthOf(moment, 3))))
          expect(kept[0] ?? '').toBe(shown({ month: later(monthOf(moment, -months[table]), monthOf(start, -1)) }))
        }
      }
    }
    for (const { moment, one } of written) {
      const isLogKept = moment >= new Date(clock.now().getTime() - 30 * 86_400_000) // webhooks/prune.ts
      const expected = historyTables.filter(
        (table) =>
          monthOf(moment) >= monthOf(clock.now(), -months[table]) && (table !== 'delivery_attempts' || isLogKept),
      )
      expect(await tablesWith(database, one), moment.toISOString()).toEqual(expected)
    }
    expect(await count('imports')).toBe(72)
  })

  test('without a retention everything stays', async () => {
    const before = await storedPartitions(database.db)
    clock.set(new Date('2040-05-05T00:00:00Z'))
    expect((await keep({})).dropped).toEqual([])
    const after = await storedPartitions(database.db)
    expect(after.map((one) => `${one.table} ${shown(one)}`)).toEqual(
      expect.arrayContaining(before.map((one) => `${one.table} ${shown(one)}`)),
    )
    expect(after).toHaveLength(before.length + 25)
  })
})

describe('a month is kept', () => {
  const everything = { snapshots: 1, skipped_lines: 1, row_results: 1, events: 2, delivery_attempts: 1 }
  let month: Date
  let next = new Date('2041-01-01T00:00:00Z')

  beforeEach(async () => {
    month = next
    next = monthOf(next, 12)
    await makePartitions(database.db, month)
    clock.set(monthOf(month, 6))
  })
  const isKept = async (table: (typeof historyTables)[number]) =>
    (await monthsOf(database, table)).includes(shown({ month }))

  test.each([
    ['tracked', { state: 'running' }],
    ['collected', { state: 'partial', nextCollectAt: new Date(0) }],
  ])('while an import of it is still %s', async (_what, columns) => {
    const { importId } = await anOldImport(database, new Date(month.getTime() + 86_400_000), columns)
    await database.pool.query('DELETE FROM deliveries')
    await keep(everything)
    expect(await Promise.all(historyTables.map(isKept))).toEqual([true, true, true, false, false])
    await database.pool.query('UPDATE imports SET finished_at = $2, next_collect_at = NULL WHERE id = $1', [
      importId,
      month,
    ])
    await keep(everything)
    expect(await Promise.all(historyTables.map(isKept))).toEqual([false, false, false, false, false])
  })

  test('while a delivery needs its event, or goes on with its attempts', async () => {
    await anOldImport(database, new Date(month.getTime() + 86_400_000), { deliveryState: 'pending' })
    await deleteOld({ db: database.db, clock }, noSignal)
    await keep(everything)
    expect(await Promise.all(historyTables.map(isKept))).toEqual([false, false, false, true, true])
    await database.pool.query(`UPDATE deliveries SET state = 'skipped', next_attempt_at = NULL`)
    await deleteOld({ db: database.db, clock }, noSignal)
    await keep(everything)
    expect(await Promise.all(historyTables.map(isKept))).toEqual([false, false, false, false, false])
  })
})

describe('dropping a month of 300,000 rows', () => {
  const rows = 300_000
  const retention = { skipped_lines: 3 }
  let big: Date
  let next = new Date('2061-01-01T00:00:00Z')

  let insertedInMs = 0

  beforeEach(async () => {
    big = next
    next = monthOf(next, 12)
    clock.set(monthOf(big, 6))
    await makePartitions(database.db, clock.now())
    await keep(retention)
    await make({ table: 'skipped_lines', month: big })
    const since = performance.now()
    await database.pool.query(
      `INSERT INTO skipped_lines SELECT $1, n / 1000, n % 1000, n, 1 FROM generate_series(0, ${rows - 1}) n`,
      [idAt(big)],
    )
    insertedInMs = performance.now() - since
  })
  const left = () =>
    count('skipped_lines', `import_id >= '${leastId(big)}' AND import_id < '${leastId(monthOf(big, 1))}'`)

  test('takes a small part of the time that its rows took to insert', async () => {
    expect(await left()).toBe(rows)
    const since = performance.now()
    expect(names((await keep(retention)).dropped)).toEqual([`skipped_lines ${shown({ month: big })}`])
    const tookMs = performance.now() - since
    expect(tookMs).toBeLessThan(insertedInMs / 2)
    expect(await left()).toBe(0)
  })

  test('waits for an open transaction that reads, and holds up neither it nor those who write', async () => {
    const importId = idAt(monthOf(big, 6))
    const reader = await database.pool.connect()
    const others = await database.pool.connect()
    const waitMs = 4_000
    const slowest = { read: 0, newRead: 0, write: 0 }
    const timed = async (what: keyof typeof slowest, work: () => Promise<unknown>) => {
      const since = performance.now()
      await work()
      slowest[what] = Math.max(slowest[what], performance.now() - since)
    }
    try {
      await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      expect((await reader.query('SELECT count(*)::int AS n FROM skipped_lines')).rows[0].n).toBe(rows)

      let dropping = true
      const kept = keep(retention, { waitMs }).finally(() => {
        dropping = false
      })
      let written = 0
      const writing = (async () => {
        for (; dropping; written += 1)
          await timed('write', () =>
            others.query('INSERT INTO skipped_lines VALUES ($1, 0, $2, 1, 1)', [importId, written]),
          )
      })()
      while (dropping) {
        await timed('read', () => reader.query('SELECT 1 FROM skipped_lines WHERE import_id = $1 LIMIT 1', [importId]))
        await timed('newRead', () => database.pool.query('SELECT 1 FROM skipped_lines ORDER BY import_id LIMIT 1'))
      }
      await writing
      expect(await kept).toMatchObject({ dropped: [], held: [{ table: 'skipped_lines', month: big }] })
      expect(await pending()).toHaveLength(1)
      // Who began before it goes on seeing it; who begins now doesn't.
      expect((await reader.query('SELECT count(*)::int AS n FROM skipped_lines')).rows[0].n).toBe(rows)
      expect(await left()).toBe(0)
      expect(await count('skipped_lines', `import_id = '${importId}'`)).toBe(written)
      expect(written).toBeGreaterThan(20)
      expect(Math.max(...Object.values(slowest))).toBeLessThan(waitMs / 2) // held up, one of them would have waited for all of it
      await reader.query('COMMIT')
    } finally {
      reader.release(true)
      others.release()
    }
    expect(names((await keep(retention)).dropped)).toEqual([`skipped_lines ${shown({ month: big })}`])
    expect(await pending()).toEqual([])
    expect(await count('skipped_lines', `import_id = '${importId}'`)).toBeGreaterThan(20)
  })
})

describe('whatever it is interrupted by', () => {
  const retention = { row_results: 2 }
  let month: Date
  let next = new Date('2081-01-01T00:00:00Z')

  beforeEach(async () => {
    month = next
    next = monthOf(next, 12)
    clock.set(monthOf(month, 6))
    await keep(retention)
    for (let later = 0; later < 5; later += 1) await make({ table: 'row_results', month: monthOf(month, -later) })
  })

  test('the next time finishes it, and then the others of the table', async () => {
    const reader = await database.pool.connect()
    await reader.query('BEGIN')
    await reader.query('SELECT 1 FROM row_results LIMIT 1')
    expect(names((await keep(retention, { waitMs: 50 })).held)).toHaveLength(1)
    expect(names((await keep(retention, { waitMs: 50 })).held)).toHaveLength(1)
    await makePartitions(database.db, monthOf(clock.now(), 1)) // is possible meanwhile
    await reader.query('COMMIT')
    reader.release()
    expect((await keep(retention)).dropped).toHaveLength(5)
    expect(await pending()).toEqual([])
  })

  test('what was detached and not dropped is dropped; what somebody else detached is not', async () => {
    const name = `row_results_${shown({ month }).replace('-', '_')}`
    await database.pool.query(`ALTER TABLE row_results DETACH PARTITION ${name}`)
    expect((await keep(retention)).dropped).toHaveLength(4)
    expect(await count(name)).toBe(0)
    await database.pool.query(`COMMENT ON TABLE ${name} IS 'Its time is over: it is being dropped.'`)
    expect(names((await keep(retention)).dropped)).toEqual([`row_results ${shown({ month })}`])
    await expect(count(name)).rejects.toThrow()
  })

  test('several processes at once drop each month once', async () => {
    const processes = await Promise.all(Array.from({ length: 4 }, () => keep(retention)))
    expect(processes.flatMap(({ dropped }) => dropped)).toHaveLength(5)
    expect(processes.flatMap(({ held }) => held)).toEqual([])
  })

  test('several processes at once make each month once', async () => {
    const far = new Date('2099-01-01T00:00:00Z')
    await Promise.all(Array.from({ length: 4 }, () => makePartitions(database.db, far)))
    expect((await monthsOf(database, 'events')).filter((one) => one >= '2098-12')).toHaveLength(5)
  })

  test('nothing more is dropped when it is told to stop', async () => {
    const deps = { db: database.db, clock, log: createLog('silent'), historyRetention: retention }
    expect((await keepPartitions(deps, AbortSignal.abort())).dropped).toEqual([])
    expect((await keep(retention)).dropped).toHaveLength(5)
  })

  test('a process whose clock is ahead drops nothing before its time', async () => {
    await keep(retention)
    const before = await monthsOf(database, 'snapshots')
    const now = clock.now()
    clock.advance(1_200 * 86_400_000)
    expect((await keep(retention, { databaseTime: async () => now })).dropped).toEqual([])
    expect(await monthsOf(database, 'snapshots')).toEqual(expect.arrayContaining(before))
    clock.set(now)
  })
})

async function count(table: string, where = 'true'): Promise<number> {
  const { rows } = await database.db.execute<{ n: number }>(
    sql.raw(`SELECT count(*)::int AS n FROM ${table} WHERE ${where}`),
  )
  return rows[0]?.n ?? 0
}

function later(one: Date, other: Date): Date {
  return one > other ? one : other
}
