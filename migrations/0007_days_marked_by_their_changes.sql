-- Days are computed again when who changes what they count says so, in the same transaction (reporting/daily-outcomes.ts).
-- What was missed while events and clocks told it is counted once: all days are computed again, the newest first.
INSERT INTO "daily_outcomes_due" ("day", "connection_id")
SELECT ("registered_at" AT TIME ZONE 'UTC')::date, "connection_id" FROM "imports"
UNION SELECT ("finished_at" AT TIME ZONE 'UTC')::date, "connection_id" FROM "imports" WHERE "finished_at" IS NOT NULL
UNION SELECT "day", "connection_id" FROM "daily_outcomes";--> statement-breakpoint
DROP TABLE "daily_outcomes_watermark";--> statement-breakpoint
DROP INDEX "daily_outcomes_collecting";--> statement-breakpoint
ALTER TABLE "daily_outcomes" DROP COLUMN "collecting";
