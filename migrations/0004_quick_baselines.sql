CREATE INDEX "imports_connection_ended" ON "imports" USING btree ("connection_id","finished_at") WHERE "imports"."state" in ('succeeded', 'partial', 'failed');--> statement-breakpoint

-- As before, but in milliseconds: the newest imports come from the index above, for which nothing may ask whether
-- finished_at is null (the states say that it isn't), and a look at the snapshots, from the newest one back, is taken
-- only for those whose end the provider doesn't tell.
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
      extract(epoch FROM coalesce(i.provider_finished_at, i.finished_at - (i.finished_at - (
        SELECT s.last_seen_at FROM snapshots s
        WHERE s.import_id = i.id AND s.state IN ('pending', 'queued', 'running')
        ORDER BY s.id DESC LIMIT 1
      )) / 2) - coalesce(i.provider_started_at, i.provider_created_at, i.registered_at))::float8 AS duration_s
    FROM imports i
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
