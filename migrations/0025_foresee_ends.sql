ALTER TABLE "polling" ADD COLUMN "eta_ms" integer;--> statement-breakpoint
ALTER TABLE "polling" ADD COLUMN "eta_earliest_ms" integer;--> statement-breakpoint
ALTER TABLE "polling" ADD COLUMN "eta_latest_ms" integer;--> statement-breakpoint
ALTER TABLE "polling" ADD COLUMN "overdue_at" timestamp (3) with time zone;
--> statement-breakpoint

-- As before, with when each is likely to end.
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
  i.metadata,
  CASE WHEN p.eta_ms IS NOT NULL THEN greatest(t.foreseen_at + p.eta_ms * interval '1 millisecond', t.now) END::timestamptz(3) AS eta_at,
  CASE WHEN p.eta_earliest_ms IS NOT NULL
    THEN greatest(t.foreseen_at + p.eta_earliest_ms * interval '1 millisecond', t.now)
  END::timestamptz(3) AS eta_earliest_at,
  CASE WHEN p.eta_latest_ms IS NOT NULL
    THEN greatest(t.foreseen_at + p.eta_latest_ms * interval '1 millisecond', t.now)
  END::timestamptz(3) AS eta_latest_at
FROM reporting.imports i
LEFT JOIN polling p ON p.import_id = i.import_id
CROSS JOIN LATERAL (
  SELECT
    coalesce(nullif(current_setting('reporting.now', true), '')::timestamptz, now()) AS now,
    coalesce(i.last_polled_at, i.registered_at) AS foreseen_at
) t
CROSS JOIN LATERAL (SELECT greatest(extract(epoch FROM t.now - i.began_at)::float8, 0) AS age_s) a
LEFT JOIN reporting.duration_baseline b ON b.connection_id = i.connection_id
WHERE i.state IN ('pending', 'queued', 'running');--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."attention" IS 'What somebody should look at: unmapped_status, forbidden, outcome_incomplete, budget, stalled or overdue; null: nothing.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."eta_at" IS 'When it is likely to end, as the last poll foresaw it; never in the past. Null: nothing is known.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."eta_earliest_at" IS 'One in ten ends before this.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."eta_latest_at" IS 'One in ten ends after this.';
