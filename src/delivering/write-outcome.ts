// Owns the statements that finish attempts and say when their deliveries are due next.
import { sql } from 'drizzle-orm'
import { arrayLiteral, textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import type { Verdict } from './judge.ts'
import type { Delivered } from './work.ts'

/** What came of an attempt, and what follows. */
export interface Outcome {
  delivered: Delivered
  verdict: Verdict
}

/**
 * A failure changes a pending delivery alone: one that was delivered before, or skipped meanwhile, stays so. An attempt
 * that somebody asked for while this one was under way stays due. One that ends when another attempt has begun already
 * changes nothing but its own row, unless it was delivered. Returns the ids of the deliveries that are exhausted by it.
 */
export async function writeOutcomes(tx: Transaction, outcomes: readonly Outcome[]): Promise<string[]> {
  const exhausted = await writeDeliveries(tx, outcomes)
  await writeAttempts(tx, outcomes)
  return exhausted
}

async function writeDeliveries(tx: Transaction, outcomes: readonly Outcome[]): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    /* deliver.record */
    WITH done AS (
      SELECT * FROM unnest(
        ${textArrayLiteral(outcomes.map(({ delivered }) => delivered.item.id))}::uuid[],
        ${arrayLiteral(outcomes.map(({ delivered }) => delivered.item.number))}::int[],
        ${arrayLiteral(outcomes.map(({ delivered }) => delivered.item.manual))}::boolean[],
        ${textArrayLiteral(outcomes.map(({ verdict }) => verdict.delivery.state))}::text[],
        ${arrayLiteral(outcomes.map(dueMs))}::float8[],
        ${arrayLiteral(outcomes.map(({ delivered }) => delivered.endedAt.getTime()))}::float8[]
      ) AS done (id, number, manual, state, due_ms, ended_ms)
    ), found AS (
      SELECT d.id, d.state AS was, d.attempts + d.manual_attempts + d.earlier_attempts = done.number AS is_latest,
        done.manual, done.state, done.state = 'delivered' AS is_delivered,
        to_timestamp(due_ms / 1000) AS due_at, to_timestamp(ended_ms / 1000) AS ended_at
      FROM deliveries d JOIN done ON done.id = d.id
      ORDER BY d.id FOR NO KEY UPDATE OF d
    ), written AS (
      UPDATE deliveries d SET
        state = CASE WHEN f.is_delivered OR (f.was = 'pending' AND f.is_latest) THEN f.state ELSE f.was END,
        next_attempt_at = CASE
          WHEN d.manual_requested AND NOT f.manual THEN d.next_attempt_at
          WHEN NOT f.is_latest AND NOT f.is_delivered THEN d.next_attempt_at
          WHEN f.was = 'pending' THEN f.due_at
        END,
        manual_requested = d.manual_requested AND NOT (f.manual AND f.is_latest),
        is_retry = d.is_retry OR NOT f.is_delivered,
        delivered_at = CASE WHEN f.is_delivered THEN coalesce(d.delivered_at, f.ended_at) ELSE d.delivered_at END
      FROM found f WHERE d.id = f.id
    )
    SELECT id FROM found WHERE is_latest AND was = 'pending' AND state = 'exhausted'`)
  return rows.map(({ id }) => id)
}

function dueMs({ delivered, verdict: { delivery } }: Outcome): number | null {
  return delivery.state === 'pending' ? delivered.endedAt.getTime() + delivery.waitMs : null
}

/** Between the first and the last id, so that other months aren't even planned for. */
async function writeAttempts(tx: Transaction, outcomes: readonly Outcome[]): Promise<void> {
  const ids = outcomes.map(({ delivered }) => delivered.item.id)
  const ordered = ids.toSorted()
  const results = outcomes.map(({ delivered }) => delivered.result)
  const durations = outcomes.map(({ delivered }) => delivered.endedAt.getTime() - delivered.item.startedAt.getTime())
  await tx.execute(sql`
    /* deliver.finish */
    UPDATE delivery_attempts a SET
      duration_ms = done.duration_ms, outcome = done.outcome, status = done.status,
      response_snippet = done.snippet, error_code = done.error_code
    FROM unnest(
      ${textArrayLiteral(ids)}::uuid[],
      ${arrayLiteral(outcomes.map(({ delivered }) => delivered.item.number))}::int[],
      ${arrayLiteral(durations)}::int[],
      ${textArrayLiteral(results.map(({ outcome }) => outcome))}::text[],
      ${arrayLiteral(results.map(({ status }) => status))}::int[],
      ${textArrayLiteral(results.map(({ responseSnippet }) => responseSnippet))}::text[],
      ${textArrayLiteral(results.map(({ errorCode }) => errorCode))}::text[]
    ) AS done (id, number, duration_ms, outcome, status, snippet, error_code)
    WHERE a.delivery_id = done.id AND a.number = done.number
      AND a.delivery_id BETWEEN ${ordered[0]}::uuid AND ${ordered.at(-1)}::uuid`)
}
