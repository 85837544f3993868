ALTER TABLE "connections" ADD COLUMN "volatile_fields" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "provider_clock_ahead_ms" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "moving_fields" jsonb;--> statement-breakpoint

-- A provider's time that can't be is none: zero values of types of dates, and what was still to come when it was said.
-- Days that such an import ended on are computed again.
INSERT INTO "daily_outcomes_due" ("day", "connection_id")
SELECT DISTINCT ("finished_at" AT TIME ZONE 'UTC')::date, "connection_id" FROM "imports"
WHERE "finished_at" IS NOT NULL AND (
  least("provider_created_at", "provider_started_at", "provider_finished_at") < '2000-01-01Z'
  OR greatest("provider_created_at", "provider_started_at", "provider_finished_at")
    > greatest("registered_at", "last_polled_at", "finished_at") + interval '1 minute');--> statement-breakpoint
UPDATE "imports" SET
  "provider_created_at" = said.created_at, "provider_started_at" = said.started_at,
  "provider_finished_at" = said.finished_at, "provider_expires_at" = said.expires_at
FROM "imports" i
CROSS JOIN LATERAL (
  SELECT greatest(i."registered_at", i."last_polled_at", i."finished_at") + interval '1 minute' AS latest
) heard
CROSS JOIN LATERAL (
  SELECT
    CASE WHEN i."provider_created_at" BETWEEN '2000-01-01Z' AND heard.latest THEN i."provider_created_at" END AS created_at,
    CASE WHEN i."provider_started_at" BETWEEN '2000-01-01Z' AND heard.latest THEN i."provider_started_at" END AS started_at,
    CASE WHEN i."provider_finished_at" BETWEEN '2000-01-01Z' AND heard.latest THEN i."provider_finished_at" END AS finished_at,
    CASE WHEN i."provider_expires_at" >= '0100-01-01Z' THEN i."provider_expires_at" END AS expires_at
) said
WHERE "imports"."id" = i."id" AND (
  (i."provider_created_at", i."provider_started_at", i."provider_finished_at", i."provider_expires_at")
  IS DISTINCT FROM (said.created_at, said.started_at, said.finished_at, said.expires_at));--> statement-breakpoint

-- As before, but with the provider's times on our clock, and without those that can't be.
CREATE OR REPLACE VIEW "reporting"."imports" AS
SELECT
  i.id AS import_id,
  i.connection_id,
  c.name AS connection,
  c.provider,
  i.job_id,
  i.state,
  CASE WHEN i.finished_at IS NOT NULL THEN i.state END AS outcome,
  i.lost_reason,
  i.attention,
  i.provider_status,
  i.message,
  i.progress,
  i.rows_total,
  i.rows_processed,
  i.rows_succeeded,
  i.rows_failed,
  i.rows_inserted,
  i.rows_updated,
  i.rows_skipped,
  i.details_state,
  i.skipped_lines AS skipped_lines_stored,
  i.row_results AS row_results_stored,
  said.created_at AS provider_created_at,
  said.started_at AS provider_started_at,
  said.finished_at AS provider_finished_at,
  i.provider_expires_at,
  i.registered_at,
  i.first_polled_at,
  i.last_polled_at,
  i.next_poll_at,
  i.finished_at,
  i.deadline_at,
  span.started_at,
  span.ended_at,
  CASE WHEN span.started_at >= span.queued_from THEN extract(epoch FROM span.started_at - span.queued_from)::float8 END AS queued_s,
  CASE WHEN span.ended_at >= span.started_at THEN extract(epoch FROM span.ended_at - span.started_at)::float8 END AS running_s,
  CASE WHEN span.ended_at >= span.created_at THEN extract(epoch FROM span.ended_at - span.created_at)::float8 END AS total_s,
  CASE WHEN span.ended_at > span.created_at
    THEN coalesce(i.rows_processed, i.rows_total) / extract(epoch FROM span.ended_at - span.created_at)::float8
  END AS rows_per_s,
  i.polls,
  (SELECT count(*) FROM detail_pages p WHERE p.import_id = i.id AND p.cursor IS NOT NULL) AS detail_requests,
  CASE WHEN i.state IN ('succeeded', 'partial', 'failed', 'canceled')
    THEN extract(epoch FROM greatest(i.finished_at, seen.last_live_at) - seen.last_live_at)::float8
  END AS detection_gap_s,
  i.last_error ->> 'code' AS last_error_code,
  i.last_error ->> 'message' AS last_error_message,
  (i.last_error ->> 'at')::timestamptz AS last_error_at,
  i.metadata,
  i.details_error ->> 'code' AS details_error_code,
  i.details_error ->> 'message' AS details_error_message,
  (i.details_error ->> 'at')::timestamptz AS details_error_at,
  coalesce(said.started_at - heard.ahead, said.created_at - heard.ahead, i.registered_at)::timestamptz(3) AS began_at
