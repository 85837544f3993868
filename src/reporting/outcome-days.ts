// Owns reading the days of connections for pages: the view `reporting.daily_outcomes`, so that a chart and a query of it
// show the same numbers.
import { sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database } from '../db/client.ts'

export const outcomes = ['succeeded', 'partial', 'failed', 'lost', 'canceled', 'stopped'] as const
export type Outcome = (typeof outcomes)[number]

/** What ended on a day (UTC) at one connection. */
export interface OutcomeDay extends Record<Outcome, number> {
  /** As `2026-11-22`. */
  day: string
  connection: string
  /** How long its imports took, in seconds. Null: no provider ended one. */
  p50S: number | null
  p90S: number | null
  p99S: number | null
}

/** The days (UTC) up to today, the oldest first, as `2026-11-22`. */
export function lastDays(now: Date, count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    after(now, (index - count + 1) * dayMs)
      .toISOString()
      .slice(0, 10),
  )
}

const dayMs = 86_400_000

/**
 * Returns the days from `since` on, of one connection or of all. Days on which nothing ended may be missing. Deleted
 * connections count, as they do in lists of imports.
 */
export async function readOutcomeDays(
  { db }: { db: Database },
  { since, connection }: { since: string; connection?: string },
): Promise<OutcomeDay[]> {
  const { rows } = await db.execute<OutcomeDay & Record<string, unknown>>(sql`
    /* day.read */
    SELECT day::text, connection, succeeded, partial, failed, lost, canceled, stopped,
      total_p50_s AS "p50S", total_p90_s AS "p90S", total_p99_s AS "p99S"
    FROM reporting.daily_outcomes
    WHERE day >= ${since}::date ${connection === undefined ? sql`` : sql`AND connection = ${connection}`}`)
  return rows
}
