CREATE TABLE "action_imports" (
	"action_id" uuid NOT NULL,
	"import_id" uuid NOT NULL,
	CONSTRAINT "action_imports_action_id_import_id_pk" PRIMARY KEY("action_id","import_id")
);
--> statement-breakpoint
CREATE TABLE "actions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"token_id" uuid,
	"by" text NOT NULL,
	"scope" text NOT NULL,
	"verb" text NOT NULL,
	"subject_id" text,
	"subject" text,
	"connection" text,
	"endpoint_id" uuid,
	"details" jsonb
);
--> statement-breakpoint
ALTER TABLE "action_imports" ADD CONSTRAINT "action_imports_action_id_actions_id_fk" FOREIGN KEY ("action_id") REFERENCES "public"."actions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "action_imports_import" ON "action_imports" USING btree ("import_id","action_id");--> statement-breakpoint
CREATE INDEX "actions_by" ON "actions" USING btree ("by","id");--> statement-breakpoint
CREATE INDEX "actions_verb" ON "actions" USING btree ("verb","id");--> statement-breakpoint
CREATE INDEX "actions_connection" ON "actions" USING btree ("connection","id") WHERE "actions"."connection" is not null;--> statement-breakpoint
CREATE INDEX "actions_endpoint" ON "actions" USING btree ("endpoint_id","id") WHERE "actions"."endpoint_id" is not null;--> statement-breakpoint
-- A row for each import that an action touched, so that it joins the other views by import_id.
CREATE VIEW "reporting"."actions" AS
SELECT
  a.id AS action_id,
  a.at,
  a.by,
  a.scope,
  a.token_id AS by_id,
  a.verb,
  split_part(a.verb, '.', 1) AS subject_kind,
  a.subject_id,
  a.subject,
  t.import_id,
  a.connection,
  a.endpoint_id,
  a.details
FROM actions a
LEFT JOIN action_imports t ON t.action_id = a.id;
--> statement-breakpoint
COMMENT ON VIEW "reporting"."actions" IS 'What the holders of tokens did: a row for each action, and for one on many imports a row for each of them.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."action_id" IS 'The action’s id. An action on many imports has one for all of them.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."at" IS 'When it was done.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."by" IS 'The name of the token, as it was then. bootstrap: the token of the configuration.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."scope" IS 'The token’s scope: read, write or admin.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."by_id" IS 'The token’s id, which may be deleted; null: the token of the configuration.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."verb" IS 'What was done: import.stop, connection.change, endpoint.replay, …';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."subject_kind" IS 'What it was done to: import, connection, endpoint, delivery, provider or token.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."subject_id" IS 'The id of what it was done to; null: many imports at once.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."subject" IS 'What people call it: a job id, a name, a URL without its query; null: many imports at once.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."import_id" IS 'The import that it touched, which may be deleted; null: none.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."connection" IS 'The name of the connection, if it was done to a connection.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."endpoint_id" IS 'The endpoint that it was done to, or that the delivery goes to; null: none.';--> statement-breakpoint
COMMENT ON COLUMN "reporting"."actions"."details" IS 'What more there is to know: the fields that changed, the filter, how many were done.';--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'reporting_reader') THEN
    GRANT SELECT ON reporting.actions TO reporting_reader;
  END IF;
END
$$;
