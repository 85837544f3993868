// Owns the statement that finishes an attempt and says when the delivery is due next.
import { eq, type SQL, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { deliveries } from '../db/schema/index.ts'
import { type Attempt, attemptLeaseMs } from './begin.ts'
import type { Verdict } from './judge.ts'
import type { SendResult } from './send.ts'

/** How old the time of an endpoint's last success may be before a success is worth writing down. */
const lastSuccessPrecisionMs = 60_000

/** What came of the attempt, and what follows. */
export interface Outcome {
  result: SendResult
  verdict: Verdict
  /** Whether whoever made this attempt goes on with the endpoint's next delivery, where it was delivered. */
  handOver: boolean
  now: Date
}

export interface Written {
  /** The delivery, where this attempt was its last; null otherwise. */
  exhausted: typeof deliveries.$inferSelect | null
  /** A success would change what is known of the endpoint. */
  isNews: boolean
  /** More is due to the endpoint. */
  moreDue: boolean
  /** What was leased in its place. */
  next: Next | null
}

/** A delivery to the same endpoint, and which attempt at it is due. */
export interface Next {
  id: string
  number: number
}

/**
 * One statement. With `handOver`, its lease passes to the next delivery that is due to the endpoint, so that a burst is
 * sent without going through the queue in between, and no more are under way than before. A failure changes a pending
 * delivery alone: one that was delivered before, or skipped meanwhile, stays so. An attempt that somebody asked for
 * while this one was under way stays due. One that ends after its lease, when the next attempt has begun, changes nothing
 * but its own row, unless it was delivered.
 */
export async function writeOutcome(
  db: Database | Transaction,
  attempt: Attempt,
  { result, verdict: { delivery }, handOver, now }: Outcome,
): Promise<Written> {
  const nextAttemptAt = delivery.state === 'pending' ? after(now, delivery.waitMs) : null
  const isDelivered = delivery.state === 'delivered'
  const { rows } = await db.execute<Row>(sql`
    WITH before AS (
      SELECT id, state, attempts + manual_attempts + earlier_attempts = ${attempt.number} AS is_latest
      FROM deliveries WHERE id = ${attempt.deliveryId} FOR NO KEY UPDATE
    ), ${handOver && isDelivered && !attempt.manual ? handedOver(attempt, now) : noneHandedOver}, finished AS (
      UPDATE delivery_attempts SET
        duration_ms = ${now.getTime() - attempt.startedAt.getTime()},
        outcome = ${result.outcome},
        status = ${result.status},
        response_snippet = ${result.responseSnippet},
        error_code = ${result.errorCode}
      WHERE delivery_id = ${attempt.deliveryId} AND number = ${attempt.number}
    )
    UPDATE deliveries SET
      state = CASE WHEN ${isDelivered} OR (before.state = 'pending' AND is_latest) THEN ${delivery.state} ELSE before.state END,
      next_attempt_at = CASE
        WHEN manual_requested AND NOT ${attempt.manual} THEN next_attempt_at
        WHEN NOT is_latest AND NOT ${isDelivered} THEN next_attempt_at
        WHEN before.state = 'pending' THEN ${nextAttemptAt}::timestamptz
      END,
      manual_requested = manual_requested AND NOT (${attempt.manual} AND is_latest),
      is_retry = is_retry OR NOT ${isDelivered},
      delivered_at = CASE WHEN ${isDelivered} THEN coalesce(delivered_at, ${now}) ELSE delivered_at END,
      lease_until = CASE WHEN NOT is_latest THEN lease_until END
    FROM before WHERE deliveries.id = before.id
    RETURNING before.state AS was, is_latest AS "isLatest",
      (SELECT failures > 0 OR last_success_at IS NULL OR last_success_at <= ${after(now, -lastSuccessPrecisionMs)}
        FROM webhook_endpoints WHERE id = endpoint_id) AS "isNews",
      EXISTS (SELECT 1 FROM deliveries due WHERE due.endpoint_id = deliveries.endpoint_id
        AND due.lease_until IS NULL AND due.next_attempt_at <= ${now} AND NOT due.manual_requested
        AND due.is_retry IN (false, true)) AS "moreDue",
      (SELECT to_json(next) FROM next) AS next`)
  const [row] = rows
  if (!row) return deletedMeanwhile
  const isLast = row.isLatest && row.was === 'pending' && delivery.state === 'exhausted'
  const { isNews, moreDue, next } = row
  return { isNews, moreDue, next, exhausted: isLast ? await read(db, attempt.deliveryId) : null }
}

/** With its import. There is nothing to write to; what else is due to the endpoint is left to the ticks. */
const deletedMeanwhile: Written = { exhausted: null, isNews: false, moreDue: true, next: null }

/** The longest due of its kind, first attempt or retry, so that what rooms.ts keeps free for the other kind stays so. */
function handedOver({ deliveryId, endpoint }: Attempt, now: Date): SQL {
  return sql`
    waiting AS (
      SELECT delivery.id FROM deliveries delivery
      WHERE (SELECT is_latest FROM before)
        AND delivery.endpoint_id = ${endpoint.id} AND delivery.lease_until IS NULL AND delivery.next_attempt_at <= ${now}
        AND delivery.is_retry = (SELECT is_retry FROM deliveries WHERE id = ${deliveryId})
        AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ${endpoint.id} AND failures = 0
          AND deleted_at IS NULL AND disabled_at IS NULL AND (blocked_until IS NULL OR blocked_until <= ${now}))
        AND NOT delivery.manual_requested
      ORDER BY delivery.next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ), next AS (
      UPDATE deliveries SET lease_until = ${after(now, attemptLeaseMs)} FROM waiting WHERE deliveries.id = waiting.id
      RETURNING deliveries.id, attempts + manual_attempts + earlier_attempts + 1 AS number
    )`
}

const noneHandedOver = sql`next AS (SELECT 1 WHERE false)`

interface Row extends Record<string, unknown> {
  was: string
  isLatest: boolean
  isNews: boolean
  moreDue: boolean
  next: Next | null
}

async function read(db: Database | Transaction, id: string) {
  const [row] = await db.select().from(deliveries).where(eq(deliveries.id, id))
  return row ?? null
}
