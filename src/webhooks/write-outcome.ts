// Owns the statement that finishes an attempt and says when the delivery is due next.
import { eq, sql } from 'drizzle-orm'
import { after } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { deliveries } from '../db/schema/index.ts'
import type { Attempt } from './begin-attempt.ts'
import type { Verdict } from './retry.ts'
import type { SendResult } from './send.ts'

/** How old the time of an endpoint's last success may be before a success is worth writing down. */
const lastSuccessPrecisionMs = 60_000

export interface Written {
  /** The delivery, where this attempt was its last; null otherwise. */
  exhausted: typeof deliveries.$inferSelect | null
  /** A success would change what is known of the endpoint. */
  isNews: boolean
  /** More is due to the endpoint. */
  moreDue: boolean
}

/**
 * One statement. A failure changes a pending delivery alone: one that was delivered before, or skipped meanwhile, stays
 * so. An attempt that somebody asked for while this one was under way stays due.
 */
export async function writeOutcome(
  db: Database | Transaction,
  attempt: Attempt,
  { result, verdict: { delivery }, now }: { result: SendResult; verdict: Verdict; now: Date },
): Promise<Written> {
  const nextAttemptAt = delivery.state === 'pending' ? after(now, delivery.waitMs) : null
  const isDelivered = delivery.state === 'delivered'
  const { rows } = await db.execute<{ was: string; isNews: boolean; moreDue: boolean }>(sql`
    WITH before AS (
      SELECT id, state FROM deliveries WHERE id = ${attempt.deliveryId} FOR NO KEY UPDATE
    ), finished AS (
      UPDATE delivery_attempts SET
        duration_ms = ${now.getTime() - attempt.startedAt.getTime()},
        outcome = ${result.outcome},
        status = ${result.status},
        response_snippet = ${result.responseSnippet}
      WHERE delivery_id = ${attempt.deliveryId} AND number = ${attempt.number}
    )
    UPDATE deliveries SET
      state = CASE WHEN ${isDelivered} OR before.state = 'pending' THEN ${delivery.state} ELSE before.state END,
      next_attempt_at = CASE
        WHEN manual_requested AND NOT ${attempt.manual} THEN next_attempt_at
        WHEN before.state = 'pending' THEN ${nextAttemptAt}::timestamptz
      END,
      manual_requested = manual_requested AND NOT ${attempt.manual},
      is_retry = is_retry OR NOT ${isDelivered},
      delivered_at = CASE WHEN ${isDelivered} THEN coalesce(delivered_at, ${now}) ELSE delivered_at END,
      lease_until = NULL
    FROM before WHERE deliveries.id = before.id
    RETURNING before.state AS was,
      (SELECT failures > 0 OR last_success_at IS NULL OR last_success_at <= ${after(now, -lastSuccessPrecisionMs)}
        FROM webhook_endpoints WHERE id = endpoint_id) AS "isNews",
      EXISTS (SELECT 1 FROM deliveries due WHERE due.endpoint_id = deliveries.endpoint_id
        AND due.lease_until IS NULL AND due.next_attempt_at <= ${now} AND due.is_retry IN (false, true)) AS "moreDue"`)
  const [row] = rows
  if (!row) throw new Error(`Delivery ${attempt.deliveryId} is gone while an attempt at it was under way.`)
  const isLast = row.was === 'pending' && delivery.state === 'exhausted'
  return { isNews: row.isNews, moreDue: row.moreDue, exhausted: isLast ? await read(db, attempt.deliveryId) : null }
}

async function read(db: Database | Transaction, id: string) {
  const [row] = await db.select().from(deliveries).where(eq(deliveries.id, id))
  return row ?? null
}
