// Owns the history that the benchmark asks: 24 months of 40 connections over the four providers, in sets by the month.
import { sql } from 'drizzle-orm'
import { systemClock } from '../src/base/clock.ts'
import type { Database } from '../src/db/client.ts'
import { monthOf } from '../src/history/months.ts'
import { makePartitions } from '../src/history/partitions.ts'

const months = 24
/** A month of snapshots, lines and results is filled by one session; so many of them at once. */
const sessions = 2
const recentDays = 60

export interface Volume {
  imports: number
  /** Of the month before all others, for what dropping a month takes. */
  linesOfOldestMonth: number
}

export const fullVolume: Volume = { imports: 1_000_000, linesOfOldestMonth: 10_000_000 }

/** About ten snapshots and twenty skipped lines an import. */
export async function fillHistory(db: Database, { imports }: Volume): Promise<void> {
  const now = systemClock.now()
  const starts = Array.from({ length: months }, (_, index) => monthOf(now, index - months + 1))
  for (const start of [monthOf(now, -months), ...starts]) await makePartitions(db, start)
  await fillConnections(db)
  const ends = starts.map((_, index) => starts[index + 1] ?? now)
  // The last month isn't over, and has as many imports a day as the others.
  const days = starts.map((start, index) => ((ends[index] ?? now).getTime() - start.getTime()) / 86_400_000)
  const allDays = days.reduce((sum, some) => sum + some, 0)
  const todo = starts.map((start, index) => ({
    start,
    end: ends[index] ?? now,
    imports: Math.ceil((imports * (days[index] ?? 0)) / allDays),
  }))
  await Promise.all(
    Array.from({ length: sessions }, async () => {
      for (let month = todo.shift(); month; month = todo.shift()) await fillMonth(db, month)
    }),
  )
  await nameAskedImports(db)
  await fillEvents(db)
  await db.execute(sql`VACUUM (ANALYZE)`)
}

/** Lines of one more month, some 25 months ago, a thousand to an import. */
export async function fillOldestMonth(db: Database, { linesOfOldestMonth }: Volume): Promise<Date> {
  const month = monthOf(systemClock.now(), -months)
  await db.execute(sql`
    INSERT INTO skipped_lines (import_id, page, position, line, "column")
    SELECT id, 0, position, position * 7 + 3, position % 40
    FROM (
      SELECT uuidv7(${month}::timestamptz + n * interval '1 min' - clock_timestamp()) AS id
      FROM generate_series(1, ${Math.ceil(linesOfOldestMonth / 1_000)}::int) n
    ) AS old CROSS JOIN generate_series(0, 999) position`)
  return month
}

async function fillConnections(db: Database): Promise<void> {
  await db.execute(sql`
    INSERT INTO connections (id, name, provider, credentials, settings, limits, created_at, updated_at)
    SELECT uuidv7(), provider || CASE WHEN n < 4 THEN '' ELSE '-' || n / 4 END, provider, '', '{}', '{}', now(), now()
    FROM generate_series(0, 39) n CROSS JOIN LATERAL (
      SELECT (ARRAY['cdq', 'micro', 'zilliant', 'fullstory'])[1 + n % 4] AS provider
    ) p`)
  await db.execute(sql`
    INSERT INTO webhook_endpoints (id, url, types, secret, created_at, updated_at)
    SELECT uuidv7(), 'https://hooks.example.com/' || n, '{import.succeeded,import.partial,import.failed}', '', now(), now()
    FROM generate_series(1, 5) n`)
}

