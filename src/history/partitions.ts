// Owns the partitions of the history: each table has one for every month that may be written to. drop-months.ts drops
// them, and reopen.ts brings them back.
//
// There is no default partition, because detaching one would then lock everybody out. Postgres refuses a row whose
// month has no partition, so partitions are made three months ahead.
import { setTimeout as delay } from 'node:timers/promises'
import { type SQL, sql } from 'drizzle-orm'
import { type HistoryTable, historyTables } from '../config/config.ts'
import type { Database, Transaction } from '../db/client.ts'
import { leastId, monthNamed, monthOf, nameOf } from './months.ts'

/**
 * The tables partitioned by the month in which their import was registered (`import_id`). Events go by their own month
 * (`id`), attempts by that of their delivery (`delivery_id`).
 */
export const tablesOfImports = ['snapshots', 'skipped_lines', 'row_results'] as const satisfies HistoryTable[]

export interface Partition {
  table: HistoryTable
  month: Date
}

/**
 * - `attached`: it is read and written.
 * - `detaching`: detaching has begun. Only transactions that began earlier still read or write it.
 * - `apart`: it is a table of its own.
 */
export interface StoredPartition extends Partition {
  state: 'attached' | 'detaching' | 'apart'
  /**
   * This service has begun to drop it. A partition that somebody else detached, for instance to archive it, isn't ours
   * to drop.
   */
  isMarked: boolean
}

/** The comment on partitions that are being dropped. */
export const dropMark = 'Its time is over: it is being dropped.'
/** How long any statement here waits for a lock, in milliseconds. */
export const lockTimeoutMs = 5_000

/** One process at a time makes and drops partitions. */
const partitionsLock = 0x70617274 // "part"
const lookAgainMs = 50
const monthsAhead = 3

/**
 * Makes the missing partitions, from the month before (for a process whose clock is late) to three months ahead.
 * Readers and writers aren't held up. Several processes may run it at once.
 */
export async function makePartitions(db: Database, now: Date): Promise<void> {
  const months = Array.from({ length: monthsAhead + 2 }, (_, index) => monthOf(now, index - 1))
  const wanted = historyTables.flatMap((table) => months.map((month) => ({ table, month })))
  if ((await missing(db, wanted)).length === 0) return
  await db.transaction(async (tx) => {
    if (!(await lockPartitions(tx))) throw new Error('Another process is making or dropping partitions.')
    for (const partition of await missing(tx, wanted)) await makePartition(tx, partition)
  })
}

/**
 * Locks the making and dropping of partitions until the transaction ends. Returns false if another process holds the
 * lock for long.
 */
export async function lockPartitions(tx: Transaction): Promise<boolean> {
  await tx.execute(sql`/* partition.lock_timeout */ SELECT set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`)
  return takeLock(tx, sql`pg_try_advisory_xact_lock(${partitionsLock})`, lockTimeoutMs)
}

/** Locks as `lockPartitions` does, until the connection closes. */
export async function lockPartitionsOnConnection(session: Pick<Database, 'execute'>, waitMs: number): Promise<boolean> {
  await session.execute(sql`/* partition.lock_timeout */ SELECT set_config('lock_timeout', ${String(waitMs)}, false)`)
  return takeLock(session, sql`pg_try_advisory_lock(${partitionsLock})`, waitMs)
}

/**
 * Tries again and again instead of waiting: a waiting statement holds a snapshot, and detaching a partition waits for
 * older snapshots.
 */
async function takeLock(db: Pick<Database, 'execute'>, lock: SQL, waitMs: number): Promise<boolean> {
  for (const until = performance.now() + waitMs; ; await delay(lookAgainMs)) {
    const { rows } = await db.execute<{ isTaken: boolean }>(sql`/* partition.lock */ SELECT ${lock} AS "isTaken"`)
    if (rows[0]?.isTaken) return true
    if (performance.now() > until) return false
  }
}

/** Makes a missing partition by attaching a table, which unlike `PARTITION OF` locks nobody out. */
export async function makePartition(tx: Transaction, partition: Partition): Promise<void> {
  const { table, month } = partition
  const name = nameOfPartition(partition)
  await tx.execute(sql`CREATE TABLE ${name} (LIKE ${sql.identifier(table)} INCLUDING ALL)`)
  await tx.execute(sql`
    ALTER TABLE ${sql.identifier(table)} ATTACH PARTITION ${name}
    FOR VALUES FROM (${literal(leastId(month))}) TO (${literal(leastId(monthOf(month, 1)))})`)
}

/** Returns the stored partitions by their names, the oldest month first. */
export async function storedPartitions(db: Pick<Database, 'execute'>): Promise<StoredPartition[]> {
  const { rows } = await db.execute<Omit<StoredPartition, 'month'> & { name: string }>(sql`
    /* partition.list */
    SELECT history.name AS table, substr(kept.relname, length(history.name) + 2) AS name,
      CASE WHEN inhrelid IS NULL THEN 'apart' WHEN inhdetachpending THEN 'detaching' ELSE 'attached' END AS state,
      coalesce(obj_description(kept.oid, 'pg_class') = ${dropMark}, false) AS "isMarked"
    FROM unnest(${sql.param(historyTables)}::text[]) AS history (name)
    JOIN pg_class kept ON kept.relname ~ ('^' || history.name || '_\\d{4}_\\d{2}$')
      AND kept.relkind = 'r' AND pg_table_is_visible(kept.oid)
    LEFT JOIN pg_inherits ON inhrelid = kept.oid AND inhparent = to_regclass(history.name)
    ORDER BY name, history.name`)
  return rows.map(({ name, ...row }) => ({ ...row, month: monthNamed(name) }))
}

/** `"snapshots_2026_11"` */
export function nameOfPartition({ table, month }: Partition): SQL {
  return sql`${sql.identifier(`${table}_${nameOf(month)}`)}`
}

export function isSame(one: Partition, other: Partition): boolean {
  return one.table === other.table && one.month.getTime() === other.month.getTime()
}

/**
 * Returns the partitions that exist in no state. A partition that is being dropped is in the past, so it is never
 * wanted.
 */
async function missing(db: Pick<Database, 'execute'>, wanted: readonly Partition[]): Promise<Partition[]> {
  const stored = await storedPartitions(db)
  return wanted.filter((partition) => !stored.some((one) => isSame(one, partition)))
}

/** An id as a literal, for statements without parameters. An id has hexadecimal digits only. */
function literal(id: string): SQL {
  return sql.raw(`'${id}'`)
}
