CREATE TABLE "installation" (
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"needed_migration" integer DEFAULT 0 NOT NULL,
	"is_only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	CONSTRAINT "installation_is_one" CHECK ("installation"."is_only")
);
--> statement-breakpoint
INSERT INTO "installation" DEFAULT VALUES;
