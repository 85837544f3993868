-- Attempts under way when the version before was stopped are due again at once, since their endpoints are served anew.
DROP INDEX "deliveries_leased";--> statement-breakpoint
DROP INDEX "deliveries_due";--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" USING btree ("endpoint_id","is_retry","next_attempt_at") WHERE "deliveries"."next_attempt_at" is not null and not "deliveries"."manual_requested";--> statement-breakpoint
-- As before, but for what counts as pending.
CREATE OR REPLACE VIEW "reporting"."endpoint_health" AS
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
  (SELECT count(*) FROM deliveries d WHERE d.endpoint_id = p.id AND d.next_attempt_at IS NOT NULL AND NOT d.manual_requested)
    + (SELECT count(*) FROM deliveries d WHERE d.endpoint_id = p.id AND d.manual_requested) AS pending,
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
) r;--> statement-breakpoint
ALTER TABLE "deliveries" DROP COLUMN "lease_until";--> statement-breakpoint
-- Counting an attempt touches no index, where its page has room for the next version.
ALTER TABLE "deliveries" SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);--> statement-breakpoint
-- Older versions would look for the column that is gone.
UPDATE "installation" SET "needed_migration" = 19;
