DROP INDEX "imports_state";--> statement-breakpoint
DROP INDEX "imports_registered";--> statement-breakpoint
ALTER TABLE "installation" ADD COLUMN "public_url" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "type" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "status_class" smallint;--> statement-breakpoint
UPDATE "deliveries" d SET "type" = e."type" FROM "events" e WHERE e."id" = d."event_id";--> statement-breakpoint
UPDATE "deliveries" d SET "status_class" = coalesce(a."status" / 100, 0)
FROM (
  SELECT DISTINCT ON ("delivery_id") "delivery_id", "status" FROM "delivery_attempts"
  WHERE "outcome" <> 'in_flight' ORDER BY "delivery_id", "number" DESC
) a WHERE a."delivery_id" = d."id";--> statement-breakpoint
CREATE INDEX "imports_connection_registered" ON "imports" USING btree ("connection_id","registered_at","id");--> statement-breakpoint
CREATE INDEX "imports_attention" ON "imports" USING btree ("attention","registered_at","id") WHERE "imports"."attention" is not null;--> statement-breakpoint
CREATE INDEX "imports_job" ON "imports" USING btree ("job_id" text_pattern_ops,"registered_at","id");--> statement-breakpoint
CREATE INDEX "imports_metadata" ON "imports" USING gin ("metadata" jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "deliveries_state" ON "deliveries" USING btree ("state","id");--> statement-breakpoint
CREATE INDEX "deliveries_type" ON "deliveries" USING btree ("type","id");--> statement-breakpoint
CREATE INDEX "deliveries_status" ON "deliveries" USING btree ("status_class","id") WHERE "deliveries"."status_class" is not null;--> statement-breakpoint
CREATE INDEX "imports_state" ON "imports" USING btree ("state","registered_at","id");--> statement-breakpoint
CREATE INDEX "imports_registered" ON "imports" USING btree ("registered_at","id","connection_id");