// Owns computing days of connections from the imports themselves, by index: what they were before is forgotten.
import { sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'

/** A day (UTC, `2026-11-22`) of a connection. */
export interface Day extends Record<string, unknown> {
  day: string
  connectionId: string
}

export async function computeDays(tx: Transaction, days: readonly Day[]): Promise<void> {
  if (days.length === 0) return
  const given = sql`unnest(
    ${sql.param(days.map(({ day }) => day))}::date[], ${sql.param(days.map(({ connectionId }) => connectionId))}::uuid[]
  ) AS due (day, connection_id)`
  const forgotten = sql`USING ${given} WHERE kept.day = due.day AND kept.connection_id = due.connection_id`
  await tx.execute(sql`DELETE FROM daily_outcomes kept ${forgotten}`)
  await tx.execute(sql`DELETE FROM daily_skipped_columns kept ${forgotten}`)

  const spanned = sql`${given} CROSS JOIN LATERAL (
    SELECT due.day::timestamp AT TIME ZONE 'UTC' AS begins, (due.day + 1)::timestamp AT TIME ZONE 'UTC' AS ends
  ) span`
  await tx.execute(sql`
    INSERT INTO daily_outcomes (
      day, connection_id, registered, succeeded, partial, failed, canceled, lost, stopped,
      rows_total, rows_processed, rows_succeeded, rows_failed, rows_skipped,
      total_p50_s, total_p90_s, total_p99_s, polls, collecting
    )
    SELECT
      due.day, due.connection_id, registered.count, succeeded, partial, failed, canceled, lost, stopped,
      rows_total, rows_processed, rows_succeeded, rows_failed, rows_skipped,
      total_s[1], total_s[2], total_s[3], polls, collecting
    FROM ${spanned}
    CROSS JOIN LATERAL (
      SELECT count(*) FROM imports i
      WHERE i.connection_id = due.connection_id AND i.registered_at >= span.begins AND i.registered_at < span.ends
    ) registered
    CROSS JOIN LATERAL (
      SELECT
        count(*),
        count(*) FILTER (WHERE i.outcome = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE i.outcome = 'partial') AS partial,
        count(*) FILTER (WHERE i.outcome = 'failed') AS failed,
        count(*) FILTER (WHERE i.outcome = 'canceled') AS canceled,
        count(*) FILTER (WHERE i.outcome = 'lost') AS lost,
        count(*) FILTER (WHERE i.outcome = 'stopped') AS stopped,
        sum(i.rows_total) AS rows_total,
        sum(i.rows_processed) AS rows_processed,
        sum(i.rows_succeeded) AS rows_succeeded,
        sum(i.rows_failed) AS rows_failed,
        sum(i.rows_skipped) AS rows_skipped,
        percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY i.total_s) AS total_s,
        coalesce(sum(i.polls), 0) AS polls,
        count(*) FILTER (WHERE i.details_state IN ('pending', 'collecting')) AS collecting
      FROM reporting.imports i
      WHERE i.connection_id = due.connection_id AND i.finished_at >= span.begins AND i.finished_at < span.ends
    ) ended
    WHERE registered.count > 0 OR ended.count > 0`)
  await tx.execute(sql`
    INSERT INTO daily_skipped_columns (day, connection_id, "column", lines, imports)
    SELECT due.day, due.connection_id, skipped."column", skipped.lines, skipped.imports
    FROM ${spanned}
    CROSS JOIN LATERAL (
      SELECT l."column", sum(l.lines) AS lines, count(*) AS imports
      FROM imports i
      -- For each import by itself: its lines are in one partition, and beside each other.
      CROSS JOIN LATERAL (SELECT "column", count(*) AS lines FROM skipped_lines WHERE import_id = i.id GROUP BY 1) l
      WHERE i.connection_id = due.connection_id AND i.finished_at >= span.begins AND i.finished_at < span.ends
        AND i.skipped_lines > 0 AND i.details_state IN ('complete', 'incomplete')
      GROUP BY 1
    ) skipped`)
}
