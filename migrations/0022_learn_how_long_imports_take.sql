CREATE TABLE "baselines" (
	"connection_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"revision" integer NOT NULL,
	"median_ms" bigint NOT NULL,
	"spread" double precision NOT NULL,
	"learnt_at" timestamp (3) with time zone NOT NULL,
	"history" jsonb NOT NULL,
	CONSTRAINT "baselines_connection_id_kind_pk" PRIMARY KEY("connection_id","kind")
);
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "baseline_by" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "ran_ms" bigint;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "detection_gap_ms" bigint;--> statement-breakpoint
ALTER TABLE "baselines" ADD CONSTRAINT "baselines_connection_id_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
-- The views take what is kept with an import where its snapshots were dropped.
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
  coalesce(p.first_polled_at, i.first_polled_at)::timestamptz(3) AS first_polled_at,
  coalesce(p.last_polled_at, i.last_polled_at)::timestamptz(3) AS last_polled_at,
  p.due_at AS next_poll_at,
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
  coalesce(p.polls, i.polls) AS polls,
  (SELECT count(*) FROM detail_pages d WHERE d.import_id = i.id AND d.cursor IS NOT NULL) AS detail_requests,
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
LEFT JOIN polling p ON p.import_id = i.id
-- One look at the snapshots for all that comes of them, and none for whoever asks for nothing of it: it has one row, so
-- the planner leaves it out.
LEFT JOIN LATERAL (
  SELECT
    min(s.first_seen_at) FILTER (WHERE s.state = 'running') AS first_running_at,
    max(s.last_seen_at) FILTER (WHERE s.state IN ('pending', 'queued', 'running')) AS last_live_at
  FROM snapshots s WHERE s.import_id = i.id
) closed ON true
-- What the open snapshot doesn't say yet, and what snapshots that were dropped said.
CROSS JOIN LATERAL (
  SELECT
    closed.first_running_at,
    coalesce(
      greatest(closed.last_live_at, p.seen_at),
      i.finished_at - i.detection_gap_ms * interval '1 millisecond'
    ) AS last_live_at
) seen
CROSS JOIN LATERAL (
  SELECT
    i.provider_clock_ahead_ms * interval '1 millisecond' AS ahead,
    greatest(i.registered_at, p.last_polled_at, i.last_polled_at, i.finished_at)
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
) span;--> statement-breakpoint
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
      extract(epoch FROM coalesce(said.finished_at - heard.ahead, i.finished_at - (i.finished_at - coalesce(
        i.finished_at - i.detection_gap_ms * interval '1 millisecond',
        -- Of an import that ended before its gap was kept.
        (
          SELECT s.last_seen_at FROM snapshots s
          WHERE s.import_id = i.id AND s.state IN ('pending', 'queued', 'running')
          ORDER BY s.id DESC LIMIT 1
        )
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
-- What the newest imports that have ended say. Of each connection as many as are kept, by index.
WITH spans AS MATERIALIZED (
  SELECT
    newest.connection_id,
    newest.id,
    newest.finished_at,
    greatest(round(extract(epoch FROM v.ended_at - v.began_at) * 1000), 1)::bigint AS ran_ms,
    round(v.detection_gap_s * 1000)::bigint AS detection_gap_ms,
    round(extract(epoch FROM v.ended_at) * 1000)::bigint AS ended_ms,
    CASE WHEN v.provider_finished_at IS NULL THEN round(v.detection_gap_s * 1000)::bigint ELSE 0 END AS uncertain_ms
  FROM connections c
  CROSS JOIN LATERAL (
    SELECT id, connection_id, finished_at FROM imports
    WHERE connection_id = c.id AND state IN ('succeeded', 'partial', 'failed') AND finished_at IS NOT NULL
      AND resumed_at IS NULL
    ORDER BY finished_at DESC LIMIT 128
  ) newest
  CROSS JOIN LATERAL (SELECT * FROM reporting.imports WHERE import_id = newest.id OFFSET 0) v
  WHERE v.ended_at > v.began_at
), kept AS (
  UPDATE imports SET ran_ms = spans.ran_ms, detection_gap_ms = spans.detection_gap_ms FROM spans WHERE imports.id = spans.id
), middle AS (
  SELECT
    connection_id,
    count(*)::int AS ended,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY ln(ran_ms)) AS log_median,
    max(finished_at) AS learnt_at,
    jsonb_agg(jsonb_build_array(ended_ms, ran_ms, coalesce(uncertain_ms, 0)) ORDER BY finished_at, id) AS recent
  FROM spans GROUP BY connection_id
)
INSERT INTO baselines (connection_id, kind, revision, median_ms, spread, learnt_at, history)
SELECT
  connection_id,
  '',
  ended,
  round(exp(log_median))::bigint,
  (
    SELECT greatest(1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(ln(ran_ms) - log_median)), 0.02)
    FROM spans WHERE spans.connection_id = middle.connection_id
  ),
  learnt_at,
  jsonb_build_object(
    'ended', ended,
    'recent', recent,
    'scores', '[2, 0, 0, -2, -1, 0, -2]'::jsonb,
    'clockScores', '[0, 0, 0, 0, 0, 0]'::jsonb,
    'progressErrors', '[[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]'::jsonb,
    'progressScore', 0
  )
FROM middle;
