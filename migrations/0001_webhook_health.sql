DROP INDEX "deliveries_event";--> statement-breakpoint
DROP INDEX "deliveries_due";--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "earlier_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "is_retry" boolean DEFAULT false NOT NULL;--> statement-breakpoint
UPDATE "deliveries" SET "is_retry" = true WHERE "attempts" > 0;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "endpoint_id" uuid;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "providers" text[];--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "metadata" jsonb;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "last_success_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "failures" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "first_failure_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "failing_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "next_probe_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "failed_probes" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_endpoint_id_webhook_endpoints_id_fk" FOREIGN KEY ("endpoint_id") REFERENCES "public"."webhook_endpoints"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "deliveries_requested" ON "deliveries" USING btree ("endpoint_id","next_attempt_at") WHERE "deliveries"."manual_requested";--> statement-breakpoint
CREATE UNIQUE INDEX "deliveries_event_endpoint" ON "deliveries" USING btree ("event_id","endpoint_id");--> statement-breakpoint
CREATE INDEX "deliveries_exhausted" ON "deliveries" USING btree ("endpoint_id","id") WHERE "deliveries"."state" = 'exhausted';--> statement-breakpoint
CREATE INDEX "delivery_attempts_snippets" ON "delivery_attempts" USING btree ("started_at") WHERE "delivery_attempts"."response_snippet" is not null;--> statement-breakpoint
CREATE INDEX "events_of_no_import" ON "events" USING btree ("id") WHERE "events"."import_id" is null;--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" USING btree ("endpoint_id","is_retry","next_attempt_at") WHERE "deliveries"."next_attempt_at" is not null and "deliveries"."lease_until" is null;