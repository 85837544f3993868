-- The history as analysts and other services read it: views in a schema of their own, a role that may read them and
-- nothing else, and the days that are kept up beside the history (reporting/daily-outcomes.ts).
CREATE SCHEMA "reporting";
--> statement-breakpoint
CREATE TABLE "daily_outcomes" (
	"day" date NOT NULL,
	"connection_id" uuid NOT NULL,
	"registered" integer DEFAULT 0 NOT NULL,
	"succeeded" integer DEFAULT 0 NOT NULL,
	"partial" integer DEFAULT 0 NOT NULL,
	"failed" integer DEFAULT 0 NOT NULL,
	"canceled" integer DEFAULT 0 NOT NULL,
	"lost" integer DEFAULT 0 NOT NULL,
	"stopped" integer DEFAULT 0 NOT NULL,
	"rows_total" bigint,
	"rows_processed" bigint,
	"rows_succeeded" bigint,
	"rows_failed" bigint,
	"rows_skipped" bigint,
	"total_p50_s" double precision,
	"total_p90_s" double precision,
	"total_p99_s" double precision,
	"polls" bigint DEFAULT 0 NOT NULL,
	"collecting" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "daily_outcomes_day_connection_id_pk" PRIMARY KEY("day","connection_id")
);
--> statement-breakpoint
CREATE TABLE "daily_outcomes_due" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"day" date NOT NULL,
	"connection_id" uuid NOT NULL
);
--> statement-breakpoint
CREATE TABLE "daily_outcomes_watermark" (
	"id" integer PRIMARY KEY NOT NULL,
	"position" bigint NOT NULL,
	"registered_until" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "daily_skipped_columns" (
	"day" date NOT NULL,
	"connection_id" uuid NOT NULL,
	"column" bigint,
	"lines" bigint NOT NULL,
	"imports" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "daily_skipped_columns_key" UNIQUE NULLS NOT DISTINCT("connection_id","day","column")
);
--> statement-breakpoint
ALTER TABLE "daily_outcomes" ADD CONSTRAINT "daily_outcomes_connection_id_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "daily_skipped_columns" ADD CONSTRAINT "daily_skipped_columns_connection_id_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "daily_outcomes_connection" ON "daily_outcomes" USING btree ("connection_id","day");--> statement-breakpoint
CREATE INDEX "daily_outcomes_collecting" ON "daily_outcomes" USING btree ("day","connection_id") WHERE "daily_outcomes"."collecting" > 0;--> statement-breakpoint
CREATE INDEX "daily_outcomes_due_day" ON "daily_outcomes_due" USING btree ("day","connection_id");--> statement-breakpoint
CREATE INDEX "imports_registered" ON "imports" USING btree ("registered_at","connection_id");--> statement-breakpoint
CREATE INDEX "imports_finished" ON "imports" USING btree ("finished_at") WHERE "imports"."finished_at" is not null;--> statement-breakpoint
CREATE INDEX "imports_connection_finished" ON "imports" USING btree ("connection_id","finished_at") WHERE "imports"."finished_at" is not null;--> statement-breakpoint

-- Views for analysts and other services. Every column says in its comment what it is, and in its name its unit.
-- They read with their owner's rights, so reporting_reader needs none on the tables below them.
CREATE VIEW "reporting"."imports" AS
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
  i.provider_created_at,
  i.provider_started_at,
  i.provider_finished_at,
  i.provider_expires_at,
  i.registered_at,
  i.first_polled_at,
  i.last_polled_at,
  i.next_poll_at,
  i.finished_at,
  i.deadline_at,
  span.started_at,
  span.ended_at,
  CASE WHEN span.started_at >= span.created_at THEN extract(epoch FROM span.started_at - span.created_at)::float8 END AS queued_s,
  CASE WHEN span.ended_at >= span.started_at THEN extract(epoch FROM span.ended_at - span.started_at)::float8 END AS running_s,
  CASE WHEN span.ended_at >= span.created_at THEN extract(epoch FROM span.ended_at - span.created_at)::float8 END AS total_s,
  CASE WHEN span.ended_at > span.created_at
    THEN coalesce(i.rows_processed, i.rows_total) / extract(epoch FROM span.ended_at - span.created_at)::float8
  END AS rows_per_s,
  i.polls,
  (SELECT count(*) FROM detail_pages p WHERE p.import_id = i.id AND p.cursor IS NOT NULL) AS detail_requests,
  CASE WHEN i.state IN ('succeeded', 'partial', 'failed', 'canceled')
    THEN extract(epoch FROM i.finished_at - seen.last_live_at)::float8
  END AS detection_gap_s,
  i.last_error ->> 'code' AS last_error_code,
  i.last_error ->> 'message' AS last_error_message,
  (i.last_error ->> 'at')::timestamptz AS last_error_at,
  i.metadata
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
    coalesce(i.provider_created_at, i.provider_started_at, i.registered_at) AS created_at,
    coalesce(i.provider_started_at, seen.first_running_at) AS started_at,
    CASE WHEN i.state IN ('succeeded', 'partial', 'failed', 'canceled') THEN
      coalesce(i.provider_finished_at, i.finished_at - (i.finished_at - seen.last_live_at) / 2)
    END AS ended_at
) span;
--> statement-breakpoint
CREATE VIEW "reporting"."status_periods" AS
SELECT
  i.id AS import_id,
  i.connection_id,
  c.name AS connection,
  c.provider,
  i.job_id,
  p.period,
  p.state,
  p.provider_status,
  p.from_at,
  p.to_at,
  extract(epoch FROM p.to_at - p.from_at)::float8 AS duration_s,
  p.polls
