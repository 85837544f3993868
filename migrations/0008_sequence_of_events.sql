ALTER TABLE "imports" ADD COLUMN "last_sequence" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "sequence" integer;--> statement-breakpoint

-- The events that are there are numbered in the order in which the API lists them. Months that were dropped are not
-- counted, and stored bodies stay as they are signed: only the API shows the numbers of old events.
UPDATE "events" SET "sequence" = numbered.sequence
FROM (
  SELECT e.id, row_number() OVER (PARTITION BY e.import_id ORDER BY e.id) AS sequence
  FROM "events" e JOIN "imports" i ON i.id = e.import_id
) numbered
WHERE "events"."id" = numbered.id;--> statement-breakpoint
UPDATE "imports" SET "last_sequence" = newest.sequence
FROM (SELECT import_id, max(sequence) AS sequence FROM "events" WHERE sequence IS NOT NULL GROUP BY import_id) newest
WHERE "imports"."id" = newest.import_id;--> statement-breakpoint

-- As before, but with the sequence of the event.
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
  extract(epoch FROM d.delivered_at - coalesce(e.occurred_at, d.created_at))::float8 AS delivered_after_s,
  e.sequence AS event_sequence
FROM deliveries d
JOIN webhook_endpoints p ON p.id = d.endpoint_id
LEFT JOIN events e ON e.id = d.event_id
LEFT JOIN connections c ON c.id = e.connection_id;
--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."event_sequence" IS 'The number of the event among those of its import, from 1; null: it is of no import, or isn’t kept any more.';
