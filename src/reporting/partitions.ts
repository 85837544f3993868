// Owns the partitions of the history: which tables are kept by the month, and that there is one for every month that
// something may be written to. Dropping them is retention.ts's.
//
// There is no default partition: it would forbid detaching one without locking everybody out. A row of a month that has
// no partition is refused, so they are made three months ahead.
import { sql } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { leastId, monthNamed, monthOf, nameOf } from './months.ts'

/** The tables that are kept by the month, with the id that says which month a row is of. */
export const historyTables = {
  snapshots: 'import_id',
  skipped_lines: 'import_id',
  row_results: 'import_id',
  events: 'id',
  delivery_attempts: 'delivery_id',
} as const

export type HistoryTable = keyof typeof historyTables
export const historyTableNames = Object.keys(historyTables) as HistoryTable[]

/** What is kept of imports by the month in which they were registered. */
export const importTables = historyTableNames.filter((table) => historyTables[table] === 'import_id')

export interface Partition {
  table: HistoryTable
  month: Date
}

/** One that is there; `isDetaching`: it is being taken out, and already isn't seen by those who read the table. */
export interface StoredPartition extends Partition {
  isDetaching: boolean
}

const monthsAhead = 3
/** How long anything here waits for a lock that somebody else holds. */
export const lockTimeout = '5s'
/** Partitions are made and dropped by one process at a time. */
export const partitionsLock = 0x70617274 // "part"

/**
 * Makes what is missing from the month before (for a process whose clock is late) to three months ahead. Readers and
 * writers go on meanwhile. Safe in several processes at once.
 */
export async function makePartitions(db: Database, now: Date): Promise<void> {
  const months = Array.from({ length: monthsAhead + 2 }, (_, index) => monthOf(now, index - 1))
  const wanted = historyTableNames.flatMap((table) => months.map((month) => ({ table, month })))
  if ((await missing(db, wanted)).length === 0) return
  await db.transaction(async (tx) => {
    await lockPartitions(tx)
    for (const partition of await missing(tx, wanted)) await makePartition(tx, partition)
  })
}

/** Nobody else makes or drops partitions until the transaction ends. */
export async function lockPartitions(tx: Transaction): Promise<void> {
  await tx.execute(
    sql`SELECT set_config('lock_timeout', ${lockTimeout}, true), pg_advisory_xact_lock(${partitionsLock})`,
  )
}

/** Makes one that isn't there. By attaching, which unlike `PARTITION OF` locks nobody out. */
export async function makePartition(tx: Transaction, { table, month }: Partition): Promise<void> {
  const name = partitionName({ table, month })
  await tx.execute(sql.raw(`CREATE TABLE ${name} (LIKE ${table} INCLUDING ALL)`))
  await tx.execute(
    sql.raw(`
    ALTER TABLE ${table} ATTACH PARTITION ${name}
    FOR VALUES FROM ('${leastId(month)}') TO ('${leastId(monthOf(month, 1))}')`),
  )
}

/** What there is, the oldest month first. */
export async function storedPartitions(db: Database | Transaction): Promise<StoredPartition[]> {
  const { rows } = await db.execute<{ table: HistoryTable; name: string; isDetaching: boolean }>(sql`
    SELECT parent.relname AS table, child.relname AS name, inhdetachpending AS "isDetaching"
    FROM pg_inherits
    JOIN pg_class parent ON parent.oid = inhparent
    JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent IN (SELECT to_regclass(name) FROM unnest(${sql.param(historyTableNames)}::text[]) AS name)
    ORDER BY child.relname`)
  return rows.flatMap(({ table, name, isDetaching }) => {
    const month = monthNamed(name.slice(table.length + 1))
    return month === null ? [] : { table, month, isDetaching }
  })
}

/** `snapshots_2026_11` */
export function partitionName({ table, month }: Partition): string {
  return `${table}_${nameOf(month)}`
}

async function missing(db: Database | Transaction, wanted: readonly Partition[]): Promise<Partition[]> {
  const names = new Set((await storedPartitions(db)).map(partitionName))
  return wanted.filter((partition) => !names.has(partitionName(partition)))
}
