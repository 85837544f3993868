ALTER TABLE "actions" ADD COLUMN "once" uuid;--> statement-breakpoint
CREATE UNIQUE INDEX "actions_once" ON "actions" USING btree ("once") WHERE "actions"."once" is not null;