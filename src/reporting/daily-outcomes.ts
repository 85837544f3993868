// Owns computing the marked days of connections: daily_outcomes, and daily_skipped_columns beside it, follow the
// imports. Whole days of connections are computed at a time, so percentiles are exact and computing a day twice does no
// harm.
//
// A transaction that changes what a day counts also marks the day. So neither clocks nor the order of commits decide
// whether a change is seen: a mark exists exactly if its change does.
import { max, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { dailyOutcomesDue } from '../db/schema/index.ts'
import { computeDays, type Day } from './compute-days.ts'
import { addUpFailedCalls } from './failed-calls.ts'

/** How many days of connections one transaction computes at most. */
const daysAtOnce = 20
/** One process at a time computes days and adds up failed calls. */
const daysLock = 0x64617973 // "days"

/**
 * Computes the days that are marked when it begins, the newest first, in short transactions, and adds up failed calls.
 * Days marked meanwhile wait for the next run, so that a busy day holds up no older one. Several processes may call it
 * at once: one works, the others return.
 * @param gotOn called at the begin and after every transaction that computes days.
 */
export async function rollUp(
  { db }: { db: Database },
  signal: AbortSignal,
  gotOn: () => void = () => {},
): Promise<void> {
  const newest = await newestMark(db)
  gotOn()
  for (let more = newest !== null; more && !signal.aborted; gotOn())
    more = await db.transaction(async (tx) => {
      if (!(await takeTurn(tx))) return false
      const days = await takeDue(tx, newest)
      await computeDays(tx, days)
      return days.length === daysAtOnce
    })
  for (let more = true; more && !signal.aborted; )
    more = await db.transaction(async (tx) => (await takeTurn(tx)) && (await addUpFailedCalls(tx)).more)
}

/**
 * Marks the days (UTC) of these moments to be computed again. Callers register, end, resume, collect or delete imports
 * of these connections. Marking never waits for a lock, because each mark is a row of its own.
 */
export async function markDays(
  tx: Transaction,
  connectionIds: readonly string[],
  moments: readonly (Date | null)[],
): Promise<void> {
  const days = new Set(moments.flatMap((moment) => (moment ? [moment.toISOString().slice(0, 10)] : [])))
  if (days.size === 0 || connectionIds.length === 0) return
  await tx.execute(sql`
    /* day.mark */
    INSERT INTO daily_outcomes_due (day, connection_id)
    SELECT day, connection_id
    FROM unnest(${sql.param([...days])}::date[]) AS day, unnest(${sql.param([...new Set(connectionIds)])}::uuid[]) AS connection_id`)
}

/** Returns null if no day is marked. */
async function newestMark(db: Database): Promise<number | null> {
  const [newest] = await db.select({ id: max(dailyOutcomesDue.id) }).from(dailyOutcomesDue)
  return newest?.id ?? null
}

/** Returns false if another process is working. */
async function takeTurn(tx: Transaction): Promise<boolean> {
  const { rows } = await tx.execute<{ isMine: boolean }>(
    sql`/* day.take_turn */ SELECT pg_try_advisory_xact_lock(${daysLock}) AS "isMine"`,
  )
  return rows[0]?.isMine === true
}

/**
 * Takes the newest marked days. A change commits with its mark. The days are read after their marks are deleted, so
 * every change with a deleted mark is seen. A later mark stays, and its day is computed once more.
 */
async function takeDue(tx: Transaction, newestMark: number | null): Promise<Day[]> {
  const { rows } = await tx.execute<{ day: string; connectionId: string }>(sql`
    /* day.take */
    WITH newest AS (
      SELECT day, connection_id FROM daily_outcomes_due WHERE id <= ${newestMark}
      GROUP BY 1, 2 ORDER BY 1 DESC LIMIT ${daysAtOnce}
    ), taken AS (
      DELETE FROM daily_outcomes_due due USING newest
      WHERE due.day = newest.day AND due.connection_id = newest.connection_id AND due.id <= ${newestMark}
    )
    SELECT day::text, connection_id AS "connectionId" FROM newest`)
  return rows
}
