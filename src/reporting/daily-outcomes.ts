// Owns which days of connections are to be computed again, and that they are: daily_outcomes, and daily_skipped_columns
// beside it, follow the imports, whole days of connections at a time, so that percentiles are exact and computing a day
// twice does no harm.
//
// Whoever changes what a day counts marks it in the same transaction. So no clock, and no order in which transactions
// commit, decides whether a change is seen: a mark is there exactly if the change is.
import { sql } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { computeDays, type Day } from './compute-days.ts'
import { addUpFailedCalls } from './failed-calls.ts'

/** Days of connections that one transaction computes at the most. */
const daysAtOnce = 20
/** Days are computed, and failed calls added up, by one process at a time. */
const daysLock = 0x64617973 // "days"

/**
 * Adds up failed calls, and computes the days that are marked when it begins, the newest first, in short transactions. What is marked meanwhile is
 * left to the next time, so that a day on which much happens holds up no older one. Safe in several processes at once:
 * one works, the others leave it to it.
 * @param gotOn is told of every transaction.
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
 * Has the days (UTC) of these moments computed again: for who registers, ends, resumes, collects or deletes imports of
 * these connections. Nobody waits for anybody here, since each mark is a row of its own.
 */
export async function markDays(
  tx: Transaction,
  connectionIds: readonly string[],
  moments: readonly (Date | null)[],
): Promise<void> {
  const days = new Set(moments.flatMap((moment) => (moment ? [moment.toISOString().slice(0, 10)] : [])))
  if (days.size === 0 || connectionIds.length === 0) return
  await tx.execute(sql`
    INSERT INTO daily_outcomes_due (day, connection_id)
    SELECT day, connection_id
    FROM unnest(${sql.param([...days])}::date[]) AS day, unnest(${sql.param([...new Set(connectionIds)])}::uuid[]) AS connection_id`)
}

/** Null: nothing is marked. */
async function newestMark(db: Database): Promise<string | null> {
  const { rows } = await db.execute<{ id: string | null }>(sql`SELECT max(id) AS id FROM daily_outcomes_due`)
  return rows[0]?.id ?? null
}

/** False: another process is at it. */
async function takeTurn(tx: Transaction): Promise<boolean> {
  const { rows } = await tx.execute<{ isMine: boolean }>(sql`SELECT pg_try_advisory_xact_lock(${daysLock}) AS "isMine"`)
  return rows[0]?.isMine === true
}

/**
 * Takes the newest days that are due. What a mark that is deleted here stands for was committed with it, and the days
 * are read after this, so it is seen. A mark that is committed later isn't deleted, and has its day computed once more.
 */
async function takeDue(tx: Transaction, newestMark: string | null): Promise<Day[]> {
  const { rows } = await tx.execute<{ day: string; connectionId: string }>(sql`
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
