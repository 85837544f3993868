-- While versions are replaced one by one, older ones write events and know nothing of their numbers. These are taken
-- here, as webhooks/sequence.ts takes them, so that neither a number nor an event is missing.
CREATE FUNCTION "number_event"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.imports SET last_sequence = last_sequence + 1 WHERE id = NEW.import_id RETURNING last_sequence INTO NEW.sequence;
  RETURN NEW;
END
$$;--> statement-breakpoint
-- A trigger runs it all the same.
REVOKE EXECUTE ON FUNCTION "number_event"() FROM PUBLIC;--> statement-breakpoint
CREATE TRIGGER "number_event" BEFORE INSERT ON "events" FOR EACH ROW
  WHEN (NEW.sequence IS NULL AND NEW.import_id IS NOT NULL)
  EXECUTE FUNCTION "number_event"();--> statement-breakpoint
-- Those that older versions have written since there are numbers come after the ones that have theirs.
WITH late AS (
  SELECT e.id, i.last_sequence + row_number() OVER (PARTITION BY e.import_id ORDER BY e.id) AS sequence
  FROM "events" e JOIN "imports" i ON i.id = e.import_id WHERE e.sequence IS NULL
)
UPDATE "events" SET "sequence" = late.sequence FROM late WHERE "events"."id" = late.id;--> statement-breakpoint
UPDATE "imports" SET "last_sequence" = newest.sequence
FROM (SELECT import_id, max(sequence) AS sequence FROM "events" WHERE sequence IS NOT NULL GROUP BY import_id) newest
WHERE "imports"."id" = newest.import_id AND newest.sequence > "imports"."last_sequence";
