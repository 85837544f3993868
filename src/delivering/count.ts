// Owns writing down that attempts have begun, and that what can't be sent is over.
import { sql } from 'drizzle-orm'
import { arrayLiteral, textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import type { DueRow } from './longest-due.ts'

/** Nothing is due of these any more. Those that somebody changes at this moment are left to the next pass. */
export async function endUnsendable(tx: Transaction, due: readonly DueRow[]): Promise<void> {
  if (due.length === 0) return
  await tx.execute(sql`
    /* deliver.skip */
    UPDATE deliveries SET
      state = CASE WHEN state = 'pending' THEN 'skipped' ELSE state END, manual_requested = false, next_attempt_at = NULL
    WHERE id IN (
      SELECT id FROM deliveries WHERE id = ANY(${textArrayLiteral(due.map(({ id }) => id))}::uuid[])
        AND next_attempt_at IS NOT NULL
      FOR NO KEY UPDATE SKIP LOCKED
    )`)
}

/**
 * Counts these attempts. Returns the ids of those that nobody has changed since they were read. It doesn't wait for the
 * disk: should Postgres itself crash, an attempt of its last half second may be forgotten, and is made again.
 */
export async function countAttempts(tx: Transaction, due: readonly DueRow[], now: Date): Promise<Set<string>> {
  if (due.length === 0) return new Set()
  const { rows } = await tx.execute<{ id: string }>(sql`
    /* deliver.count */
    WITH given AS (
      SELECT * FROM unnest(
        ${textArrayLiteral(due.map(({ id }) => id))}::uuid[],
        ${arrayLiteral(due.map(({ isAsked }) => isAsked))}::boolean[],
        ${arrayLiteral(due.map(attemptsMade))}::int[]
      ) AS given (id, manual, made)
    ), locked AS (
      SELECT d.id, given.manual FROM given JOIN deliveries d ON d.id = given.id
      WHERE d.next_attempt_at IS NOT NULL AND d.attempts + d.manual_attempts + d.earlier_attempts = given.made
        AND (d.manual_requested OR NOT given.manual)
      FOR NO KEY UPDATE OF d SKIP LOCKED
    ), counted AS (
      UPDATE deliveries d SET
        attempts = d.attempts + (NOT locked.manual)::int, manual_attempts = d.manual_attempts + locked.manual::int
      FROM locked WHERE d.id = locked.id
      RETURNING d.id, d.attempts + d.manual_attempts + d.earlier_attempts AS number, locked.manual
    )
    INSERT INTO delivery_attempts (delivery_id, number, manual, started_at, outcome)
    SELECT id, number, manual, ${now}::timestamptz, 'in_flight' FROM counted
    RETURNING delivery_id AS id, set_config('synchronous_commit', 'off', true)`)
  return new Set(rows.map(({ id }) => id))
}

/** Of both kinds, by any schedule. */
export function attemptsMade({ attempts, manualAttempts, earlierAttempts }: DueRow): number {
  return attempts + manualAttempts + earlierAttempts
}
