// Owns that a database of an older version is asked as if the service had learnt from its imports all along.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { durationAt } from '../../src/baselines/baseline.ts'
import { everyImport } from '../../src/baselines/kind.ts'
import { createBaselines } from '../../src/baselines/read.ts'
import { migrate } from '../../src/db/migrate.ts'
import { baselines } from '../../src/db/schema/index.ts'
import { cdq } from '../../src/providers/cdq.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { migrateUpTo } from '../support/older-schema.ts'

const before = '0021_share_budgets'
const start = new Date('2026-10-05T08:00:00.000Z')
const second = 1_000

let database: TestDatabase
const [busy, idle] = [newId(), newId()]
const told = newId()

beforeAll(async () => {
  database = await createTestDatabase()
  await migrateUpTo(database, before)
  for (const [id, name] of [
    [busy, 'busy'],
    [idle, 'idle'],
  ])
    await insert('connections', {
      ...{ id, name, provider: 'cdq', credentials: 'sealed', settings: {}, limits: {} },
      ...{ created_at: start, updated_at: start },
    })
  for (let index = 0; index < 140; index++) await ended(newId(), index, {})
  // The vendor says when this one ran, by a clock that is an hour ahead.
  const byTheirs = (ms: number) => after(start, 140 * 3_600_000 + 3_600_000 + ms)
  await ended(told, 140, {
    provider_started_at: byTheirs(2 * second),
    provider_finished_at: byTheirs(97 * second),
    provider_clock_ahead_ms: 3_600_000,
  })
  await ended(newId(), 141, { provider_started_at: new Date('1970-01-01T00:00:00Z') })
  await ended(newId(), 142, { state: 'lost' })
  await ended(newId(), 143, { resumed_at: start })
  await migrate(database)
})
afterAll(() => database.close())

/** An import that ran for some 100 s: seen live after 90 s, and over after 110 s. */
async function ended(id: string, index: number, columns: Record<string, unknown>): Promise<void> {
  const at = after(start, index * 3_600_000)
  const [live, over] = [after(at, 90 * second), after(at, 110 * second)]
  const snapshotIds = [newId(), newId()]
  await insert('imports', {
    ...{ id, connection_id: busy, job_id: `job-${index}`, state: 'succeeded', registered_at: at, finished_at: over },
    ...{ deadline_ms: 86_400_000, deadline_at: after(at, 86_400_000), first_polled_at: at, last_polled_at: over },
    ...{ polls: 3, snapshot_id: snapshotIds[1], metadata: {}, ...columns },
  })
  await insert('snapshots', {
    ...{ id: snapshotIds[0], import_id: id, state: 'running', rows: {}, body: {}, first_seen_at: at },
    ...{ last_seen_at: live, polls: 2 },
  })
  await insert('snapshots', {
    ...{ id: snapshotIds[1], import_id: id, state: 'succeeded', rows: {}, body: {}, first_seen_at: over },
    ...{ last_seen_at: over, polls: 1 },
  })
}

async function insert(table: string, columns: Record<string, unknown>): Promise<void> {
  const values = Object.values(columns).map((value) =>
    typeof value === 'object' && value !== null && !(value instanceof Date) ? JSON.stringify(value) : value,
  )
  const names = Object.keys(columns).map((name) => `"${name}"`)
  await database.pool.query(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${values.map((_, at) => `$${at + 1}`).join(', ')})`,
    values,
  )
}

test('the newest imports of each connection are learnt from', async () => {
  const [row, ...others] = await database.db.select().from(baselines)
  expect(others).toEqual([])
  expect(row).toMatchObject({ connectionId: busy, kind: everyImport, revision: 128, history: { ended: 128 } })
  expect(row?.medianMs).toBe(100_000)
  const recent = row?.history.recent ?? []
  expect(recent).toHaveLength(128)
  const at = (index: number) => start.getTime() + index * 3_600_000
  expect(recent.at(-3)).toEqual([at(139) + 100_000, 100_000, 20_000])
  expect(recent.at(-2)).toEqual([at(140) + 97_000, 95_000, 0])
  // A start in 1970 is none: it began when it was registered.
  expect(recent.at(-1)).toEqual([at(141) + 100_000, 100_000, 20_000])
})

test('how long they ran is kept with them', async () => {
  const { rows } = await database.pool.query('SELECT ran_ms, detection_gap_ms FROM imports WHERE id = $1', [told])
  expect(rows).toEqual([{ ran_ms: '95000', detection_gap_ms: '20000' }])
  const { rows: unknown } = await database.pool.query(
    `SELECT state, resumed_at IS NOT NULL AS resumed FROM imports WHERE ran_ms IS NULL AND job_id > 'job-13' ORDER BY job_id`,
  )
  expect(unknown).toEqual(
    expect.arrayContaining([
      { state: 'lost', resumed: false },
      { state: 'succeeded', resumed: true },
    ]),
  )
})

test('what is reported of them stays when their snapshots go', async () => {
  const report = async () => {
    const imports = await database.pool.query(
      'SELECT ended_at, total_s, detection_gap_s FROM reporting.imports WHERE import_id = $1',
      [told],
    )
    const usual = await database.pool.query('SELECT n, median_s FROM reporting.duration_baseline')
    const silent = await database.pool.query(
      `SELECT ended_at, total_s, detection_gap_s FROM reporting.imports WHERE job_id = 'job-139'`,
    )
    return [imports.rows, silent.rows, usual.rows]
  }
  const reported = await report()
  expect(reported[1]).toMatchObject([{ total_s: 100, detection_gap_s: 20 }])
  await database.pool.query(
    `DELETE FROM snapshots WHERE import_id IN (SELECT id FROM imports WHERE ran_ms IS NOT NULL)`,
  )
  expect((await report()).slice(0, 2)).toEqual(reported.slice(0, 2))
  const { rows } = await database.pool.query('SELECT median_s FROM reporting.duration_baseline')
  expect(rows[0].median_s).toBeCloseTo(100)
})

test('the service goes by it', async () => {
  const asked = [
    { id: busy, provider: cdq, revision: 128 },
    { id: idle, provider: cdq, revision: null },
  ]
  const known = await createBaselines().read(database.db, asked, after(start, 30 * 86_400_000))
  for (const id of [busy, idle]) {
    const usual = known.get(id)?.ofConnection
    expect(usual && durationAt(usual, 0.5)).toBeCloseTo(100_000, -4)
  }
})
