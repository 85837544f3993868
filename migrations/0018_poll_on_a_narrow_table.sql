CREATE TABLE "polling" (
	"import_id" uuid PRIMARY KEY NOT NULL,
	"connection_id" uuid NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"polls" integer NOT NULL,
	"first_polled_at" timestamp (3) with time zone,
	"last_polled_at" timestamp (3) with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"not_founds" integer DEFAULT 0 NOT NULL,
	"not_found_since" timestamp (3) with time zone,
	"seen" integer DEFAULT 0 NOT NULL,
	"seen_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"owner_id" uuid NOT NULL,
	"size" integer DEFAULT 0 NOT NULL,
	"until" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
INSERT INTO "polling" ("import_id", "connection_id", "due_at", "polls", "first_polled_at", "last_polled_at", "failures", "not_founds", "not_found_since", "seen", "seen_at")
SELECT i."id", i."connection_id", i."next_poll_at", i."polls", i."first_polled_at", i."last_polled_at", i."poll_failures", i."not_found_polls", i."not_found_since",
  coalesce(s."polls", 0), s."last_seen_at"
FROM "imports" i LEFT JOIN "snapshots" s ON s."import_id" = i."id" AND s."id" = i."snapshot_id"
WHERE i."next_poll_at" IS NOT NULL;--> statement-breakpoint
ALTER TABLE "polling" ADD CONSTRAINT "polling_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "polling_due" ON "polling" USING btree ("connection_id","due_at");--> statement-breakpoint
CREATE UNIQUE INDEX "leases_owner" ON "leases" USING btree ("kind","owner_id");--> statement-breakpoint
-- Nearly every poll moves a row in the index of what is due, so its page should have room for the next version.
ALTER TABLE "polling" SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);--> statement-breakpoint
ALTER TABLE "leases" SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);--> statement-breakpoint
-- A report that changes touches no index any more, where its page has room.
ALTER TABLE "imports" SET (fillfactor = 85);--> statement-breakpoint

-- As before, but what polls change of a live import is read from "polling".
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
-- What the open snapshot doesn't say yet.
CROSS JOIN LATERAL (SELECT closed.first_running_at, greatest(closed.last_live_at, p.seen_at) AS last_live_at) seen
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
CREATE OR REPLACE VIEW "reporting"."status_periods" AS
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
LEFT JOIN polling ON polling.import_id = i.id
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
        id, state, provider_status, first_seen_at,
        CASE WHEN id = i.snapshot_id THEN coalesce(polling.seen_at, last_seen_at) ELSE last_seen_at END AS last_seen_at,
        CASE WHEN id = i.snapshot_id THEN coalesce(nullif(polling.seen, 0), snapshots.polls) ELSE snapshots.polls END AS polls,
        (state, provider_status) IS DISTINCT FROM
          (lag(state) OVER earlier, lag(provider_status) OVER earlier) AS is_change
      FROM snapshots
      WHERE import_id = i.id
      WINDOW earlier AS (ORDER BY first_seen_at, id)
    ) s
  ) numbered
  GROUP BY number, state, provider_status
) p;--> statement-breakpoint
CREATE OR REPLACE VIEW "reporting"."progress" AS
SELECT
  i.id AS import_id,
  i.connection_id,
  c.name AS connection,
  c.provider,
  i.job_id,
  s.first_seen_at,
  (CASE WHEN s.id = i.snapshot_id THEN coalesce(polling.seen_at, s.last_seen_at) ELSE s.last_seen_at END)::timestamptz(3) AS last_seen_at,
  CASE WHEN s.id = i.snapshot_id THEN coalesce(nullif(polling.seen, 0), s.polls) ELSE s.polls END AS polls,
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
LEFT JOIN polling ON polling.import_id = i.id
-- For each import by itself, by index: OFFSET keeps the planner from reading whole months instead.
CROSS JOIN LATERAL (SELECT id, first_seen_at, last_seen_at, polls, state, provider_status, progress, message, rows FROM snapshots WHERE import_id = i.id OFFSET 0) s;--> statement-breakpoint

DROP INDEX "imports_poll_due";--> statement-breakpoint
DROP INDEX "imports_poll_leased";--> statement-breakpoint
DROP INDEX "imports_collect_due";--> statement-breakpoint
DROP INDEX "imports_collect_leased";--> statement-breakpoint
CREATE INDEX "imports_collect_due" ON "imports" USING btree ("connection_id","next_collect_at") WHERE "imports"."next_collect_at" is not null;--> statement-breakpoint
ALTER TABLE "imports" DROP COLUMN "next_poll_at";--> statement-breakpoint
ALTER TABLE "imports" DROP COLUMN "poll_lease_until";--> statement-breakpoint
ALTER TABLE "imports" DROP COLUMN "poll_failures";--> statement-breakpoint
ALTER TABLE "imports" DROP COLUMN "not_found_polls";--> statement-breakpoint
ALTER TABLE "imports" DROP COLUMN "not_found_since";--> statement-breakpoint
ALTER TABLE "imports" DROP COLUMN "collect_lease_until";--> statement-breakpoint
-- Older versions would look for the columns that are gone.
UPDATE "installation" SET "needed_migration" = 18;
