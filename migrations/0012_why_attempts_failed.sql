-- Attempts without an answer say why, in words of our own.
ALTER TABLE "delivery_attempts" ADD COLUMN "error_code" text;--> statement-breakpoint
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
  e.sequence AS event_sequence,
  (SELECT a.error_code FROM delivery_attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC LIMIT 1) AS last_error_code
FROM deliveries d
JOIN webhook_endpoints p ON p.id = d.endpoint_id
LEFT JOIN events e ON e.id = d.event_id
LEFT JOIN connections c ON c.id = e.connection_id;
--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."last_outcome" IS 'What came of it: delivered, http_error, invalid_http, redirect, timeout, dns_error, connect_error, tls_error, blocked_address or in_flight.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."webhook_deliveries"."last_error_code" IS 'Why it got no answer, such as headers_too_large or connection_refused; null: it got one. The API’s document has the list.';
