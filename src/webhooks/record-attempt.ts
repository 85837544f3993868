// Owns writing down what came of an attempt, and what is due next, in one transaction.
import { and, count, eq, sql } from 'drizzle-orm'
import { after } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { deliveries, deliveryAttempts, webhookEndpoints } from '../db/schema/index.ts'
import type { Attempt } from './begin-attempt.ts'
import { skipPending } from './endpoints/skip-pending.ts'
import { judge, type Verdict } from './retry.ts'
import type { SendResult } from './send.ts'

export interface RecordDeps {
  db: Database
  /** In [0, 1); for the jitter. */
  random: () => number
}

/**
 * Finishes the attempt's row, ends the lease and sets the next due time. Where that fails, nothing is recorded: the
 * attempt stays `in_flight`, and the delivery is due again when its lease is over.
 */
export async function recordAttempt(
  { db, random }: RecordDeps,
  attempt: Attempt,
  result: SendResult,
  now: Date,
): Promise<Verdict> {
  const history = { attempts: attempt.attempts, blockedAttempts: await blockedAttempts(db, attempt, result) }
  const verdict = judge(result, history, random)
  if (verdict.endpoint.kind === 'fine') {
    await write(db, attempt, result, verdict, now)
    return verdict
  }
  await db.transaction(async (tx) => {
    await tellEndpoint(tx, attempt.endpoint.id, verdict.endpoint, now) // first: whoever locks both begins with it
    await write(tx, attempt, result, verdict, now)
    if (verdict.endpoint.kind === 'gone') await skipPending(tx, attempt.endpoint.id)
  })
  return verdict
}

/** Makes a delivery due again whose attempt we ended ourselves: how it ended we can't know, so it stays `in_flight`. */
export async function interruptAttempt(db: Database, attempt: Attempt): Promise<void> {
  await db.update(deliveries).set({ leaseUntil: null }).where(eq(deliveries.id, attempt.deliveryId))
}

async function blockedAttempts(db: Database, attempt: Attempt, result: SendResult): Promise<number> {
  if (result.outcome !== 'blocked_address' || attempt.manual) return 0
  const [earlier] = await db
    .select({ count: count() })
    .from(deliveryAttempts)
    .where(
      and(
        eq(deliveryAttempts.deliveryId, attempt.deliveryId),
        eq(deliveryAttempts.outcome, 'blocked_address'),
        eq(deliveryAttempts.manual, false),
      ),
    )
  return (earlier?.count ?? 0) + 1
}

async function tellEndpoint(tx: Transaction, id: string, verdict: Verdict['endpoint'], now: Date): Promise<void> {
  if (verdict.kind === 'gone') {
    await tx.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id)).for('update')
    await tx
      .update(webhookEndpoints)
      .set({
        disabledAt: sql`coalesce(${webhookEndpoints.disabledAt}, ${now})`,
        disabledReason: sql`coalesce(${webhookEndpoints.disabledReason}, 'gone')`,
        updatedAt: now,
      })
      .where(eq(webhookEndpoints.id, id))
  } else if (verdict.kind === 'wait') {
    await tx
      .update(webhookEndpoints)
      .set({ blockedUntil: sql`greatest(${webhookEndpoints.blockedUntil}, ${after(now, verdict.waitMs)})` })
      .where(eq(webhookEndpoints.id, id))
  }
}

/**
 * One statement. A failure changes a pending delivery alone: one that was delivered before, or skipped meanwhile, stays
 * so. An attempt that somebody asked for while this one was under way stays due.
 */
async function write(
  db: Database | Transaction,
  attempt: Attempt,
  result: SendResult,
  { delivery }: Verdict,
  now: Date,
): Promise<void> {
  const nextAttemptAt = delivery.state === 'pending' ? after(now, delivery.waitMs) : null
  const isDelivered = delivery.state === 'delivered'
  await db.execute(sql`
    WITH finished AS (
      UPDATE delivery_attempts SET
        duration_ms = ${now.getTime() - attempt.startedAt.getTime()},
        outcome = ${result.outcome},
        status = ${result.status},
        response_snippet = ${result.responseSnippet}
      WHERE delivery_id = ${attempt.deliveryId} AND number = ${attempt.number}
    )
    UPDATE deliveries SET
      state = CASE WHEN ${isDelivered} OR state = 'pending' THEN ${delivery.state} ELSE state END,
      next_attempt_at = CASE
        WHEN manual_requested AND NOT ${attempt.manual} THEN next_attempt_at
        WHEN state = 'pending' THEN ${nextAttemptAt}::timestamptz
      END,
      manual_requested = manual_requested AND NOT ${attempt.manual},
      delivered_at = CASE WHEN ${isDelivered} THEN coalesce(delivered_at, ${now}) ELSE delivered_at END,
      lease_until = NULL
    WHERE id = ${attempt.deliveryId}`)
}
