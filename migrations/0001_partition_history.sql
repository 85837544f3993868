-- History is kept by the month: snapshots, skipped_lines and row_results by the month that their import was registered
-- in, events by their own, delivery_attempts by that of their delivery. Ids are UUIDv7, whose first 48 bits are the
-- milliseconds: so months (UTC) are ranges of ids. A foreign key to or from these tables would lock the other table
-- when a month is dropped, so there are none.
ALTER TABLE "row_results" DROP CONSTRAINT "row_results_import_id_imports_id_fk";--> statement-breakpoint
ALTER TABLE "skipped_lines" DROP CONSTRAINT "skipped_lines_import_id_imports_id_fk";--> statement-breakpoint
ALTER TABLE "snapshots" DROP CONSTRAINT "snapshots_import_id_imports_id_fk";--> statement-breakpoint
ALTER TABLE "deliveries" DROP CONSTRAINT "deliveries_event_id_events_id_fk";--> statement-breakpoint
ALTER TABLE "delivery_attempts" DROP CONSTRAINT "delivery_attempts_delivery_id_deliveries_id_fk";--> statement-breakpoint
ALTER TABLE "events" DROP CONSTRAINT "events_import_id_imports_id_fk";--> statement-breakpoint
ALTER TABLE "events" DROP CONSTRAINT "events_connection_id_connections_id_fk";--> statement-breakpoint
ALTER TABLE "events" DROP CONSTRAINT "events_endpoint_id_webhook_endpoints_id_fk";--> statement-breakpoint

-- The old tables go aside with their indexes, whose names the new ones take.
CREATE SCHEMA "before_partitions";--> statement-breakpoint
ALTER TABLE "snapshots" SET SCHEMA "before_partitions";--> statement-breakpoint
ALTER TABLE "skipped_lines" SET SCHEMA "before_partitions";--> statement-breakpoint
ALTER TABLE "row_results" SET SCHEMA "before_partitions";--> statement-breakpoint
ALTER TABLE "events" SET SCHEMA "before_partitions";--> statement-breakpoint
ALTER TABLE "delivery_attempts" SET SCHEMA "before_partitions";--> statement-breakpoint
CREATE TABLE "snapshots" (LIKE "before_partitions"."snapshots" INCLUDING DEFAULTS) PARTITION BY RANGE ("import_id");--> statement-breakpoint
CREATE TABLE "skipped_lines" (LIKE "before_partitions"."skipped_lines" INCLUDING DEFAULTS) PARTITION BY RANGE ("import_id");--> statement-breakpoint
CREATE TABLE "row_results" (LIKE "before_partitions"."row_results" INCLUDING DEFAULTS) PARTITION BY RANGE ("import_id");--> statement-breakpoint
CREATE TABLE "events" (LIKE "before_partitions"."events" INCLUDING DEFAULTS) PARTITION BY RANGE ("id");--> statement-breakpoint
CREATE TABLE "delivery_attempts" (LIKE "before_partitions"."delivery_attempts" INCLUDING DEFAULTS) PARTITION BY RANGE ("delivery_id");--> statement-breakpoint

-- A partition for each month that something may be written to: what there is already, the month before (of a process
-- whose clock is late), this one, and three ahead. Later ones are made by the service.
DO $$
DECLARE
  history text;
  month timestamp;
  first uuid;
  beyond uuid;
BEGIN
  FOR history, month IN
    WITH ids AS (
      SELECT kept.history, imports.id
      FROM imports CROSS JOIN unnest('{snapshots,skipped_lines,row_results}'::text[]) AS kept (history)
      UNION ALL SELECT 'events', events.id FROM before_partitions.events
      UNION ALL SELECT 'delivery_attempts', deliveries.id FROM deliveries
    ), milliseconds AS (
      SELECT ids.history, ('x' || translate(left(ids.id::text, 13), '-', ''))::bit(48)::bigint AS made FROM ids
    )
    SELECT milliseconds.history, date_trunc('month', to_timestamp(made / 1000) AT TIME ZONE 'UTC') FROM milliseconds
    UNION
    SELECT kept.history, date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead)
    FROM unnest('{snapshots,skipped_lines,row_results,events,delivery_attempts}'::text[]) AS kept (history)
    CROSS JOIN generate_series(-1, 3) AS ahead
    ORDER BY 1, 2
  LOOP
    first := rpad(lpad(to_hex((extract(epoch FROM month) * 1000)::bigint), 12, '0'), 32, '0');
    beyond := rpad(lpad(to_hex((extract(epoch FROM month + interval '1 month') * 1000)::bigint), 12, '0'), 32, '0');
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
      history || to_char(month, '_YYYY_MM'), history, first, beyond);
  END LOOP;
END
$$;--> statement-breakpoint

INSERT INTO "snapshots" SELECT * FROM "before_partitions"."snapshots";--> statement-breakpoint
INSERT INTO "skipped_lines" SELECT * FROM "before_partitions"."skipped_lines";--> statement-breakpoint
INSERT INTO "row_results" SELECT * FROM "before_partitions"."row_results";--> statement-breakpoint
INSERT INTO "events" SELECT * FROM "before_partitions"."events";--> statement-breakpoint
INSERT INTO "delivery_attempts" SELECT * FROM "before_partitions"."delivery_attempts";--> statement-breakpoint
DROP TABLE "before_partitions"."snapshots", "before_partitions"."skipped_lines", "before_partitions"."row_results", "before_partitions"."events", "before_partitions"."delivery_attempts";--> statement-breakpoint
DROP SCHEMA "before_partitions";--> statement-breakpoint

-- The key of a partitioned table has to contain what it is partitioned by: for snapshots it is import_id and id now,
-- which also serves what snapshots_import was for.
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_import_id_id_pk" PRIMARY KEY("import_id","id");--> statement-breakpoint
ALTER TABLE "skipped_lines" ADD CONSTRAINT "skipped_lines_import_id_page_position_pk" PRIMARY KEY("import_id","page","position");--> statement-breakpoint
ALTER TABLE "row_results" ADD CONSTRAINT "row_results_import_id_row_pk" PRIMARY KEY("import_id","row");--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_pkey" PRIMARY KEY("id");--> statement-breakpoint
ALTER TABLE "delivery_attempts" ADD CONSTRAINT "delivery_attempts_delivery_id_number_pk" PRIMARY KEY("delivery_id","number");--> statement-breakpoint
CREATE INDEX "events_feed" ON "events" USING btree ("position","id");--> statement-breakpoint
CREATE INDEX "events_import" ON "events" USING btree ("import_id","id");--> statement-breakpoint
CREATE INDEX "events_of_no_import" ON "events" USING btree ("id") WHERE "events"."import_id" is null;--> statement-breakpoint
CREATE INDEX "delivery_attempts_snippets" ON "delivery_attempts" USING btree ("started_at") WHERE "delivery_attempts"."response_snippet" is not null;--> statement-breakpoint

-- Nobody else does: autovacuum looks at partitions, and never at what they are partitions of.
ANALYZE "snapshots", "skipped_lines", "row_results", "events", "delivery_attempts";
