CREATE TABLE "provider_documents" (
	"name" text NOT NULL,
	"revision" integer NOT NULL,
	"document" json NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	CONSTRAINT "provider_documents_name_revision_pk" PRIMARY KEY("name","revision")
);
--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "provider_revision" integer;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "provider_facts" jsonb;