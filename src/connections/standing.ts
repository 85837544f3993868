// Owns what people want to know of a connection beside what the API shows: what is used of each of its limits, and when
// it is asked again; and how many imports it has.
import { and, eq, isNull, sql } from 'drizzle-orm'
import { notFound } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import { nextRequestAt, type UsedWindow, usedWindows } from '../budget/budget.ts'
import { spendingOf } from '../budget/spending.ts'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import type { ImportState } from '../model/import-state.ts'
import { effectiveLimits } from '../model/limits.ts'
import { defaultsOf } from '../providers/facts.ts'

export interface Standing {
  /** What is used of the day and of the month (UTC). */
  windows: UsedWindow[]
  /** When the limits allow the next request: now, or later. */
  nextRequestAt: string
  /** While it is paused: when it is tried again. */
  nextProbeAt: string | null
}

/** @throws {AppError} not_found */
export async function readStanding({ db, clock }: { db: Database; clock: Clock }, name: string): Promise<Standing> {
  const [row] = await db
    .select()
    .from(connections)
    .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
  if (!row) throw notFound('connection')
  const limits = effectiveLimits(defaultsOf(row), row.limits)
  const now = clock.now().getTime()
  const spending = spendingOf(row)
  return {
    windows: usedWindows(limits, spending, now),
    nextRequestAt: new Date(nextRequestAt(limits, spending, now)).toISOString(),
    nextProbeAt: row.nextProbeAt?.toISOString() ?? null,
  }
}

/** How many imports of a connection are counted at most. */
export const countedImports = 10_000

/** Returns how many imports are in each state, and counts at most one more than {@link countedImports} in all. */
export async function countImports({ db }: { db: Database }, name: string): Promise<ReadonlyMap<ImportState, number>> {
  const { rows } = await db.execute<{ state: ImportState; count: number }>(sql`
    /* connection.count_imports */
    SELECT state, count(*)::int AS count FROM (
      SELECT import.state FROM imports import
      JOIN connections connection ON connection.id = import.connection_id
      WHERE connection.name = ${name} AND connection.deleted_at IS NULL
      LIMIT ${countedImports + 1}
    ) counted GROUP BY state`)
  return new Map(rows.map(({ state, count }) => [state, count]))
}