FROM imports i
JOIN connections c ON c.id = i.connection_id
-- For each import by itself, by index: whatever limits the imports limits what is read.
CROSS JOIN LATERAL (
  SELECT
    row_number() OVER (ORDER BY number) AS period,
    state,
    provider_status,
    min(first_seen_at) AS from_at,
    coalesce(lead(min(first_seen_at)) OVER (ORDER BY number), max(last_seen_at)) AS to_at,
    sum(polls) AS polls
  FROM (
    SELECT s.*, count(*) FILTER (WHERE s.is_change) OVER (ORDER BY s.first_seen_at, s.id) AS number
    FROM (
      SELECT
        id, state, provider_status, first_seen_at, last_seen_at, polls,
        (state, provider_status) IS DISTINCT FROM
          (lag(state) OVER earlier, lag(provider_status) OVER earlier) AS is_change
      FROM snapshots
      WHERE import_id = i.id
      WINDOW earlier AS (ORDER BY first_seen_at, id)
    ) s
  ) numbered
  GROUP BY number, state, provider_status
) p;
--> statement-breakpoint
CREATE VIEW "reporting"."progress" AS
SELECT
  i.id AS import_id,
  i.connection_id,
  c.name AS connection,
  c.provider,
  i.job_id,
  s.first_seen_at,
  s.last_seen_at,
  s.polls,
  s.state,
  s.provider_status,
  s.progress,
  s.message,
  (s.rows ->> 'total')::bigint AS rows_total,
  (s.rows ->> 'processed')::bigint AS rows_processed,
  (s.rows ->> 'succeeded')::bigint AS rows_succeeded,
  (s.rows ->> 'failed')::bigint AS rows_failed,
  (s.rows ->> 'inserted')::bigint AS rows_inserted,
  (s.rows ->> 'updated')::bigint AS rows_updated,
  (s.rows ->> 'skipped')::bigint AS rows_skipped
FROM imports i
JOIN connections c ON c.id = i.connection_id
-- For each import by itself, by index: OFFSET keeps the planner from reading whole months instead.
CROSS JOIN LATERAL (SELECT first_seen_at, last_seen_at, polls, state, provider_status, progress, message, rows FROM snapshots WHERE import_id = i.id OFFSET 0) s;
--> statement-breakpoint
CREATE VIEW "reporting"."skipped_lines" AS
SELECT
  i.id AS import_id,
  i.connection_id,
  c.name AS connection,
  c.provider,
  i.job_id,
  i.registered_at,
  i.finished_at,
  l.page,
  l.position,
  l.line AS line_number,
  l."column" AS column_number
