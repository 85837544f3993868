// Owns which calls to providers failed, counted by day, connection, call and code.
//
// A failed call is a row that is written in the transaction that records what the call meant for its import, and each
// minute the rows are added up. The view `reporting.failed_calls` counts both, so it is exact at any moment. A call that
// is recorded nowhere (the process died, or the import had moved on meanwhile) isn't counted either.
import { type SQL, sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import type { ProviderErrorKind } from '../providers/error.ts'

export interface FailedCall {
  /** `details`: a page of skipped lines or row results; `summary`: a provider's second call for an import that is over. */
  call: 'status' | 'summary' | 'details'
  code: ProviderErrorKind
}

/** Rows that one statement adds up at the most. */
const rowsAtOnce = 10_000

/** Counts one call, in the transaction that records it. */
export async function countFailedCall(
  tx: Transaction,
  connectionId: string,
  { call, code }: FailedCall,
  at: Date,
): Promise<void> {
  await tx.execute(
    insertFailedCalls(sql`
      (VALUES (${connectionId}::uuid, ${call}::text, ${code}::text, ${at.toISOString()}::timestamptz))
      AS failed (connection_id, call, code, at)`),
  )
}

/**
 * The statement that counts calls, for whoever records many at once: `failed` has the columns `connection_id`, `call`,
 * `code` and `at`. Nobody waits for anybody here, since what is counted is rows of its own.
 */
export function insertFailedCalls(failed: SQL): SQL {
  return sql`
    INSERT INTO failed_calls (day, connection_id, call, code, calls, first_at, last_at)
    SELECT (at AT TIME ZONE 'UTC')::date, connection_id, call, code, count(*), min(at), max(at)
    FROM ${failed} GROUP BY 1, 2, 3, 4`
}

/** Adds up what was counted since the last time. For one process at a time: two would wait for each other's days. */
export async function addUpFailedCalls(tx: Transaction): Promise<{ more: boolean }> {
  const { rows } = await tx.execute<{ taken: number }>(sql`
    WITH taken AS (
      DELETE FROM failed_calls WHERE id IN (SELECT id FROM failed_calls ORDER BY id LIMIT ${rowsAtOnce}) RETURNING *
    ), added AS (
      INSERT INTO daily_failed_calls AS kept (day, connection_id, call, code, calls, first_at, last_at)
      SELECT day, connection_id, call, code, sum(calls), min(first_at), max(last_at) FROM taken GROUP BY 1, 2, 3, 4
      ON CONFLICT (day, connection_id, call, code) DO UPDATE SET
        calls = kept.calls + excluded.calls,
        first_at = least(kept.first_at, excluded.first_at),
        last_at = greatest(kept.last_at, excluded.last_at)
    )
    SELECT count(*)::int AS taken FROM taken`)
  return { more: rows[0]?.taken === rowsAtOnce }
}
