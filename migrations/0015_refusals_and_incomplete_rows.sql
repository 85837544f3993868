ALTER TABLE "connections" ADD COLUMN "pause_reason" text;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "refused_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "spread_from" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "spread_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "refused_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "rows_announced" bigint;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "details_error" jsonb;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "collect_faults" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "collect_begun_anew" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "collect_replaces_from" integer;--> statement-breakpoint
CREATE INDEX "imports_refused" ON "imports" USING btree ("connection_id") WHERE "imports"."refused_since" is not null;--> statement-breakpoint
UPDATE "connections" SET "pause_reason" = 'unauthorized' WHERE "paused_at" IS NOT NULL;--> statement-breakpoint
-- As before, with why rows don't come.
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
  CASE WHEN span.started_at >= span.queued_from THEN extract(epoch FROM span.started_at - span.queued_from)::float8 END AS queued_s,
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
  i.metadata,
  i.details_error ->> 'code' AS details_error_code,
  i.details_error ->> 'message' AS details_error_message,
  (i.details_error ->> 'at')::timestamptz AS details_error_at
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
    coalesce(i.provider_created_at, i.registered_at) AS queued_from,
    coalesce(i.provider_started_at, seen.first_running_at) AS started_at,
    CASE WHEN i.state IN ('succeeded', 'partial', 'failed', 'canceled') THEN
      coalesce(i.provider_finished_at, i.finished_at - (i.finished_at - seen.last_live_at) / 2)
    END AS ended_at
) span;
--> statement-breakpoint
CREATE VIEW "reporting"."connections" AS
SELECT
  c.id AS connection_id,
  c.name AS connection,
  c.provider,
  c.created_at,
  c.paused_at,
  c.pause_reason,
  c.next_probe_at,
  c.blocked_until
FROM connections c
WHERE c.deleted_at IS NULL;
--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."details_error_code" IS 'Why rows don’t come, or didn’t where details_state is incomplete: forbidden, invalid_response, rows_missing, …; null: they come, or all came.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."details_error_message" IS 'The same for people.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."details_error_at" IS 'When a call for rows failed last.';--> statement-breakpoint
COMMENT ON VIEW "reporting"."connections" IS 'Each account at a provider that isn’t deleted, and whether it may be asked now.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."connections"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."connections"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."connections"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."connections"."created_at" IS 'When it was made.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."connections"."paused_at" IS 'Since when nothing is asked but a probe every few minutes; null: it isn’t paused.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."connections"."pause_reason" IS 'unauthorized: the provider refuses the credentials. forbidden: it refuses several imports. Null: it isn’t paused.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."connections"."next_probe_at" IS 'When the next probe may be made, while it is paused.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."connections"."blocked_until" IS 'Nothing is asked before this, because the provider said so: 429, or 503 with Retry-After. It may have passed.';--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'reporting_reader') THEN
    GRANT SELECT ON reporting.connections TO reporting_reader;
  END IF;
END
$$;
