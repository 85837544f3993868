// Owns storing that attempts have begun, and ending deliveries that can't be sent.
import { sql } from 'drizzle-orm'
import { arrayLiteral, textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import type { DueRow } from './longest-due.ts'

/** Ends these deliveries. Deliveries that another transaction is changing are left to the next pass. */
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

export interface StoredEvent {
  id: string
  type: string
  body: string
}

export interface Counted {
  ids: Set<string>
  /** Of those, by id. */
  events: Map<string, StoredEvent>
}

/**
 * Counts these attempts and returns them with their events. Deliveries that changed since they were read, or that have no
 * event any more, aren't counted. The transaction doesn't wait for the disk: if Postgres itself crashes, attempts of about
 * its last half second may be forgotten, and are made again.
 */
export async function countAttempts(tx: Transaction, due: readonly DueRow[], now: Date): Promise<Counted> {
  if (due.length === 0) return { ids: new Set(), events: new Map() }
  const eventIds = [...new Set(due.map(({ eventId }) => eventId))].toSorted()
  const { rows } = await tx.execute<{ id: string; type: string | null; body: string | null }>(sql`
    /* deliver.count */
    WITH given AS (
      SELECT * FROM unnest(
        ${textArrayLiteral(due.map(({ id }) => id))}::uuid[],
        ${arrayLiteral(due.map(({ isAsked }) => isAsked))}::boolean[],
        ${arrayLiteral(due.map(attemptsMade))}::int[]
      ) AS given (id, manual, made)
    ), event AS MATERIALIZED ( -- between the first and the last id, so that other months aren't even planned for
      SELECT id, type, body FROM events
      WHERE id = ANY(${textArrayLiteral(eventIds)}::uuid[]) AND id BETWEEN ${eventIds[0]}::uuid AND ${eventIds.at(-1)}::uuid
    ), locked AS (
      SELECT d.id, given.manual FROM given JOIN deliveries d ON d.id = given.id
      WHERE d.next_attempt_at IS NOT NULL AND d.attempts + d.manual_attempts + d.earlier_attempts = given.made
        AND (d.manual_requested OR NOT given.manual) AND d.event_id IN (SELECT id FROM event)
      FOR NO KEY UPDATE OF d SKIP LOCKED
    ), counted AS (
      UPDATE deliveries d SET
        attempts = d.attempts + (NOT locked.manual)::int, manual_attempts = d.manual_attempts + locked.manual::int
      FROM locked WHERE d.id = locked.id
      RETURNING d.id, d.attempts + d.manual_attempts + d.earlier_attempts AS number, locked.manual
    ), written AS (
      INSERT INTO delivery_attempts (delivery_id, number, manual, started_at, outcome)
      SELECT id, number, manual, ${now}::timestamptz, 'in_flight' FROM counted
      RETURNING delivery_id AS id, set_config('synchronous_commit', 'off', true)
    )
    SELECT id, type, body FROM event UNION ALL SELECT id, NULL, NULL FROM written`)
  const ids = new Set<string>()
  const events = new Map<string, StoredEvent>()
  for (const { id, type, body } of rows) {
    if (type === null || body === null) ids.add(id)
    else events.set(id, { id, type, body })
  }
  return { ids, events }
}

/** Returns the number of attempts of both kinds, over all schedules. */
export function attemptsMade({ attempts, manualAttempts, earlierAttempts }: DueRow): number {
  return attempts + manualAttempts + earlierAttempts
}
