ALTER TABLE "row_results" ADD COLUMN "line" bigint;--> statement-breakpoint
ALTER TABLE "row_results" ADD COLUMN "column" bigint;