async function fillMonth(
  db: Database,
  { start, end, imports }: { start: Date; end: Date; imports: number },
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(sql`SET LOCAL synchronous_commit = off`)
    await tx.execute(sql`
      INSERT INTO imports (id, connection_id, job_id, state, lost_reason, provider_status, progress, rows_total,
        rows_processed, rows_succeeded, rows_failed, rows_skipped, provider_created_at, provider_started_at,
        provider_finished_at, registered_at, first_polled_at, last_polled_at, finished_at, deadline_ms, deadline_at,
        polls, details_state, skipped_lines, row_results, metadata)
      SELECT uuidv7(registered_at - clock_timestamp()), connection_id, 'job-' || to_char(registered_at, 'YYMMDD') || '-' || n,
        CASE WHEN is_over THEN outcome ELSE 'running' END, CASE WHEN is_over AND outcome = 'lost' THEN 'expired' END,
        upper(outcome), CASE WHEN is_over THEN 1 ELSE 0.5 END, total, total, total - failed - skipped, failed,
        CASE WHEN provider = 'cdq' THEN skipped END,
        CASE WHEN provider <> 'zilliant' THEN registered_at - interval '2 s' END,
        CASE WHEN provider = 'zilliant' THEN registered_at END,
        CASE WHEN is_over AND provider IN ('zilliant', 'fullstory') THEN ended_at END,
        registered_at, registered_at + interval '1 s', least(ended_at, now()),
        CASE WHEN is_over THEN ended_at + interval '5 s' END, 604800000, registered_at + interval '7 days',
        polls,
        CASE WHEN is_over AND skipped + failed > 0 THEN 'complete' ELSE 'none' END,
        CASE WHEN is_over THEN skipped ELSE 0 END,
        CASE WHEN is_over AND provider IN ('micro', 'fullstory') THEN failed ELSE 0 END,
        jsonb_build_object('team', 'team ' || n % 7, 'source', 'source-' || n % 50, 'run', n)
      FROM (
        SELECT n, c.connection_id, c.provider, r.registered_at, r.ended_at, r.ended_at < now() - interval '10 s' AND (r.registered_at < now() - interval '1 day' OR luck < 0.3) AS is_over, o.outcome,
          1000 + (exp(random_normal(7, 1.5)))::int AS total, 3 + (random() * 24)::int AS polls,
          CASE WHEN o.outcome = 'partial' AND c.provider = 'cdq' THEN 1 + (exp(random_normal(5.2, 1.2)))::int ELSE 0 END AS skipped,
          CASE WHEN o.outcome = 'partial' AND c.provider <> 'cdq' THEN 1 + (random() * 30)::int ELSE 0 END AS failed
        FROM (
          SELECT n, ${start}::timestamptz + (${end}::timestamptz - ${start}::timestamptz) * (n - random()) / ${imports}::int AS registered_at,
            (random() * 39.99)::int % 40 AS connection, random() AS luck
          FROM generate_series(1, ${imports}::int) n
        ) t
        JOIN (
          SELECT id AS connection_id, provider, row_number() OVER (ORDER BY name) - 1 AS number FROM connections
        ) c ON c.number = t.connection
        CROSS JOIN LATERAL (
          SELECT t.registered_at, t.registered_at + exp(random_normal(ln(60 + 90 * c.number), 0.8)) * interval '1 s' AS ended_at
        ) r
        CROSS JOIN LATERAL (
          SELECT CASE WHEN luck < 0.7 THEN 'succeeded' WHEN luck < 0.92 THEN 'partial' WHEN luck < 0.97 THEN 'failed'
            WHEN luck < 0.98 THEN 'canceled' ELSE 'lost' END AS outcome
        ) o
      ) planned
      ORDER BY registered_at`)
    const ofMonth = sql`registered_at >= ${start}::timestamptz AND registered_at < ${end}::timestamptz`
    await tx.execute(sql`
      INSERT INTO polling (import_id, connection_id, due_at, polls, first_polled_at, last_polled_at)
      SELECT id, connection_id, now() + interval '1 day', polls, first_polled_at, last_polled_at
      FROM imports WHERE ${ofMonth} AND finished_at IS NULL`)
    await tx.execute(sql`
      INSERT INTO snapshots (id, import_id, state, provider_status, progress, rows, body, first_seen_at, last_seen_at, polls)
      SELECT uuidv7(seen_at - clock_timestamp()), id,
        CASE WHEN n < count THEN 'running' ELSE state END, CASE WHEN n < count THEN 'RUNNING' ELSE provider_status END,
        n::float8 / count,
        jsonb_build_object('total', rows_total, 'processed', rows_total * n / count, 'succeeded', NULL, 'failed', rows_failed,
          'inserted', NULL, 'updated', NULL, 'skipped', NULL),
        jsonb_build_object('id', id, 'name', 'Process vendor data.', 'createdAt', registered_at, 'progress', 100 * n / count,
          'status', provider_status, 'storageId', md5(connection_id::text), 'dataSource', '648824a691d8d2503d65103e',
          'result', jsonb_build_object('statistics', jsonb_build_object('numberOfInserts', rows_total, 'numberOfFailed', rows_failed))),
        seen_at, seen_at + step * 0.8, 1 + polls / count
      FROM (
        SELECT i.*, ceil(polls * 0.667)::int AS count, (last_polled_at - registered_at) / ceil(polls * 0.667) AS step
        FROM imports i WHERE ${ofMonth}
      ) i CROSS JOIN LATERAL generate_series(1, count) n CROSS JOIN LATERAL (SELECT registered_at + step * (n - 0.9) AS seen_at) s`)
    await tx.execute(sql`
      INSERT INTO skipped_lines (import_id, page, position, line, "column")
      SELECT id, n / 1000, n % 1000, n * 7 + 3, (random() * random() * 40)::int
      FROM imports CROSS JOIN LATERAL generate_series(0, skipped_lines - 1) n WHERE ${ofMonth} AND skipped_lines > 0`)
    await tx.execute(sql`
      INSERT INTO row_results (import_id, row, page, record_id, error_code, error_message)
      SELECT id, n, 0, 'rec_' || n, (ARRAY['required_field', 'invalid_field', 'duplicate'])[1 + n % 3], 'Row ' || n || ' has no name.'
      FROM imports CROSS JOIN LATERAL generate_series(0, row_results - 1) n WHERE ${ofMonth} AND row_results > 0`)
    await tx.execute(sql`
      INSERT INTO detail_pages (import_id, page, cursor, next_cursor, skipped_lines, row_results, stored_at)
      SELECT id, page, nullif(page, 0)::text, CASE WHEN page < skipped_lines / 1000 THEN (page + 1)::text END,
        least(skipped_lines - page * 1000, 1000), row_results, finished_at
      FROM imports CROSS JOIN LATERAL generate_series(0, skipped_lines / 1000) page
      WHERE ${ofMonth} AND (skipped_lines > 0 OR row_results > 0)`)
  })
}

