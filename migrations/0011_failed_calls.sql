CREATE TABLE "daily_failed_calls" (
	"day" date NOT NULL,
	"connection_id" uuid NOT NULL,
	"call" text NOT NULL,
	"code" text NOT NULL,
	"calls" bigint NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "daily_failed_calls_day_connection_id_call_code_pk" PRIMARY KEY("day","connection_id","call","code")
);
--> statement-breakpoint
CREATE TABLE "failed_calls" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"day" date NOT NULL,
	"connection_id" uuid NOT NULL,
	"call" text NOT NULL,
	"code" text NOT NULL,
	"calls" bigint NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "daily_failed_calls" ADD CONSTRAINT "daily_failed_calls_connection_id_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "daily_failed_calls_connection" ON "daily_failed_calls" USING btree ("connection_id","day");
--> statement-breakpoint
-- What is added up, and what isn't yet, so that it is exact at any moment.
CREATE VIEW "reporting"."failed_calls" AS
SELECT
  f.day,
  f.connection_id,
  c.name AS connection,
  c.provider,
  f.call,
  f.code,
  sum(f.calls)::bigint AS calls,
  min(f.first_at) AS first_failed_at,
  max(f.last_at) AS last_failed_at
FROM (
  SELECT day, connection_id, call, code, calls, first_at, last_at FROM daily_failed_calls
  UNION ALL
  SELECT day, connection_id, call, code, calls, first_at, last_at FROM failed_calls
) f
JOIN connections c ON c.id = f.connection_id
GROUP BY 1, 2, 3, 4, 5, 6;
--> statement-breakpoint
COMMENT ON VIEW "reporting"."failed_calls" IS 'One row a day (UTC), connection, call and code: calls to the provider that brought no answer to work with. Exact at any moment, and kept for good, also where months of history are dropped. A call that a crash cut off, or whose import had moved on or was deleted when it ended, is in none.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."failed_calls"."day" IS 'The day, in UTC, on which the calls failed.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."failed_calls"."connection_id" IS 'The connection’s id. Names can be used again once a connection is deleted; ids can’t.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."failed_calls"."connection" IS 'The connection’s name.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."failed_calls"."provider" IS 'The connection’s provider.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."failed_calls"."call" IS 'What was asked for: status; summary (a second call for the counts of an import that is over); details (a page of skipped lines or row results).';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."failed_calls"."code" IS 'Why it failed, as last_error_code of the view imports: unauthorized, not_found, rate_limited, server_error, timeout and so on.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."failed_calls"."calls" IS 'How many calls failed so.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."failed_calls"."first_failed_at" IS 'When the first of them failed.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."failed_calls"."last_failed_at" IS 'When the last of them failed.';--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'reporting_reader') THEN
    GRANT SELECT ON "reporting"."failed_calls" TO reporting_reader;
  END IF;
END
$$;
