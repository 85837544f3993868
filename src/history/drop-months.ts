// Owns dropping months of history past their retention, without locking anybody out. A month is detached concurrently:
// that waits for readers of the table and holds up none. It is dropped once no reader sees it. If anything interrupts
// this, the next run continues from there.
import { type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { HistoryRetention, HistoryTable } from '../config/config.ts'
import type { Database } from '../db/client.ts'
import { isLockTimeout } from './lock-timeout.ts'
import { leastId, monthOf } from './months.ts'
import {
  dropMark,
  isSame,
  lockPartitionsOnConnection,
  lockTimeoutMs,
  makePartitions,
  nameOfPartition,
  type Partition,
  type StoredPartition,
  storedPartitions,
} from './partitions.ts'

type Session = Pick<Database, 'execute'>

export interface KeepDeps {
  db: Database
  clock: Clock
  log: Log
  historyRetention: HistoryRetention
  /** The database's time. What is dropped is gone for good, so a clock of ours that is ahead must not decide. */
  databaseTime?: () => Promise<Date>
  /** How long to wait for readers of a table before the rest is left to the next run. */
  waitMs?: number
}

/**
 * The dropped months, and the held ones: readers use the table for long, or another process makes or drops partitions.
 */
export interface Kept {
  dropped: Partition[]
  held: Partition[]
}

/** Makes partitions ahead and drops those past their retention. Several processes may run it at once. */
export async function keepPartitions(
  { db, clock, log, historyRetention, databaseTime = () => readTime(db), waitMs = lockTimeoutMs }: KeepDeps,
  signal: AbortSignal,
): Promise<Kept> {
  await makePartitions(db, clock.now())
  const now = new Date(Math.min(clock.now().getTime(), (await databaseTime()).getTime()))
  const kept: Kept = { dropped: [], held: [] }
  for (const { table, month, ...stored } of await storedPartitions(db)) {
    const partition = { table, month }
    const isOurs = stored.isMarked || stored.state === 'attached'
    // A table can have only one partition that is being detached.
    if (signal.aborted || !isOurs || kept.held.some((one) => one.table === table)) continue
    if (!isPast(historyRetention[table], month, now)) {
      if (stored.isMarked && stored.state !== 'attached')
        log.warn(partition, 'month of history is detached, since it was to be dropped; it is left so')
      continue
    }
    const keptSince = monthOf(now, -(historyRetention[table] ?? 0))
    const outcome = await whileLocked(db, waitMs, (session) => drop(session, partition, keptSince)).catch(
      (error: unknown) => {
        log.error({ err: error, ...partition }, 'month of history could not be dropped')
        return 'held' as const
      },
    )
    if (outcome === 'needed') continue
    kept[outcome].push(partition)
    if (outcome === 'dropped') log.info(partition, 'month of history dropped')
    else log.warn(partition, 'month of history could not be dropped yet: its table is in use, or it failed')
  }
  return kept
}

async function readTime(db: Database): Promise<Date> {
  const { rows } = await db.execute<{ now: Date | string }>(sql`/* database.now */ SELECT now() AS now`)
  return new Date(rows[0]?.now ?? 0)
}

/** Returns true if that many whole months have passed since this one. */
function isPast(months: number | undefined, month: Date, now: Date): boolean {
  return months !== undefined && monthOf(month, months + 1) <= now
}

/**
 * Runs the work on a connection of its own, while no other process makes or drops partitions. Returns `held` if the
 * lock isn't free in time.
 */
async function whileLocked<Result>(
  db: Database,
  waitMs: number,
  work: (session: Session) => Promise<Result>,
): Promise<Result | 'held'> {
  const client = await db.$client.connect()
  const session = drizzle({ client })
  try {
    return (await lockPartitionsOnConnection(session, waitMs)) ? await work(session) : 'held'
  } catch (error) {
    if (isLockTimeout(error)) return 'held'
    throw error
  } finally {
    client.release(true) // this also releases the lock and the timeout
  }
}

async function drop(session: Session, partition: Partition, keptSince: Date): Promise<'dropped' | 'needed'> {
  const stored = (await storedPartitions(session)).find((one) => isSame(one, partition))
  if (!stored) return 'needed' // another process was first
  if (stored.state === 'attached' && (await isNeeded(session, partition, keptSince))) return 'needed'
  for (const statement of takingOut(stored)) await session.execute(statement)
  await session.execute(sql`DROP TABLE ${nameOfPartition(partition)}`)
  return 'dropped'
}

/**
 * Returns the statements that detach a partition. They can't run in a transaction. Each one takes effect by itself, and
 * may be the last one before an interruption.
 */
function takingOut({ state, ...partition }: StoredPartition): SQL[] {
  const name = nameOfPartition(partition)
  const detach = sql`ALTER TABLE ${sql.identifier(partition.table)} DETACH PARTITION ${name}`
  if (state === 'apart') return []
  if (state === 'detaching') return [sql`${detach} FINALIZE`]
  return [sql`COMMENT ON TABLE ${name} IS ${sql.raw(`'${dropMark}'`)}`, sql`${detach} CONCURRENTLY`]
}

/**
 * Returns true if the month may still be written to or sent from, or was written to lately, for instance for an import
 * that was resumed.
 */
async function isNeeded(db: Session, { table, month }: Partition, keptSince: Date): Promise<boolean> {
  const ofMonth = (id: string) =>
    sql`${sql.identifier(id)} >= ${leastId(month)} AND ${sql.identifier(id)} < ${leastId(monthOf(month, 1))}`
  const { rows } = await db.execute<{ isNeeded: boolean }>(
    sql`/* partition.is_needed */ SELECT EXISTS (SELECT 1 FROM ${needs(table, ofMonth, keptSince)}) AS "isNeeded"`,
  )
  return rows[0]?.isNeeded !== false
}

/** Deliveries are kept for 30 days, and as long as they are pending. */
function needs(table: HistoryTable, ofMonth: (id: string) => SQL, keptSince: Date): SQL {
  if (table === 'events') return sql`deliveries WHERE ${ofMonth('event_id')}`
  if (table === 'delivery_attempts') return sql`deliveries WHERE ${ofMonth('id')}`
  return sql`imports WHERE ${ofMonth('id')}
    AND (finished_at IS NULL OR next_collect_at IS NOT NULL OR finished_at >= ${keptSince})`
}
