// Owns how long the log of deliveries is kept. The events of imports stay: they belong to the imports' history.
import { sql } from 'drizzle-orm'
import { after, type Clock } from '../base/clock.ts'
import { firstIdAt } from '../base/ids.ts'
import type { Database } from '../db/client.ts'

const dayMs = 86_400_000
/** How long deliveries with their attempts, and events without an import, are kept. */
export const logDays = 30
/** How long receivers' answers are kept. */
const snippetDays = 7
/** How many rows one statement changes at most, so that none is locked for long. */
const batchSize = 1_000

/**
 * Deletes rows past these limits, and secrets whose overlap is over, batch by batch. Deliveries that are still due
 * stay, with their events. Several processes may run it at once: each skips rows that another has locked.
 */
export async function deleteOld({ db, clock }: { db: Database; clock: Clock }, signal: AbortSignal): Promise<void> {
  const now = clock.now()
  for (const statement of [snippets, deliveries, events, deletedEvents, previousSecrets])
    for (let full = true; full && !signal.aborted; ) {
      const { rowCount } = await db.execute(statement(now))
      full = (rowCount ?? 0) >= batchSize
    }
}

function snippets(now: Date) {
  return sql`
    /* attempt.prune_snippets */
    UPDATE delivery_attempts SET response_snippet = NULL
    WHERE (delivery_id, number) IN (
      SELECT delivery_id, number FROM delivery_attempts
      WHERE response_snippet IS NOT NULL AND started_at < ${after(now, -snippetDays * dayMs)}
      LIMIT ${batchSize} FOR UPDATE SKIP LOCKED)`
}

/** Ids say when their rows were made, and which partitions hold them. */
function deliveries(now: Date) {
  const first = firstIdAt(after(now, -logDays * dayMs))
  return sql`
    /* delivery.prune */
    WITH old AS (
      SELECT id FROM deliveries
      WHERE id < ${first} AND next_attempt_at IS NULL
      ORDER BY id LIMIT ${batchSize} FOR UPDATE SKIP LOCKED
    ), attempts AS (
      DELETE FROM delivery_attempts USING old WHERE delivery_id = old.id AND delivery_id < ${first}
    )
    DELETE FROM deliveries USING old WHERE deliveries.id = old.id`
}

function events(now: Date) {
  const first = firstIdAt(after(now, -logDays * dayMs))
  return sql`
    /* event.prune */
    DELETE FROM events WHERE id < ${first} AND id IN (
      SELECT id FROM events
      WHERE id < ${first} AND import_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id)
      ORDER BY id LIMIT ${batchSize} FOR UPDATE SKIP LOCKED)`
}

function deletedEvents(now: Date) {
  return sql`
    /* event.prune_deleted */
    DELETE FROM deleted_events WHERE id IN (
      SELECT id FROM deleted_events WHERE id < ${firstIdAt(after(now, -logDays * dayMs))}
      LIMIT ${batchSize} FOR UPDATE SKIP LOCKED)`
}

function previousSecrets(now: Date) {
  const expired = sql`(secret ->> 'expiresAt')::timestamptz <= ${now}`
  return sql`
    /* endpoint.prune_secrets */
    UPDATE webhook_endpoints SET previous_secrets =
      coalesce((SELECT jsonb_agg(secret ORDER BY place) FROM jsonb_array_elements(previous_secrets)
        WITH ORDINALITY AS kept (secret, place) WHERE NOT ${expired}), '[]')
    WHERE id IN (
      SELECT id FROM webhook_endpoints
      WHERE EXISTS (SELECT 1 FROM jsonb_array_elements(previous_secrets) AS kept (secret) WHERE ${expired})
      LIMIT ${batchSize} FOR UPDATE SKIP LOCKED)`
}
