ALTER TABLE "imports" ADD COLUMN "not_found_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "resumed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "held_outcome" jsonb;--> statement-breakpoint
CREATE INDEX "imports_held" ON "imports" USING btree ("id") WHERE "imports"."held_outcome" is not null;