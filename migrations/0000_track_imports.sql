CREATE SEQUENCE "public"."event_positions" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "connections" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"provider" text NOT NULL,
	"base_url" text,
	"credentials" text NOT NULL,
	"settings" jsonb NOT NULL,
	"limits" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	"paused_at" timestamp (3) with time zone,
	"next_probe_at" timestamp (3) with time zone,
	"blocked_until" timestamp (3) with time zone,
	"next_request_at" timestamp (3) with time zone,
	"budget_month" text,
	"month_requests" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "detail_pages" (
	"import_id" uuid NOT NULL,
	"page" integer NOT NULL,
	"cursor" text,
	"next_cursor" text,
	"skipped_lines" integer NOT NULL,
	"row_results" integer NOT NULL,
	"stored_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "detail_pages_import_id_page_pk" PRIMARY KEY("import_id","page")
);
--> statement-breakpoint
CREATE TABLE "imports" (
	"id" uuid PRIMARY KEY NOT NULL,
	"connection_id" uuid NOT NULL,
	"job_id" text NOT NULL,
	"state" text NOT NULL,
	"lost_reason" text,
	"attention" text,
	"provider_status" text,
	"message" text,
	"progress" double precision,
	"rows_total" bigint,
	"rows_processed" bigint,
	"rows_succeeded" bigint,
	"rows_failed" bigint,
	"rows_inserted" bigint,
	"rows_updated" bigint,
	"rows_skipped" bigint,
	"provider_created_at" timestamp (3) with time zone,
	"provider_started_at" timestamp (3) with time zone,
	"provider_finished_at" timestamp (3) with time zone,
	"provider_expires_at" timestamp (3) with time zone,
	"registered_at" timestamp (3) with time zone NOT NULL,
	"first_polled_at" timestamp (3) with time zone,
	"last_polled_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"deadline_ms" bigint NOT NULL,
	"deadline_at" timestamp (3) with time zone NOT NULL,
	"polls" integer DEFAULT 0 NOT NULL,
	"next_poll_at" timestamp (3) with time zone,
	"poll_lease_until" timestamp (3) with time zone,
	"poll_failures" integer DEFAULT 0 NOT NULL,
	"not_found_polls" integer DEFAULT 0 NOT NULL,
	"last_error" jsonb,
	"progress_changes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"snapshot_id" uuid,
	"fingerprint" text,
	"details_state" text DEFAULT 'none' NOT NULL,
	"skipped_lines" bigint DEFAULT 0 NOT NULL,
	"row_results" bigint DEFAULT 0 NOT NULL,
	"next_collect_at" timestamp (3) with time zone,
	"collect_lease_until" timestamp (3) with time zone,
	"collect_failures" integer DEFAULT 0 NOT NULL,
	"collect_not_founds" integer DEFAULT 0 NOT NULL,
	"metadata" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "row_results" (
	"import_id" uuid NOT NULL,
	"row" bigint NOT NULL,
	"page" integer NOT NULL,
	"record_id" text,
	"created" boolean,
	"existing" boolean,
	"error_code" text,
	"error_message" text,
	"item" jsonb,
	CONSTRAINT "row_results_import_id_row_pk" PRIMARY KEY("import_id","row")
);
--> statement-breakpoint
CREATE TABLE "skipped_lines" (
	"import_id" uuid NOT NULL,
	"page" integer NOT NULL,
	"position" integer NOT NULL,
	"line" bigint,
	"column" bigint,
	CONSTRAINT "skipped_lines_import_id_page_position_pk" PRIMARY KEY("import_id","page","position")
);
--> statement-breakpoint
CREATE TABLE "snapshots" (
	"id" uuid PRIMARY KEY NOT NULL,
	"import_id" uuid NOT NULL,
	"state" text NOT NULL,
	"provider_status" text,
	"progress" double precision,
	"message" text,
	"rows" jsonb NOT NULL,
	"body" jsonb NOT NULL,
	"first_seen_at" timestamp (3) with time zone NOT NULL,
	"last_seen_at" timestamp (3) with time zone NOT NULL,
	"polls" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"scope" text NOT NULL,
	"hash" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" uuid PRIMARY KEY NOT NULL,
	"event_id" uuid NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"manual_attempts" integer DEFAULT 0 NOT NULL,
	"earlier_attempts" integer DEFAULT 0 NOT NULL,
	"is_retry" boolean DEFAULT false NOT NULL,
	"manual_requested" boolean DEFAULT false NOT NULL,
	"next_attempt_at" timestamp (3) with time zone,
	"lease_until" timestamp (3) with time zone,
	"delivered_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "delivery_attempts" (
	"delivery_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"manual" boolean NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"duration_ms" integer,
	"outcome" text NOT NULL,
	"status" integer,
	"response_snippet" text,
	CONSTRAINT "delivery_attempts_delivery_id_number_pk" PRIMARY KEY("delivery_id","number")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"import_id" uuid,
	"connection_id" uuid,
	"endpoint_id" uuid,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"body" text NOT NULL,
	"position" bigint
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoints" (
	"id" uuid PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"types" text[] NOT NULL,
	"connections" text[],
	"providers" text[],
	"metadata" jsonb,
	"headers" text,
	"secret" text NOT NULL,
	"previous_secrets" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"disabled_at" timestamp (3) with time zone,
	"disabled_reason" text,
	"blocked_until" timestamp (3) with time zone,
	"last_success_at" timestamp (3) with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"first_failure_at" timestamp (3) with time zone,
	"failing_since" timestamp (3) with time zone,
	"next_probe_at" timestamp (3) with time zone,
	"failed_probes" integer DEFAULT 0 NOT NULL,
	"deleted_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "detail_pages" ADD CONSTRAINT "detail_pages_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "imports" ADD CONSTRAINT "imports_connection_id_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "row_results" ADD CONSTRAINT "row_results_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "skipped_lines" ADD CONSTRAINT "skipped_lines_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."events"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_endpoint_id_webhook_endpoints_id_fk" FOREIGN KEY ("endpoint_id") REFERENCES "public"."webhook_endpoints"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "delivery_attempts" ADD CONSTRAINT "delivery_attempts_delivery_id_deliveries_id_fk" FOREIGN KEY ("delivery_id") REFERENCES "public"."deliveries"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_connection_id_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."connections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_endpoint_id_webhook_endpoints_id_fk" FOREIGN KEY ("endpoint_id") REFERENCES "public"."webhook_endpoints"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "connections_name" ON "connections" USING btree ("name") WHERE "connections"."deleted_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "detail_pages_cursor" ON "detail_pages" USING btree ("import_id",md5("cursor"));--> statement-breakpoint
CREATE UNIQUE INDEX "imports_connection_job" ON "imports" USING btree ("connection_id","job_id");--> statement-breakpoint
CREATE INDEX "imports_poll_due" ON "imports" USING btree ("connection_id","next_poll_at") WHERE "imports"."next_poll_at" is not null and "imports"."poll_lease_until" is null;--> statement-breakpoint
CREATE INDEX "imports_poll_leased" ON "imports" USING btree ("connection_id","poll_lease_until") WHERE "imports"."poll_lease_until" is not null;--> statement-breakpoint
CREATE INDEX "imports_collect_due" ON "imports" USING btree ("connection_id","next_collect_at") WHERE "imports"."next_collect_at" is not null and "imports"."collect_lease_until" is null;--> statement-breakpoint
CREATE INDEX "imports_collect_leased" ON "imports" USING btree ("connection_id","collect_lease_until") WHERE "imports"."collect_lease_until" is not null;--> statement-breakpoint
CREATE INDEX "imports_state" ON "imports" USING btree ("state","id");--> statement-breakpoint
CREATE INDEX "snapshots_import" ON "snapshots" USING btree ("import_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "api_tokens_hash" ON "api_tokens" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" USING btree ("endpoint_id","is_retry","next_attempt_at") WHERE "deliveries"."next_attempt_at" is not null and "deliveries"."lease_until" is null;--> statement-breakpoint
CREATE INDEX "deliveries_requested" ON "deliveries" USING btree ("endpoint_id","next_attempt_at") WHERE "deliveries"."manual_requested";--> statement-breakpoint
CREATE INDEX "deliveries_leased" ON "deliveries" USING btree ("endpoint_id","lease_until") WHERE "deliveries"."lease_until" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "deliveries_event_endpoint" ON "deliveries" USING btree ("event_id","endpoint_id");--> statement-breakpoint
CREATE INDEX "deliveries_endpoint" ON "deliveries" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE INDEX "deliveries_exhausted" ON "deliveries" USING btree ("endpoint_id","id") WHERE "deliveries"."state" = 'exhausted';--> statement-breakpoint
CREATE INDEX "delivery_attempts_snippets" ON "delivery_attempts" USING btree ("started_at") WHERE "delivery_attempts"."response_snippet" is not null;--> statement-breakpoint
CREATE INDEX "events_feed" ON "events" USING btree ("position","id");--> statement-breakpoint
CREATE INDEX "events_import" ON "events" USING btree ("import_id","id");--> statement-breakpoint
CREATE INDEX "events_of_no_import" ON "events" USING btree ("id") WHERE "events"."import_id" is null;