/** The cookbook asks after imports by these names. */
async function nameAskedImports(db: Database): Promise<void> {
  for (const jobId of ['banks-03-02', 'vendors-03-27'])
    await db.execute(sql`
      UPDATE imports SET job_id = ${jobId} WHERE id = (
        SELECT i.id FROM imports i JOIN connections c ON c.id = i.connection_id
        WHERE c.name = 'cdq' AND i.state = 'partial' AND i.registered_at > now() - interval '40 days' AND i.job_id LIKE 'job-%'
        ORDER BY i.skipped_lines DESC LIMIT 1
      )`)
}

/** What happened of late, as it was told: events, their deliveries to those endpoints that want them, and attempts. */
async function fillEvents(db: Database): Promise<void> {
  await db.execute(sql`
    INSERT INTO events (id, type, import_id, connection_id, occurred_at, sequence, body, position)
    SELECT uuidv7(finished_at - clock_timestamp()), 'import.' || state, id, connection_id, finished_at, 1,
      jsonb_build_object('type', 'import.' || state, 'timestamp', finished_at, 'sequence', 1, 'data', to_jsonb(imports))::text,
      nextval('event_positions')
    FROM (
      SELECT * FROM imports WHERE finished_at >= now() - ${recentDays} * interval '1 day' ORDER BY finished_at
    ) imports`)
  await db.execute(sql`
    INSERT INTO deliveries (id, event_id, endpoint_id, type, status_class, state, attempts, delivered_at, created_at, next_attempt_at)
    SELECT uuidv7(occurred_at - clock_timestamp()), e.id, p.id, e.type, CASE WHEN luck < 0.995 THEN 2 ELSE 5 END, CASE WHEN luck < 0.995 THEN 'delivered' ELSE 'exhausted' END, 1,
      CASE WHEN luck < 0.995 THEN occurred_at + exp(random_normal(-1, 1)) * interval '1 s' END, occurred_at, NULL
    FROM events e CROSS JOIN webhook_endpoints p CROSS JOIN LATERAL (SELECT random() AS luck, e.id) r
    WHERE e.occurred_at >= now() - interval '30 days' AND e.type = ANY (p.types)`)
  await db.execute(sql`
    INSERT INTO delivery_attempts (delivery_id, number, manual, started_at, duration_ms, outcome, status, response_snippet)
    SELECT id, 1, false, created_at + interval '20 ms', 80, CASE state WHEN 'delivered' THEN 'delivered' ELSE 'http_error' END,
      CASE state WHEN 'delivered' THEN 204 ELSE 500 END, NULL
    FROM deliveries`)
}