FROM imports i
JOIN connections c ON c.id = i.connection_id
-- For each import by itself, by index: OFFSET keeps the planner from reading whole months instead.
CROSS JOIN LATERAL (SELECT page, position, line, "column" FROM skipped_lines WHERE import_id = i.id OFFSET 0) l;
--> statement-breakpoint
CREATE VIEW "reporting"."row_results" AS
SELECT
  i.id AS import_id,
  i.connection_id,
  c.name AS connection,
  c.provider,
  i.job_id,
  i.registered_at,
  i.finished_at,
  r.row AS row_index,
  r.page,
  r.record_id,
  r.created,
  r.existing,
  r.error_code,
  r.error_message,
  r.item
FROM imports i
JOIN connections c ON c.id = i.connection_id
-- For each import by itself, by index: OFFSET keeps the planner from reading whole months instead.
CROSS JOIN LATERAL (SELECT row, page, record_id, created, existing, error_code, error_message, item FROM row_results WHERE import_id = i.id OFFSET 0) r;
--> statement-breakpoint
CREATE VIEW "reporting"."skipped_columns" AS
SELECT
  date_trunc('month', s.day::timestamp)::date AS month,
  s.connection_id,
  c.name AS connection,
  c.provider,
  s."column" AS column_number,
  sum(s.lines)::bigint AS lines,
  sum(s.imports)::bigint AS imports
FROM daily_skipped_columns s
JOIN connections c ON c.id = s.connection_id
GROUP BY 1, 2, 3, 4, 5;
--> statement-breakpoint
CREATE VIEW "reporting"."daily_outcomes" AS
SELECT
  d.day,
  d.connection_id,
  c.name AS connection,
  c.provider,
  d.registered,
  d.succeeded + d.partial + d.failed + d.canceled AS finished,
  d.succeeded,
  d.partial,
  d.failed,
  d.canceled,
  d.lost,
  d.stopped,
  d.succeeded::float8 / nullif(d.succeeded + d.partial + d.failed, 0) AS success_rate,
  d.rows_total,
  d.rows_processed,
  d.rows_succeeded,
  d.rows_failed,
  d.rows_skipped,
  d.total_p50_s,
  d.total_p90_s,
  d.total_p99_s,
  d.polls
FROM daily_outcomes d
JOIN connections c ON c.id = d.connection_id;
--> statement-breakpoint
CREATE VIEW "reporting"."duration_baseline" AS
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
      extract(epoch FROM i.ended_at
        - coalesce(i.provider_started_at, i.provider_created_at, i.registered_at))::float8 AS duration_s
    FROM reporting.imports i
    WHERE i.connection_id = c.id AND i.finished_at IS NOT NULL AND i.state IN ('succeeded', 'partial', 'failed')
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
CREATE VIEW "reporting"."open_imports" AS
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
  SELECT extract(epoch FROM
    coalesce(nullif(current_setting('reporting.now', true), '')::timestamptz, now())
      - coalesce(i.provider_started_at, i.provider_created_at, i.registered_at))::float8 AS age_s
) a
LEFT JOIN reporting.duration_baseline b ON b.connection_id = i.connection_id
WHERE i.state IN ('pending', 'queued', 'running');
--> statement-breakpoint
CREATE VIEW "reporting"."webhook_deliveries" AS
SELECT
  d.id AS delivery_id,
  d.event_id,
  e.type AS event_type,
  e.import_id,
  e.connection_id,
  c.name AS connection,
  c.provider,
  d.endpoint_id,
  regexp_replace(regexp_replace(p.url, '[?#].*$', ''), '//[^/]*@', '//') AS endpoint_url,
  d.state,
  d.created_at,
  d.delivered_at,
  d.next_attempt_at,
  d.attempts + d.manual_attempts + d.earlier_attempts AS attempts,
  (SELECT min(a.started_at) FROM delivery_attempts a WHERE a.delivery_id = d.id) AS first_attempt_at,
  (SELECT max(a.started_at) FROM delivery_attempts a WHERE a.delivery_id = d.id) AS last_attempt_at,
  (SELECT a.outcome FROM delivery_attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC LIMIT 1) AS last_outcome,
  (SELECT a.status FROM delivery_attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC LIMIT 1) AS last_status,
  (SELECT a.duration_ms FROM delivery_attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC LIMIT 1)
    AS last_duration_ms,
  extract(epoch FROM d.delivered_at - d.created_at)::float8 AS delivered_after_s
