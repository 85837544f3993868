// Owns computing days of connections from the imports themselves, by index. The stored values are replaced. Values stay
// only if dropped months of history make them impossible to compute (history/drop-months.ts).
//
// One statement computes each table, so that it sees all of a month that is being dropped, or nothing.
import { type SQL, sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { unnest } from '../db/unnest.ts'

/** A day (UTC, `2026-11-22`) of a connection. */
export interface Day extends Record<string, unknown> {
  day: string
  connectionId: string
}

export async function computeDays(tx: Transaction, days: readonly Day[]): Promise<void> {
  if (days.length === 0) return
  const due = sql`${unnest('due', days, { day: 'date', connectionId: 'uuid' })} CROSS JOIN LATERAL (
    SELECT due.day::timestamp AT TIME ZONE 'UTC' AS begins, (due.day + 1)::timestamp AT TIME ZONE 'UTC' AS ends
  ) span`
  await computeOutcomes(tx, due)
  await computeSkippedColumns(tx, due)
}

const outcomes = ['succeeded', 'partial', 'failed', 'canceled', 'lost', 'stopped']
const rowCounts = ['rows_total', 'rows_processed', 'rows_succeeded', 'rows_failed', 'rows_skipped']
const percentiles = ['total_p50_s', 'total_p90_s', 'total_p99_s']
const computed = ['registered', ...outcomes, ...rowCounts, ...percentiles, 'polls']

/**
 * If a provider doesn't tell an import's end, its duration comes from its snapshots. If one of those imports has none
 * any more, the day keeps its stored percentiles.
 */
async function computeOutcomes(tx: Transaction, due: SQL): Promise<void> {
  await tx.execute(sql`
    /* day.compute_outcomes */
    WITH fresh AS (
      SELECT
        due.day, due.connection_id, registered.count AS registered, ${list([...outcomes, ...rowCounts, 'polls'], 'ended.')},
        CASE WHEN is_dropped AND stored.total_p50_s IS NOT NULL
          THEN ARRAY[${list(percentiles, 'stored.')}] ELSE total_s END AS total_s,
        registered.count + ended.count AS counted
      FROM ${due}
      LEFT JOIN daily_outcomes stored ON stored.day = due.day AND stored.connection_id = due.connection_id
      CROSS JOIN LATERAL (
        SELECT count(*) FROM imports i
        WHERE i.connection_id = due.connection_id AND i.registered_at >= span.begins AND i.registered_at < span.ends
      ) registered
      CROSS JOIN LATERAL (
        SELECT
          count(*),
          ${joined(outcomes.map((name) => sql`count(*) FILTER (WHERE i.outcome = ${name}) AS ${column(name)}`))},
          ${joined(rowCounts.map((name) => sql`sum(i.${column(name)}) AS ${column(name)}`))},
          percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY i.total_s) AS total_s,
          coalesce(sum(i.polls), 0) AS polls,
          coalesce(bool_or(
            i.total_s IS NULL AND i.provider_finished_at IS NULL AND i.outcome NOT IN ('lost', 'stopped')
            AND NOT EXISTS (SELECT FROM snapshots s WHERE s.import_id = i.import_id)
          ), false) AS is_dropped
        FROM reporting.imports i
        WHERE i.connection_id = due.connection_id AND i.finished_at >= span.begins AND i.finished_at < span.ends
      ) ended
    ), emptied AS (
      DELETE FROM daily_outcomes kept USING fresh
      WHERE kept.day = fresh.day AND kept.connection_id = fresh.connection_id AND fresh.counted = 0
    )
    INSERT INTO daily_outcomes (day, connection_id, ${list(computed)})
    SELECT day, connection_id, registered, ${list(outcomes)}, ${list(rowCounts)}, total_s[1], total_s[2], total_s[3], polls
    FROM fresh WHERE counted > 0
    ON CONFLICT (day, connection_id) DO UPDATE SET (${list(computed)}) = (${list(computed, 'excluded.')})`)
}

/** If lines of one of the counted imports were dropped, the day keeps its stored values. */
async function computeSkippedColumns(tx: Transaction, due: SQL): Promise<void> {
  await tx.execute(sql`
    /* day.compute_skipped_columns */
    WITH skipped AS MATERIALIZED (
      SELECT due.day, due.connection_id, i.id AS import_id, i.skipped_lines, l."column", l.lines
      FROM ${due}
      -- OFFSET makes Postgres read each day by itself. For a join it would read all imports.
      CROSS JOIN LATERAL (
        SELECT id, skipped_lines FROM imports
        WHERE connection_id = due.connection_id AND finished_at >= span.begins AND finished_at < span.ends
          AND skipped_lines > 0 AND details_state IN ('complete', 'incomplete')
        OFFSET 0
      ) i
      -- Each import by itself: its lines are in one partition, next to each other.
      LEFT JOIN LATERAL (
        SELECT "column", count(*) AS lines FROM skipped_lines WHERE import_id = i.id GROUP BY 1
      ) l ON true
    ), dropped AS (
      SELECT day, connection_id FROM skipped GROUP BY 1, 2, import_id, skipped_lines
      HAVING coalesce(sum(lines), 0) < skipped_lines
    ), due_days AS (
      SELECT due.day, due.connection_id FROM ${due}
      WHERE (due.day, due.connection_id) NOT IN (SELECT day, connection_id FROM dropped)
        OR NOT EXISTS (
          SELECT FROM daily_skipped_columns stored
          WHERE stored.day = due.day AND stored.connection_id = due.connection_id
        )
    ), fresh AS MATERIALIZED (
      SELECT day, connection_id, "column", sum(lines) AS lines, count(*) AS imports
      FROM skipped JOIN due_days USING (day, connection_id)
      WHERE lines IS NOT NULL
      GROUP BY 1, 2, 3
    ), emptied AS (
      DELETE FROM daily_skipped_columns kept USING due_days
      WHERE kept.day = due_days.day AND kept.connection_id = due_days.connection_id AND NOT EXISTS (
        SELECT FROM fresh
        WHERE fresh.day = kept.day AND fresh.connection_id = kept.connection_id
          AND fresh."column" IS NOT DISTINCT FROM kept."column"
      )
    )
    INSERT INTO daily_skipped_columns (day, connection_id, "column", lines, imports)
    SELECT day, connection_id, "column", lines, imports FROM fresh
    ON CONFLICT (connection_id, day, "column") DO UPDATE SET lines = excluded.lines, imports = excluded.imports`)
}

function list(names: readonly string[], of = ''): SQL {
  return joined(names.map((name) => sql`${sql.raw(of)}${column(name)}`))
}

function joined(parts: SQL[]): SQL {
  return sql.join(parts, sql`, `)
}

function column(name: string): SQL {
  return sql`${sql.identifier(name)}`
}
