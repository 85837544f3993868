// Owns sending events that an endpoint never received: those skipped while it was disabled, and those from before it
// existed or subscribed to them.
import { sql } from 'drizzle-orm'
import type { Acting } from '../../actions/write.ts'
import type { Clock } from '../../base/clock.ts'
import type { Database } from '../../db/client.ts'
import { timeOrderedId } from '../../db/time-ordered-id.ts'
import { isWanted } from '../../events/subscription.ts'
import { begunAnew, isWithin, lockToResend, maxResent, type Resent, resent, told, type WindowInput } from './resend.ts'

/**
 * Makes the window's events due now that the endpoint subscribes to today and that have no delivery to it, or a skipped
 * one. Failed deliveries aren't among them (recover.ts).
 * @throws {AppError} `not_found`; `conflict` while the endpoint is disabled; `invalid_request`
 */
export async function replayEndpoint(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  id: string,
  input: WindowInput,
): Promise<Resent> {
  const now = clock.now()
  const within = isWithin(sql`event.id`, input, clock)
  return db.transaction(async (tx) => {
    const endpoint = await lockToResend(tx, id, input)
    const { rows } = await tx.execute<{ eventId: string; deliveryId: string | null }>(sql`
      /* event.find_missed */
      SELECT event.id AS "eventId", delivery.id AS "deliveryId"
      FROM webhook_endpoints endpoint
      JOIN (
        SELECT events.id, events.type, events.endpoint_id, connection.name AS connection_name, connection.provider,
          import.metadata
        FROM events
        LEFT JOIN connections connection ON connection.id = events.connection_id
        LEFT JOIN imports import ON import.id = events.import_id
      ) event ON ${isWanted}
      LEFT JOIN deliveries delivery ON delivery.event_id = event.id AND delivery.endpoint_id = endpoint.id
      WHERE endpoint.id = ${id} AND ${within} AND (delivery.id IS NULL OR delivery.state = 'skipped')
      ORDER BY event.id LIMIT ${maxResent + 1}`)
    if (input.dryRun) return resent(rows.length, input)
    const taken = rows.slice(0, maxResent)
    const skipped = taken.flatMap(({ deliveryId }) => deliveryId ?? [])
    const missed = taken.flatMap(({ eventId, deliveryId }) => (deliveryId === null ? [eventId] : []))
    // Locks the events, so that none is deleted meanwhile with its import. The events come before any delivery, as in
    // deleting.
    await tx.execute(sql`
      /* delivery.replay */
      INSERT INTO deliveries (id, event_id, type, endpoint_id, state, is_retry, next_attempt_at, created_at)
      SELECT ${timeOrderedId(sql`${now}::timestamptz`)}, event.id, event.type, ${id}, 'pending', true, ${now}, ${now}
      FROM (SELECT id, type FROM events WHERE id = ANY (${sql.param(missed)}::uuid[]) ORDER BY id FOR KEY SHARE) event
      ON CONFLICT (event_id, endpoint_id) DO NOTHING`)
    await tx.execute(sql`
      /* delivery.replay_skipped */
      UPDATE deliveries SET ${begunAnew(now)} WHERE id = ANY(${sql.param(skipped)}::uuid[]) AND state = 'skipped'`)
    return told(tx, by, endpoint, { verb: 'endpoint.replay', at: now, input, resent: resent(rows.length, input) })
  })
}