FROM deliveries d
JOIN webhook_endpoints p ON p.id = d.endpoint_id
LEFT JOIN events e ON e.id = d.event_id
LEFT JOIN connections c ON c.id = e.connection_id;
--> statement-breakpoint
CREATE VIEW "reporting"."endpoint_health" AS
SELECT
  p.id AS endpoint_id,
  regexp_replace(regexp_replace(p.url, '[?#].*$', ''), '//[^/]*@', '//') AS endpoint_url,
  CASE
    WHEN p.deleted_at IS NOT NULL THEN 'deleted'
    WHEN p.disabled_at IS NOT NULL THEN 'disabled'
    WHEN p.failing_since IS NOT NULL THEN 'failing'
    WHEN p.blocked_until > t.now THEN 'waiting'
    ELSE 'healthy'
  END AS health,
  p.types,
  p.connections,
  p.providers,
  p.created_at,
  p.deleted_at,
  p.disabled_at,
  p.disabled_reason,
  p.failing_since,
  p.failures AS failures_in_a_row,
  p.first_failure_at,
  p.next_probe_at,
  p.blocked_until,
  p.last_success_at,
  (SELECT count(*) FROM deliveries d WHERE d.endpoint_id = p.id AND d.next_attempt_at IS NOT NULL AND d.lease_until IS NULL)
    + (SELECT count(*) FROM deliveries d WHERE d.endpoint_id = p.id AND d.lease_until IS NOT NULL) AS pending,
  (SELECT count(*) FROM deliveries d WHERE d.endpoint_id = p.id AND d.state = 'exhausted') AS exhausted,
  r.delivered AS delivered_last_24_h,
  r.median_s AS delivered_after_median_s_last_24_h,
  r.p95_s AS delivered_after_p95_s_last_24_h
