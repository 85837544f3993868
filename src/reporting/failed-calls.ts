// Owns which calls to providers failed, counted by day, connection, call and code.
//
// A failed call is a row that is written in the transaction that records what the call meant for its import, and each
// minute the rows are added up. The view `reporting.failed_calls` counts both, so it is exact at any moment. A call that
// is recorded nowhere (the process died, or the import had moved on meanwhile) isn't counted either.
import { sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import type { ProviderErrorKind } from '../providers/error.ts'

export interface FailedCall {
  /** `details`: a page of skipped lines or row results; `summary`: a provider's second call for an import that is over. */
  call: 'status' | 'summary' | 'details'
  code: ProviderErrorKind
}

/** Rows that one statement adds up at the most. */
const rowsAtOnce = 10_000

/** A call as it was observed, which failed or didn't. */
interface ObservedCall {
  connection: { id: string }
  /** Null: it didn't fail. */
  failedCall: FailedCall | null
  polledAt: Date
}

/** Counts the calls that failed, in the transaction that records them. Nobody waits for anybody, since these are new rows. */
export async function countFailedCalls(tx: Transaction, observed: readonly ObservedCall[]): Promise<void> {
  const failed = observed.flatMap(({ connection, failedCall, polledAt }) =>
    failedCall === null ? [] : [{ connectionId: connection.id, ...failedCall, at: polledAt }],
  )
  if (failed.length === 0) return
  await tx.execute(sql`
    INSERT INTO failed_calls (day, connection_id, call, code, calls, first_at, last_at)
    SELECT (at AT TIME ZONE 'UTC')::date, connection_id, call, code, count(*), min(at), max(at)
    FROM unnest(
      ${sql.param(failed.map(({ connectionId }) => connectionId))}::uuid[],
      ${sql.param(failed.map(({ call }) => call))}::text[],
      ${sql.param(failed.map(({ code }) => code))}::text[],
      ${sql.param(failed.map(({ at }) => at.toISOString()))}::timestamptz[]
    ) AS failed (connection_id, call, code, at) GROUP BY 1, 2, 3, 4`)
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
