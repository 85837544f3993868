// Owns the statement that finishes attempts and sets when their deliveries are due next.
import { sql } from 'drizzle-orm'
import { arrayLiteral, textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import type { Verdict } from './judge.ts'
import type { Delivered } from './work.ts'

/** The result of an attempt with its verdict. */
export interface Outcome {
  delivered: Delivered
  verdict: Verdict
}

/**
 * Finishes attempts and their deliveries. A failure changes only a pending delivery: a delivered or skipped one stays
 * so. If a caller requested an attempt since this one began, it stays due. If a later attempt has begun, the delivery stays
 * unchanged unless this attempt succeeded. Returns the ids of deliveries that these attempts exhausted.
 */
export async function writeOutcomes(tx: Transaction, outcomes: readonly Outcome[]): Promise<string[]> {
  const ids = outcomes.map(({ delivered }) => delivered.item.id).toSorted()
  const column = (read: (one: Outcome) => number | boolean | null) => arrayLiteral(outcomes.map(read))
  const texts = (read: (one: Outcome) => string | null) => textArrayLiteral(outcomes.map(read))
  const { rows } = await tx.execute<{ id: string }>(sql`
    /* deliver.record */
    WITH done AS MATERIALIZED (
      SELECT * FROM unnest(
        ${texts(({ delivered }) => delivered.item.id)}::uuid[],
        ${column(({ delivered }) => delivered.item.number)}::int[],
        ${column(({ delivered }) => delivered.item.manual)}::boolean[],
        ${texts(({ verdict }) => verdict.delivery.state)}::text[],
        ${column(dueMs)}::float8[],
        ${column(({ delivered }) => delivered.endedAt.getTime())}::float8[],
        ${column(({ delivered }) => delivered.item.startedAt.getTime())}::float8[],
        ${column(({ delivered }) => delivered.endedAt.getTime() - delivered.item.startedAt.getTime())}::int[],
        ${texts(({ delivered }) => delivered.result.outcome)}::text[],
        ${column(({ delivered }) => delivered.result.status)}::int[],
        ${texts(({ delivered }) => delivered.result.responseSnippet)}::text[],
        ${texts(({ delivered }) => delivered.result.errorCode)}::text[]
      ) AS done (id, number, manual, state, due_ms, ended_ms, started_ms, duration_ms, outcome, status, snippet, error_code)
    ), found AS MATERIALIZED (
      SELECT d.id, d.state AS was, d.attempts + d.manual_attempts + d.earlier_attempts = done.number AS is_latest,
        done.number, done.manual, done.state, done.state = 'delivered' AS is_delivered,
        d.manual_requested AND (NOT done.manual OR coalesce(d.next_attempt_at > to_timestamp(started_ms / 1000), false))
          AS is_asked_again,
        to_timestamp(due_ms / 1000) AS due_at, to_timestamp(ended_ms / 1000) AS ended_at,
        done.duration_ms, done.outcome, done.status, done.snippet, done.error_code
      FROM deliveries d JOIN done ON done.id = d.id
      ORDER BY d.id FOR NO KEY UPDATE OF d
    ), finished AS (
      UPDATE delivery_attempts a SET
        duration_ms = f.duration_ms, outcome = f.outcome, status = f.status,
        response_snippet = f.snippet, error_code = f.error_code
      FROM found f WHERE a.delivery_id = f.id AND a.number = f.number
        -- between the first and the last id, so that other months aren't even planned for
        AND a.delivery_id BETWEEN ${ids[0]}::uuid AND ${ids.at(-1)}::uuid
    ), written AS (
      UPDATE deliveries d SET
        state = CASE WHEN f.is_delivered OR (f.was = 'pending' AND f.is_latest) THEN f.state ELSE f.was END,
        next_attempt_at = CASE
          WHEN f.is_asked_again THEN d.next_attempt_at
          WHEN NOT f.is_latest AND NOT f.is_delivered THEN d.next_attempt_at
          WHEN f.was = 'pending' THEN f.due_at
        END,
        manual_requested = d.manual_requested AND (f.is_asked_again OR NOT f.is_latest),
        is_retry = d.is_retry OR NOT f.is_delivered,
        status_class = CASE WHEN f.is_latest THEN coalesce(f.status / 100, 0) ELSE d.status_class END,
        delivered_at = CASE WHEN f.is_delivered THEN coalesce(d.delivered_at, f.ended_at) ELSE d.delivered_at END
      FROM found f WHERE d.id = f.id
    )
    SELECT id FROM found WHERE is_latest AND was = 'pending' AND state = 'exhausted'`)
  return rows.map(({ id }) => id)
}

function dueMs({ delivered, verdict: { delivery } }: Outcome): number | null {
  return delivery.state === 'pending' ? delivered.endedAt.getTime() + delivery.waitMs : null
}
