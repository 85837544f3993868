// Owns asking the filled history: every query several times, as a role that may read the views alone, and its plan.
import type { PoolClient } from 'pg'
import { historyTables } from '../src/config/config.ts'
import type { OpenDatabase } from '../src/db/client.ts'
import { readCookbook } from '../test/support/cookbook.ts'
import { median, percentile, print } from './figures.ts'

const runs = 11
/** Fewer of those that take long, so that the benchmark ends. */
const runsOfSlow = 3
const slowMs = 3_000

interface Query {
  title: string
  sql: string
  targetMs: number
}

const dashboard: Query[] = [
  { title: 'open_imports', sql: 'SELECT * FROM reporting.open_imports', targetMs: 200 },
  {
    title: 'daily_outcomes, 30 days',
    sql: `SELECT * FROM reporting.daily_outcomes WHERE day >= (now() AT TIME ZONE 'UTC')::date - 30`,
    targetMs: 200,
  },
]

/** Prints a line a query: how long it takes, against its target, and which partitions it reads from end to end. */
export async function askHistory({ pool }: OpenDatabase): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query("SET ROLE reporting_reader; SET timezone = 'UTC'")
    const cookbook = (await readCookbook()).map(({ number, title, sql }) => ({
      title: `${number}. ${title}`,
      sql,
      targetMs: 2_000,
    }))
    const rows: string[][] = []
    for (const query of [...dashboard, ...cookbook]) rows.push(await measureQuery(client, query))
    print(['query', 'rows', 'first, ms', 'median, ms', 'p95, ms', 'target', 'scanned whole'], rows)
  } finally {
    client.release(true)
  }
}

async function measureQuery(client: PoolClient, { title, sql, targetMs }: Query): Promise<string[]> {
  const first = await timeOf(client, sql)
  const times: number[] = []
  for (let run = 0; run < (first.ms > slowMs ? runsOfSlow : runs); run++) times.push((await timeOf(client, sql)).ms)
  const scanned = await scannedPartitions(client, sql)
  return [
    title,
    String(first.rows),
    first.ms.toFixed(1),
    median(times).toFixed(1),
    percentile(times, 0.95).toFixed(1),
    median(times) < targetMs ? `< ${targetMs}` : `MISSED: ${targetMs}`,
    scanned.length > 0 ? scanned.join(', ') : 'none',
  ]
}

async function timeOf(client: PoolClient, sql: string): Promise<{ rows: number; ms: number }> {
  const startedAt = performance.now()
  const { rowCount } = await client.query(sql)
  return { rows: rowCount ?? 0, ms: performance.now() - startedAt }
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Actual Loops': number
  Plans?: PlanNode[]
}

const partition = new RegExp(`^(${historyTables.join('|')})_\\d{4}_\\d{2}$`)

/** The partitions that the plan reads from end to end, but for those of less than a megabyte, such as empty ones. */
async function scannedPartitions(client: PoolClient, sql: string): Promise<string[]> {
  const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`)
  const scanned = new Set(nodesOf(rows[0]['QUERY PLAN'][0].Plan as PlanNode).flatMap(scannedWhole))
  const filled: string[] = []
  for (const name of scanned) {
    const size = await client.query('SELECT pg_relation_size($1::regclass) > 1048576 AS "isFilled"', [name])
    if (size.rows[0].isFilled) filled.push(name)
  }
  return filled
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

function scannedWhole(node: PlanNode): string[] {
  const { 'Node Type': type, 'Relation Name': relation = '', 'Actual Loops': loops } = node
  return /Seq Scan$/.test(type) && loops > 0 && partition.test(relation) ? [relation] : []
}
