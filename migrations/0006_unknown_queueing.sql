-- As before, but for queued_s: it counted from the provider's start where nothing says when the job was made, and said
-- 0 of what is unknown.
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
    coalesce(i.provider_created_at, i.registered_at) AS queued_from,
    coalesce(i.provider_started_at, seen.first_running_at) AS started_at,
    CASE WHEN i.state IN ('succeeded', 'partial', 'failed', 'canceled') THEN
      coalesce(i.provider_finished_at, i.finished_at - (i.finished_at - seen.last_live_at) / 2)
    END AS ended_at
) span;
--> statement-breakpoint
-- As before, but with the moment of the event for deliveries that were made later, by a replay.
CREATE OR REPLACE VIEW "reporting"."webhook_deliveries" AS
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
  coalesce(e.occurred_at, d.created_at) AS created_at,
  d.delivered_at,
  d.next_attempt_at,
  d.attempts + d.manual_attempts + d.earlier_attempts AS attempts,
  (SELECT min(a.started_at) FROM delivery_attempts a WHERE a.delivery_id = d.id) AS first_attempt_at,
  (SELECT max(a.started_at) FROM delivery_attempts a WHERE a.delivery_id = d.id) AS last_attempt_at,
  (SELECT a.outcome FROM delivery_attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC LIMIT 1) AS last_outcome,
  (SELECT a.status FROM delivery_attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC LIMIT 1) AS last_status,
  (SELECT a.duration_ms FROM delivery_attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC LIMIT 1)
    AS last_duration_ms,
  extract(epoch FROM d.delivered_at - coalesce(e.occurred_at, d.created_at))::float8 AS delivered_after_s
FROM deliveries d
JOIN webhook_endpoints p ON p.id = d.endpoint_id
LEFT JOIN events e ON e.id = d.event_id
LEFT JOIN connections c ON c.id = e.connection_id;
--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."queued_s" IS 'Seconds from being made (else registered) to started_at. Null: it hasn’t started; or it had when it was registered, and the provider doesn’t say when it was made.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."total_s" IS 'Seconds from being made (else started, else registered) to ended_at. Where the provider says when it started and not when it was made, queued_s isn’t in it.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."created_at" IS 'When the event happened, also where its delivery was made later, by a replay.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."delivered_last_24_h" IS 'Deliveries of the last 24 hours that were delivered: of events of these hours, or replayed in them.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."delivered_after_median_s_last_24_h" IS 'Half of these were delivered within so many seconds of the event, or of the replay.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."endpoint_health"."delivered_after_p95_s_last_24_h" IS '95 % of these were delivered within so many seconds of the event, or of the replay.';
