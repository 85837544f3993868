// Owns the table daily_outcomes, and daily_skipped_columns beside it: kept up with what happened since they were kept up
// last, whole days of connections at a time, so that percentiles are exact and computing a day twice does no harm.
//
// Which days are to be computed again is a row in daily_outcomes_due. Events say so (their positions leave no gaps, see
// webhooks/feed.ts); where something happens without one, or its day can't be told from it, markDays does. Registrations
// write no event: they are counted anew from the last time on.
import { sql } from 'drizzle-orm'
import type { Clock } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { placeEvents } from '../webhooks/feed.ts'
import { computeDays, type Day } from './compute-days.ts'

/** Events that one transaction looks at, and days of connections that it computes, at the most. */
const eventsAtOnce = 10_000
const daysAtOnce = 20
/** A registration is committed this long after its time at the latest. */
const registrationMs = 3_600_000

/**
 * Brings the days up to date, in short transactions. Safe in several processes at once: one works, the others leave it
 * to it. The first time ever, all that is there is counted, the newest days first.
 */
export async function rollUp({ db, clock }: { db: Database; clock: Clock }, signal: AbortSignal): Promise<void> {
  for (let round = 0, more = true; more && !signal.aborted; round++) {
    await placeEvents(db, clock.now())
    more = await db.transaction(async (tx) => {
      if (!(await takeTurn(tx, clock.now()))) return false
      const events = await followEvents(tx)
      if (round === 0) {
        await countRegistrations(tx, clock.now())
        await markCollecting(tx)
      }
      const days = await takeDue(tx)
      await computeDays(tx, days)
      return events === eventsAtOnce || days.length === daysAtOnce
    })
  }
}

/** Has the days (UTC) of these moments computed again: for who changes imports in a way that no event tells. */
export async function markDays(
  tx: Transaction,
  connectionId: string,
  moments: readonly (Date | null | undefined)[],
): Promise<void> {
  const days = new Set(moments.flatMap((moment) => (moment ? [moment.toISOString().slice(0, 10)] : [])))
  if (days.size === 0) return
  await tx.execute(sql`
    INSERT INTO daily_outcomes_due (day, connection_id)
    SELECT day, ${connectionId}::uuid FROM unnest(${sql.param([...days])}::date[]) AS day`)
}

/** False: another process is at it. */
async function takeTurn(tx: Transaction, now: Date): Promise<boolean> {
  await begin(tx, now)
  const { rowCount } = await tx.execute(sql`SELECT 1 FROM daily_outcomes_watermark FOR UPDATE SKIP LOCKED`)
  return rowCount === 1
}

/** The first time: all days are due. What happens from here on, events will tell. */
async function begin(tx: Transaction, now: Date): Promise<void> {
  const { rows } = await tx.execute(sql`SELECT 1 FROM daily_outcomes_watermark`)
  if (rows.length > 0) return
  const { rowCount } = await tx.execute(sql`
    INSERT INTO daily_outcomes_watermark (id, position, registered_until)
    SELECT 1, coalesce(max(position), 0), ${now}::timestamptz FROM events
    ON CONFLICT DO NOTHING`)
  if (rowCount === 0) return
  await tx.execute(sql`
    INSERT INTO daily_outcomes_due (day, connection_id)
    SELECT (registered_at AT TIME ZONE 'UTC')::date, connection_id FROM imports
    UNION SELECT (finished_at AT TIME ZONE 'UTC')::date, connection_id FROM imports WHERE finished_at IS NOT NULL`)
}

/** Marks the days of the next events. Returns how many there were. */
async function followEvents(tx: Transaction): Promise<number> {
  const { rows } = await tx.execute<{ count: number }>(sql`
    WITH next AS (
      SELECT position, type, connection_id, occurred_at FROM events
      WHERE position > (SELECT position FROM daily_outcomes_watermark)
      ORDER BY position LIMIT ${eventsAtOnce}
    ), marked AS (
      INSERT INTO daily_outcomes_due (day, connection_id)
      SELECT DISTINCT (occurred_at AT TIME ZONE 'UTC')::date, connection_id FROM next
      WHERE connection_id IS NOT NULL
        AND type IN ('import.succeeded', 'import.partial', 'import.failed', 'import.canceled', 'import.lost', 'import.stopped')
    ), read AS (
      SELECT count(*)::int AS count, max(position) AS position FROM next
    ), moved AS (
      UPDATE daily_outcomes_watermark SET position = read.position FROM read WHERE read.position IS NOT NULL
    )
    SELECT count FROM read`)
  return rows[0]?.count ?? 0
}

/** From the day of the last time on: it may have been cut in two. */
async function countRegistrations(tx: Transaction, now: Date): Promise<void> {
  await tx.execute(sql`
    INSERT INTO daily_outcomes (day, connection_id, registered)
    SELECT (registered_at AT TIME ZONE 'UTC')::date AS day, connection_id, count(*) FROM imports
    WHERE registered_at >= (
      SELECT date_trunc('day', (registered_until - ${registrationMs} * interval '1 ms') AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
      FROM daily_outcomes_watermark
    )
    GROUP BY 1, 2
    ON CONFLICT (day, connection_id) DO UPDATE SET registered = excluded.registered
    WHERE daily_outcomes.registered <> excluded.registered`)
  await tx.execute(sql`
    UPDATE daily_outcomes_watermark SET registered_until = greatest(registered_until, ${now}::timestamptz)`)
}

/** Until the rows of all that ended on a day are collected, or given up, which writes no event. */
async function markCollecting(tx: Transaction): Promise<void> {
  await tx.execute(sql`
    INSERT INTO daily_outcomes_due (day, connection_id)
    SELECT day, connection_id FROM daily_outcomes WHERE collecting > 0`)
}

/**
 * Takes the newest days that are due. Whoever marks one of them while it is computed adds a row, which stays: the days
 * are read after this, so what was committed with a row that is deleted here is seen.
 */
async function takeDue(tx: Transaction): Promise<Day[]> {
  const { rows } = await tx.execute<{ day: string; connectionId: string }>(sql`
    WITH newest AS (
      SELECT day, connection_id FROM daily_outcomes_due GROUP BY 1, 2 ORDER BY 1 DESC LIMIT ${daysAtOnce}
    ), taken AS (
      DELETE FROM daily_outcomes_due due USING newest
      WHERE due.day = newest.day AND due.connection_id = newest.connection_id
    )
    SELECT day::text, connection_id AS "connectionId" FROM newest`)
  return rows
}
