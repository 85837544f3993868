ALTER TABLE "connections" ADD COLUMN "budget_day" text;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "day_requests" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "recent_requests" double precision DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "recent_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "used_up_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "stretch" double precision DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "stretch_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "polling" ADD COLUMN "wanted_ms" integer;