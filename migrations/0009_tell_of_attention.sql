ALTER TABLE "imports" ADD COLUMN "attentions_told" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
COMMENT ON COLUMN "reporting"."imports"."attention" IS 'What somebody should look at, the first that holds of unmapped_status, forbidden, outcome_incomplete, budget, stalled, overdue; null: nothing.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."open_imports"."attention" IS 'What somebody should look at, the first that holds of unmapped_status, forbidden, outcome_incomplete, budget, stalled, overdue; null: nothing.';