FROM webhook_endpoints p
CROSS JOIN LATERAL (
  SELECT coalesce(nullif(current_setting('reporting.now', true), '')::timestamptz, now()) AS now
) t
CROSS JOIN LATERAL (
  SELECT
    count(*) AS delivered,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY s.seconds) AS median_s,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY s.seconds) AS p95_s
  FROM deliveries d
  CROSS JOIN LATERAL (SELECT extract(epoch FROM d.delivered_at - d.created_at)::float8 AS seconds) s
  WHERE d.endpoint_id = p.id AND d.state = 'delivered'
    -- Ids begin with their milliseconds (UUIDv7), so the index finds the last day.
    AND d.id >= (rpad(lpad(to_hex((extract(epoch FROM t.now - interval '24 h') * 1000)::bigint), 12, '0'), 32, '0'))::uuid
) r;
--> statement-breakpoint
COMMENT ON VIEW "reporting"."imports" IS 'One row an import. A moment is the provider’s where it says it, else ours; a duration that would be negative is null.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."import_id" IS 'The import’s id, as the API shows it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."job_id" IS 'The provider’s id of the job.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."state" IS 'pending, queued, running, succeeded, partial, failed, canceled, lost or stopped.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."outcome" IS 'The state that tracking ended in; null: it goes on. succeeded, partial, failed and canceled are the provider’s word, lost means that nobody knows, stopped is ours.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."lost_reason" IS 'Why it is lost: not_found, expired, unauthorized, deadline or archived; null: it isn’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."attention" IS 'What somebody should look at: unmapped_status or stalled; null: nothing.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."provider_status" IS 'The provider’s own word for its state, as reported last.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."message" IS 'What the provider said for people, as reported last.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."progress" IS 'From 0 to 1, as reported last; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."rows_total" IS 'Rows in all; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."rows_processed" IS 'Rows that the provider has gone through; null: it doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."rows_succeeded" IS 'Rows that succeeded; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."rows_failed" IS 'Rows that failed; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."rows_inserted" IS 'Rows that made a new record; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."rows_updated" IS 'Rows that changed a record; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."rows_skipped" IS 'Rows that the provider skipped; null: it doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."details_state" IS 'Of collecting skipped lines and row results: none, pending, collecting, complete or incomplete.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."skipped_lines_stored" IS 'Skipped lines that were collected.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."row_results_stored" IS 'Row results that were collected.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."provider_created_at" IS 'When the job was made, as the provider says it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."provider_started_at" IS 'When the job began to run, as the provider says it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."provider_finished_at" IS 'When the job ended, as the provider says it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."provider_expires_at" IS 'When the provider forgets the job, as it says.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."registered_at" IS 'When the import was registered here.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."first_polled_at" IS 'When the provider was asked first.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."last_polled_at" IS 'When the provider was asked last.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."next_poll_at" IS 'When the provider is asked next; null: tracking is over.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."finished_at" IS 'When tracking ended: we heard the outcome, gave it up as lost or were stopped; null: it goes on.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."deadline_at" IS 'When tracking is given up.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."started_at" IS 'When it began to run: the provider’s time, else the first poll that said so.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."ended_at" IS 'When the provider ended it: the provider’s time, else the middle between the last poll before and the first poll after. Null while it goes on, where it is lost or stopped, and where the first poll found it over without a time.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."queued_s" IS 'Seconds from being made (else registered) to started_at.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."running_s" IS 'Seconds from started_at to ended_at.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."total_s" IS 'Seconds from being made (else started, else registered) to ended_at.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."rows_per_s" IS 'Rows processed (else rows in all) a second of total_s.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."polls" IS 'Status calls, failed ones too. A provider’s second call at the end (Zilliant’s report) isn’t counted.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."detail_requests" IS 'Further calls for pages of skipped lines and row results.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."detection_gap_s" IS 'Seconds between the last poll that found it going on and the first that found it over: the end was somewhere in between. Null where there was no such pair.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."last_error_code" IS 'Of the last poll, where it failed: timeout, server_error, not_found, …';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."last_error_message" IS 'The same for people.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."last_error_at" IS 'When that poll failed.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."metadata" IS 'What it was registered with, as jsonb.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."status_periods" IS 'One row an import and status, as long as the status stayed the same: reports of one state and one provider status in a row.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."import_id" IS 'The import’s id, as the API shows it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."job_id" IS 'The provider’s id of the job.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."period" IS 'From 1, within the import.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."state" IS 'The import’s state in it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."provider_status" IS 'The provider’s own word for it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."from_at" IS 'The first poll that found it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."to_at" IS 'The first poll that found the next one; of the last period, the last poll that found it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."duration_s" IS 'Seconds from from_at to to_at.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."status_periods"."polls" IS 'Polls that found it. Failed ones found nothing and are in no period.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."progress" IS 'The series behind a chart: one row for each report that differed from the one before. It holds from first_seen_at to last_seen_at.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."import_id" IS 'The import’s id, as the API shows it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."job_id" IS 'The provider’s id of the job.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."first_seen_at" IS 'The first poll that was answered so.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."last_seen_at" IS 'The last poll in a row that was answered so.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."polls" IS 'Polls that were answered so.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."state" IS 'The import’s state by it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."provider_status" IS 'The provider’s own word for it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."progress" IS 'From 0 to 1; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."message" IS 'What the provider said for people.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."rows_total" IS 'Rows in all; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."rows_processed" IS 'Rows that the provider has gone through; null: it doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."rows_succeeded" IS 'Rows that succeeded; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."rows_failed" IS 'Rows that failed; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."rows_inserted" IS 'Rows that made a new record; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."rows_updated" IS 'Rows that changed a record; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."progress"."rows_skipped" IS 'Rows that the provider skipped; null: it doesn’t say.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."skipped_lines" IS 'One row for each line of the source that the provider skipped, as collected.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."import_id" IS 'The import’s id, as the API shows it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."job_id" IS 'The provider’s id of the job.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."registered_at" IS 'When the import was registered here.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."finished_at" IS 'When tracking the import ended.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."page" IS 'The page of the provider’s answer that told of it, from 0.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."position" IS 'Its place in the page, from 0.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."line_number" IS 'The line of the source; null: the provider names none.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_lines"."column_number" IS 'The column that was wrong; null: the provider names none.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."row_results" IS 'One row for each row that the provider told the result of, as collected.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."import_id" IS 'The import’s id, as the API shows it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."job_id" IS 'The provider’s id of the job.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."registered_at" IS 'When the import was registered here.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."finished_at" IS 'When tracking the import ended.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."row_index" IS 'From 0, in the provider’s order.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."page" IS 'The page of the provider’s answer that told of it, from 0.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."record_id" IS 'The provider’s id of the record.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."created" IS 'Whether a record was made.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."existing" IS 'Whether the record was there before.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."error_code" IS 'What was wrong with it, in the provider’s word; null: nothing.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."error_message" IS 'The same for people.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."row_results"."item" IS 'The failed item as the provider repeats it; null: it doesn’t.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."skipped_columns" IS 'Which columns break: skipped lines by column, of the imports of a connection that ended in a month (UTC) and whose lines are collected. Kept up each minute.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_columns"."month" IS 'The first day of the month (UTC) that the imports ended in.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_columns"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_columns"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_columns"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_columns"."column_number" IS 'The column; null: the provider names none.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_columns"."lines" IS 'Lines that were skipped for it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."skipped_columns"."imports" IS 'Imports with at least one such line.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."daily_outcomes" IS 'One row a day (UTC) and connection on which an import was registered or ended. Kept up each minute.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."day" IS 'The day, in UTC.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."registered" IS 'Imports registered on the day. All other columns are of the imports that ended on it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."finished" IS 'Those that the provider ended: succeeded, partial, failed and canceled.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."succeeded" IS 'Those that succeeded.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."partial" IS 'Those that succeeded in part.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."failed" IS 'Those that failed.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."canceled" IS 'Those that were canceled at the provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."lost" IS 'Those that were given up: nobody knows how they ended.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."stopped" IS 'Those that somebody stopped tracking.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."success_rate" IS 'succeeded ÷ (succeeded + partial + failed), from 0 to 1; null: there were none.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."rows_total" IS 'Their rows in all; null: no provider says it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."rows_processed" IS 'Their rows processed; null: no provider says it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."rows_succeeded" IS 'Their rows that succeeded; null: no provider says it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."rows_failed" IS 'Their rows that failed; null: no provider says it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."rows_skipped" IS 'Their rows that were skipped; null: no provider says it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."total_p50_s" IS 'Half of them took at most so many seconds (total_s of the view imports).';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."total_p90_s" IS '90 % of them took at most so many seconds.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."total_p99_s" IS '99 % of them took at most so many seconds.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."daily_outcomes"."polls" IS 'Status calls that they cost, on whatever day.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."open_imports" IS 'One row an import that is tracked now, with its age against the connection’s usual duration. Ages are as of the setting reporting.now where a session sets it (for answers that can be repeated), else of now.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."import_id" IS 'The import’s id, as the API shows it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."job_id" IS 'The provider’s id of the job.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."state" IS 'pending, queued or running.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."provider_status" IS 'The provider’s own word for its state.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."progress" IS 'From 0 to 1; null: the provider doesn’t say.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."registered_at" IS 'When the import was registered here.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."last_polled_at" IS 'When the provider was asked last.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."next_poll_at" IS 'When the provider is asked next.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."deadline_at" IS 'When tracking is given up.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."age_s" IS 'Seconds since it started, by the provider’s time; else since it was made; else since it was registered.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."usual_duration_s" IS 'median_s of the view duration_baseline; null: none has finished yet.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."age_ratio" IS 'age_s ÷ usual_duration_s.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."is_stalled" IS 'Whether its progress hasn’t moved for a long time.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."is_overdue" IS 'Whether it is older than 99 % of the connection’s imports got; null: fewer than 20 are known.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."attention" IS 'What somebody should look at: unmapped_status or stalled; null: nothing.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."last_error_code" IS 'Of the last poll, where it failed: timeout, server_error, not_found, …';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."last_error_message" IS 'The same for people.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."polls" IS 'Status calls so far, failed ones too.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."metadata" IS 'What it was registered with, as jsonb.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."duration_baseline" IS 'One row a connection: how long its imports take, by the 200 that ended last (succeeded, partial or failed; not canceled, lost or stopped). Counted as the polling policy does: from the provider’s start, else its creation, else our registration, to ended_at of the view imports. Durations that are unknown or not positive are left out.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."n" IS 'Imports that it is made of, at most 200.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."median_s" IS 'The median duration in seconds: e to the log_median.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."log_median" IS 'The median of the natural logarithms of the durations in seconds.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."log_mad" IS 'The median absolute deviation of these logarithms from log_median, as it is; times 1.4826 it estimates a standard deviation.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."p90_s" IS '90 % took at most so many seconds.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."p99_s" IS '99 % took at most so many seconds.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."first_finished_at" IS 'When the first of them ended.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."duration_baseline"."last_finished_at" IS 'When the last of them ended.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."webhook_deliveries" IS 'One row an event and endpoint that it was for. Kept as long as the log of deliveries, 30 days.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."delivery_id" IS 'The delivery’s id, as the API shows it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."event_id" IS 'The event’s id, which is the webhook-id of every attempt.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."event_type" IS 'import.succeeded, import.lost, …';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."import_id" IS 'The import that it tells of; null: of none.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."connection_id" IS 'The connection that it tells of; null: of none.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."endpoint_id" IS 'The endpoint’s id.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."endpoint_url" IS 'Its URL, without the query.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."state" IS 'pending, delivered, exhausted (the last attempt failed) or skipped (the endpoint was disabled or deleted before).';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."created_at" IS 'When the event happened.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."delivered_at" IS 'When it was first answered with 2xx.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."next_attempt_at" IS 'When an attempt is due; null: none is.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."attempts" IS 'Requests made so far, those that somebody asked for included.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."first_attempt_at" IS 'When the first request went out; null: none did, or its row isn’t kept any more.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."last_attempt_at" IS 'When the last request went out.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."last_outcome" IS 'What came of it: delivered, http_error, redirect, timeout, dns_error, connect_error, tls_error, blocked_address or in_flight.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."last_status" IS 'The HTTP status that it was answered with; null: it wasn’t answered.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."last_duration_ms" IS 'Milliseconds that it took.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."delivered_after_s" IS 'Seconds from created_at to delivered_at.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."endpoint_health" IS 'One row a webhook endpoint, deleted ones included. Without its secrets, its headers and the query of its URL.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."endpoint_id" IS 'The endpoint’s id.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."endpoint_url" IS 'Its URL, without the query.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."health" IS 'healthy; waiting (it said 429 or 503); failing (five failures in a row or more: one delivery is tried at a time); disabled; deleted.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."types" IS 'The event types that it gets.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."connections" IS 'The names of the connections whose events it gets; null: of all.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."providers" IS 'The providers whose events it gets; null: of all.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."created_at" IS 'When it was made.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."deleted_at" IS 'When it was deleted.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."disabled_at" IS 'Since when nothing is sent to it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."disabled_reason" IS 'manual, gone (it answered 410) or failing (nothing succeeded for five days).';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."failing_since" IS 'Since when it is failing.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."failures_in_a_row" IS 'Attempts that failed since the last success.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."first_failure_at" IS 'When the first of them did.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."next_probe_at" IS 'While it is failing: when a delivery is tried next.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."blocked_until" IS 'Nothing is sent before this, because it said 429 or 503.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."last_success_at" IS 'When it last answered with 2xx, to the minute; null: never.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."pending" IS 'Deliveries that an attempt is due or under way for.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."exhausted" IS 'Deliveries of the last 30 days whose last attempt failed.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."delivered_last_24_h" IS 'Deliveries of events of the last 24 hours that were delivered.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."delivered_after_median_s_last_24_h" IS 'Half of these were delivered within so many seconds of the event.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."delivered_after_p95_s_last_24_h" IS '95 % of these were delivered within so many seconds of the event.';--> statement-breakpoint

-- The role of analysts: grant it to their login roles. It is made where this user may; elsewhere somebody who may runs
-- CREATE ROLE reporting_reader NOLOGIN, and then the two GRANTs below.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reporting_reader') THEN
    CREATE ROLE reporting_reader NOLOGIN;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE NOTICE 'The role reporting_reader could not be made: CREATE ROLE reporting_reader NOLOGIN; GRANT USAGE ON SCHEMA reporting TO reporting_reader; GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO reporting_reader;';
  WHEN duplicate_object OR unique_violation THEN NULL; -- somebody else has made it at the same moment
END
$$;--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'reporting_reader') THEN
    GRANT USAGE ON SCHEMA reporting TO reporting_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO reporting_reader;
  END IF;
END
$$;
