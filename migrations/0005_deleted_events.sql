CREATE TABLE "deleted_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"position" bigint NOT NULL
);
