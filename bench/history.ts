// How large the history gets, how fast it answers when it is large (every query of docs/cookbook.md and those of a
// dashboard, with a look at their plans), and what dropping a month of it costs those who read and write meanwhile.
// `--scale 0.1` fills a tenth; the settings are the embedded database's, but for the log that the filling needs.
import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import { historyTables } from '../src/config/config.ts'
import type { Database } from '../src/db/client.ts'
import { rollUp } from '../src/reporting/daily-outcomes.ts'
import { print, whole } from './figures.ts'
import { dropMonth } from './history-drop.ts'
import { fillHistory, fillOldestMonth, fullVolume } from './history-fill.ts'
import { askHistory } from './history-queries.ts'
import { startDatabase } from './services.ts'

const settings = { max_wal_size: '8GB', checkpoint_timeout: '30min' }

export async function run(options: string[]): Promise<void> {
  const { values } = parseArgs({ args: options, options: { scale: { type: 'string', default: '1' } } })
  const scale = Number(values.scale)
  if (!(scale > 0)) throw new Error('--scale must be a number above 0, such as 0.1.')
  const volume = {
    imports: Math.ceil(fullVolume.imports * scale),
    linesOfOldestMonth: Math.ceil(fullVolume.linesOfOldestMonth * scale),
  }
  const services = await startDatabase(settings)
  try {
    const { db } = services.database
    await timed('The history is filled', () => fillHistory(db, volume))
    await markAllDays(db)
    await timed('All days are computed (once, after an upgrade)', () => rollUpAll(db))
    await db.execute(sql`VACUUM (ANALYZE) daily_outcomes, daily_skipped_columns, daily_outcomes_due`)
    await printSizes(db)
    await timed('A tick with nothing new', () => rollUpAll(db))
    await endMore(db, 100)
    await timed('A tick after 100 imports have ended', () => rollUpAll(db))
    await askHistory(services.database)
    await timed('One more month is filled', () => fillOldestMonth(db, volume))
    await db.execute(sql`CHECKPOINT`)
    await dropMonth(services.database, volume)
  } finally {
    await services.close()
  }
}

function rollUpAll(db: Database): Promise<void> {
  return rollUp({ db }, new AbortController().signal)
}

/** Nobody has: the history was filled past the service. */
async function markAllDays(db: Database): Promise<void> {
  await db.execute(sql`
    INSERT INTO daily_outcomes_due (day, connection_id)
    SELECT (registered_at AT TIME ZONE 'UTC')::date, connection_id FROM imports
    UNION SELECT (finished_at AT TIME ZONE 'UTC')::date, connection_id FROM imports WHERE finished_at IS NOT NULL`)
}

/** As if that many imports had ended again just now. */
async function endMore(db: Database, count: number): Promise<void> {
  await db.execute(sql`
    INSERT INTO daily_outcomes_due (day, connection_id)
    SELECT (now() AT TIME ZONE 'UTC')::date, connection_id
    FROM imports WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT ${count}`)
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now()
  await work()
  console.log(`${what}: ${((performance.now() - startedAt) / 1_000).toFixed(2)} s`)
}

async function printSizes(db: Database): Promise<void> {
  const tables = ['imports', 'detail_pages', ...historyTables, 'deliveries', 'daily_outcomes', 'daily_skipped_columns']
  const rows: string[][] = []
  for (const table of tables) {
    const [size] = (
      await db.execute<{ rows: number; heap: number; indexes: number }>(sql`
        SELECT (SELECT count(*)::float8 FROM ${sql.identifier(table)}) AS rows,
          sum(pg_table_size(relid))::float8 AS heap, sum(pg_indexes_size(relid))::float8 AS indexes
        FROM (SELECT ${table}::regclass AS relid UNION SELECT relid FROM pg_partition_tree(${table})) AS tables`)
    ).rows
    if (!size) continue
    const perRow = (bytes: number) => (size.rows > 0 ? whole(bytes / size.rows) : '')
    rows.push([
      table,
      whole(size.rows),
      whole((size.heap + size.indexes) / 1e6),
      perRow(size.heap),
      perRow(size.indexes),
      perRow(size.heap + size.indexes),
    ])
  }
  print(['table', 'rows', 'MB', 'bytes a row', 'of indexes', 'together'], rows)
}