FROM imports i
JOIN connections c ON c.id = i.connection_id
-- One look at the snapshots for all that comes of them, and none for whoever asks for nothing of it: it has one row, so
-- the planner leaves it out.
LEFT JOIN LATERAL (
  SELECT
    min(s.first_seen_at) FILTER (WHERE s.state = 'running') AS first_running_at,
    max(s.last_seen_at) FILTER (WHERE s.state IN ('pending', 'queued', 'running')) AS last_live_at
  FROM snapshots s WHERE s.import_id = i.id
) seen ON true
CROSS JOIN LATERAL (
  SELECT
    i.provider_clock_ahead_ms * interval '1 millisecond' AS ahead,
    greatest(i.registered_at, i.last_polled_at, i.finished_at)
      + i.provider_clock_ahead_ms * interval '1 millisecond' + interval '1 minute' AS latest
) heard
CROSS JOIN LATERAL (
  SELECT
    (CASE WHEN i.provider_created_at BETWEEN '2000-01-01Z' AND heard.latest THEN i.provider_created_at END)::timestamptz(3) AS created_at,
    (CASE WHEN i.provider_started_at BETWEEN '2000-01-01Z' AND heard.latest THEN i.provider_started_at END)::timestamptz(3) AS started_at,
    (CASE WHEN i.provider_finished_at BETWEEN '2000-01-01Z' AND heard.latest THEN i.provider_finished_at END)::timestamptz(3) AS finished_at
) said
CROSS JOIN LATERAL (
  SELECT
    coalesce(said.created_at - heard.ahead, said.started_at - heard.ahead, i.registered_at) AS created_at,
    coalesce(said.created_at - heard.ahead, i.registered_at) AS queued_from,
    coalesce(said.started_at - heard.ahead, seen.first_running_at) AS started_at,
    CASE WHEN i.state IN ('succeeded', 'partial', 'failed', 'canceled') THEN
      coalesce(said.finished_at - heard.ahead, i.finished_at - (i.finished_at - seen.last_live_at) / 2)
    END AS ended_at
) span;
--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."began_at" IS 'From when its age and the usual duration count, on our clock: when the job began to run, else when it was made, as the provider says it; else when it was registered.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."provider_created_at" IS 'When the job was made, as the provider says it, by its own clock.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."provider_started_at" IS 'When the job began to run, as the provider says it, by its own clock.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."provider_finished_at" IS 'When the job ended, as the provider says it, by its own clock.';--> statement-breakpoint
CREATE OR REPLACE VIEW "reporting"."duration_baseline" AS
SELECT
  c.id AS connection_id,
  c.name AS connection,
  c.provider,
  b.n,
  exp(b.log_median) AS median_s,
  b.log_median,
  m.log_mad,
  b.p90_s,
  b.p99_s,
  b.first_finished_at,
  b.last_finished_at
FROM connections c
CROSS JOIN LATERAL (
  SELECT
    count(*) AS n,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY ln(duration_s)) AS log_median,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY duration_s) AS p90_s,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_s) AS p99_s,
    array_agg(duration_s) AS durations_s,
    min(finished_at) AS first_finished_at,
    max(finished_at) AS last_finished_at
  FROM (
    -- From where the polling policy counts: the provider's start, else its creation, else our registration.
    SELECT
      i.finished_at,
      extract(epoch FROM coalesce(said.finished_at - heard.ahead, i.finished_at - (i.finished_at - (
        SELECT s.last_seen_at FROM snapshots s
        WHERE s.import_id = i.id AND s.state IN ('pending', 'queued', 'running')
        ORDER BY s.id DESC LIMIT 1
      )) / 2) - coalesce(said.started_at - heard.ahead, said.created_at - heard.ahead, i.registered_at))::float8 AS duration_s
    FROM imports i
    CROSS JOIN LATERAL (
      SELECT
        i.provider_clock_ahead_ms * interval '1 millisecond' AS ahead,
        greatest(i.registered_at, i.last_polled_at, i.finished_at)
          + i.provider_clock_ahead_ms * interval '1 millisecond' + interval '1 minute' AS latest
    ) heard
    CROSS JOIN LATERAL (
      SELECT
        (CASE WHEN i.provider_created_at BETWEEN '2000-01-01Z' AND heard.latest THEN i.provider_created_at END)::timestamptz(3) AS created_at,
        (CASE WHEN i.provider_started_at BETWEEN '2000-01-01Z' AND heard.latest THEN i.provider_started_at END)::timestamptz(3) AS started_at,
        (CASE WHEN i.provider_finished_at BETWEEN '2000-01-01Z' AND heard.latest THEN i.provider_finished_at END)::timestamptz(3) AS finished_at
    ) said
    WHERE i.connection_id = c.id AND i.state IN ('succeeded', 'partial', 'failed')
    ORDER BY i.finished_at DESC
    LIMIT 200
  ) newest
  WHERE duration_s > 0
) b
CROSS JOIN LATERAL (
  SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(ln(duration_s) - b.log_median)) AS log_mad
  FROM unnest(b.durations_s) AS duration (duration_s)
) m
WHERE b.n > 0;
--> statement-breakpoint
CREATE OR REPLACE VIEW "reporting"."open_imports" AS
SELECT
  i.import_id,
  i.connection_id,
  i.connection,
  i.provider,
  i.job_id,
  i.state,
  i.provider_status,
  i.progress,
  i.registered_at,
  i.last_polled_at,
  i.next_poll_at,
  i.deadline_at,
  a.age_s,
  b.median_s AS usual_duration_s,
  a.age_s / b.median_s AS age_ratio,
  i.attention IS NOT DISTINCT FROM 'stalled' AS is_stalled,
  CASE WHEN b.n >= 20 THEN a.age_s > b.p99_s END AS is_overdue,
  i.attention,
  i.last_error_code,
  i.last_error_message,
  i.polls,
  i.metadata
FROM reporting.imports i
CROSS JOIN LATERAL (
  SELECT greatest(extract(epoch FROM
    coalesce(nullif(current_setting('reporting.now', true), '')::timestamptz, now()) - i.began_at)::float8, 0) AS age_s
) a
LEFT JOIN reporting.duration_baseline b ON b.connection_id = i.connection_id
WHERE i.state IN ('pending', 'queued', 'running');
