// Owns failed calls to providers, counted by day, connection, call and code.
//
// The transaction that records a call's result also inserts a row if the call failed. Each minute the rows are added
// up. The view `reporting.failed_calls` counts both, so it is always exact. A call without a recorded result isn't
// counted: its process died, or the import had moved on meanwhile.
import { sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { unnest } from '../db/unnest.ts'
import type { ProviderErrorKind } from '../providers/error.ts'

export interface FailedCall {
  /**
   * `details`: a page of skipped lines or row results. `summary`: a provider's second call for an import that is over.
   */
  call: 'status' | 'summary' | 'details'
  code: ProviderErrorKind
}

/** How many rows one statement adds up at most. */
const rowsAtOnce = 10_000

/** A call with its result, failed or not. */
interface ObservedCall {
  connection: { id: string }
  /** Null: the call succeeded. */
  failedCall: FailedCall | null
  polledAt: Date
}

/** Counts the failed calls in the transaction that records them. Inserting new rows waits for no lock. */
export async function countFailedCalls(tx: Transaction, observed: readonly ObservedCall[]): Promise<void> {
  const failed = observed.flatMap(({ connection, failedCall, polledAt }) =>
    failedCall === null ? [] : [{ connectionId: connection.id, ...failedCall, at: polledAt }],
  )
  if (failed.length === 0) return
  await tx.execute(sql`
    /* failed_call.count */
    INSERT INTO failed_calls (day, connection_id, call, code, calls, first_at, last_at)
    SELECT (at AT TIME ZONE 'UTC')::date, connection_id, call, code, count(*), min(at), max(at)
    FROM ${unnest('failed', failed, { connectionId: 'uuid', call: 'text', code: 'text', at: 'timestamptz' })}
    GROUP BY 1, 2, 3, 4`)
}

/**
 * Adds up the calls counted since the last run. Only one process at a time may do so: two would lock each other's days.
 */
export async function addUpFailedCalls(tx: Transaction): Promise<{ more: boolean }> {
  const { rows } = await tx.execute<{ taken: number }>(sql`
    /* failed_call.add_up */
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
