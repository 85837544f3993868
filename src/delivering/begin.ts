// Owns what comes before a request: whether it is to be made at all, what it needs, and the attempt's row.
import { eq, sql } from 'drizzle-orm'
import { after, type Clock } from '../base/clock.ts'
import { DecryptionError, type Encryption } from '../base/encryption.ts'
import type { Database } from '../db/client.ts'
import { deliveries, events, webhookEndpoints } from '../db/schema/index.ts'
import { type CustomHeaders, openHeaders } from '../webhooks/endpoints/headers.ts'
import { type Health, isHeldBack } from '../webhooks/endpoints/health.ts'
import { signingSecrets } from '../webhooks/endpoints/secrets.ts'

/** From the request on, how long nobody else begins an attempt: longer than one can take (20 s). */
export const attemptLeaseMs = 45_000

export interface BeginDeps {
  db: Database
  clock: Clock
  encryption: Encryption
}

/** What signs; null: no accepted key opens it, so nothing can be sent. */
type Secrets = readonly string[] | null

/** An attempt whose row is written. */
export interface Attempt {
  deliveryId: string
  /** From 1, manual ones counted too. */
  number: number
  manual: boolean
  /** Automatic attempts of its schedule so far, this one included if it is one, and all before the schedule began. */
  attempts: number
  earlierAttempts: number
  startedAt: Date
  /** When it was due, and when the event was written. */
  dueAt: Date
  createdAt: Date
  event: { id: string; type: string; body: string }
  endpoint: { id: string; url: string; headers: CustomHeaders; secrets: Secrets; health: Health }
}

/**
 * - `not_claimed`: no lease was given for this attempt, or it is over: another attempt may be under way.
 * - `not_wanted`: the delivery is over, and nobody asked for it again.
 * - `endpoint_disabled`, `endpoint_deleted`, `event_deleted`: the delivery ends as `skipped`.
 * - `endpoint_waits`: its receiver asked to wait (429, 503, …), or its breaker has opened; the delivery stays due.
 */
export type NotSentReason =
  | 'not_claimed'
  | 'not_wanted'
  | 'endpoint_disabled'
  | 'endpoint_deleted'
  | 'event_deleted'
  | 'endpoint_waits'

/** The attempt that a delivery is leased for. */
export interface Claimed {
  /** From 1; null: whichever is next. */
  number: number | null
  manual: boolean
}

export type Beginning = { kind: 'begun'; attempt: Attempt } | { kind: 'not_sent'; reason: NotSentReason }

/**
 * Writes the attempt as `in_flight` and counts it, before any request: a crash from here on is visible.
 */
export async function beginAttempt(deps: BeginDeps, deliveryId: string, claimed: Claimed): Promise<Beginning> {
  const now = deps.clock.now()
  const found = await load(deps.db, deliveryId)
  if (!found) return { kind: 'not_sent', reason: 'not_wanted' } // deleted with its event
  const reason = reasonAgainst(found, claimed, now)
  if (reason !== null) return giveBack(deps.db, found.delivery, reason)
  const event = await loadEvent(deps.db, found.delivery)
  if (!event) return giveBack(deps.db, found.delivery, 'event_deleted')
  const attempt = prepare(deps.encryption, { ...found, event }, claimed.manual, now)
  const isWritten = await write(deps.db, found.delivery, attempt)
  return isWritten ? { kind: 'begun', attempt } : { kind: 'not_sent', reason: 'not_claimed' }
}

type Found = NonNullable<Awaited<ReturnType<typeof load>>>

async function load(db: Database, deliveryId: string) {
  const [found] = await db
    .select({ delivery: deliveries, endpoint: webhookEndpoints })
    .from(deliveries)
    .innerJoin(webhookEndpoints, eq(webhookEndpoints.id, deliveries.endpointId))
    .where(eq(deliveries.id, deliveryId))
  return found
}

/** In a statement of its own: joined, all months of events would be planned for. */
async function loadEvent(db: Database, { eventId }: Found['delivery']) {
  const [event] = await db.select().from(events).where(eq(events.id, eventId))
  return event
}

function reasonAgainst({ delivery, endpoint }: Found, { number, manual }: Claimed, now: Date): NotSentReason | null {
  if (delivery.leaseUntil === null || delivery.leaseUntil <= now) return 'not_claimed'
  if (number !== null && number !== attemptsMade(delivery) + 1) return 'not_claimed'
  if (endpoint.deletedAt) return 'endpoint_deleted'
  if (endpoint.disabledAt) return 'endpoint_disabled'
  if (manual ? !delivery.manualRequested : delivery.state !== 'pending') return 'not_wanted'
  if (endpoint.blockedUntil !== null && endpoint.blockedUntil > now) return 'endpoint_waits'
  return isHeldBack(endpoint, now) && !manual ? 'endpoint_waits' : null
}

function attemptsMade({ attempts, manualAttempts, earlierAttempts }: Found['delivery']): number {
  return attempts + manualAttempts + earlierAttempts
}

/** Ends the lease, and what makes the delivery due where there is nothing to do. */
async function giveBack(
  db: Database,
  { id, leaseUntil }: Found['delivery'],
  reason: NotSentReason,
): Promise<Beginning> {
  const notSent: Beginning = { kind: 'not_sent', reason }
  if (reason === 'not_claimed') return notSent
  const takesNone = reason === 'endpoint_disabled' || reason === 'endpoint_deleted' || reason === 'event_deleted'
  await db.execute(sql`
    UPDATE deliveries SET
      lease_until = NULL,
      state = CASE WHEN ${takesNone} AND state = 'pending' THEN 'skipped' ELSE state END,
      manual_requested = manual_requested AND NOT ${takesNone},
      next_attempt_at = CASE WHEN NOT ${takesNone} AND (state = 'pending' OR manual_requested) THEN next_attempt_at END
    WHERE id = ${id} AND lease_until = ${leaseUntil}`)
  return notSent
}

function prepare(
  encryption: Encryption,
  { delivery, event, endpoint }: Found & { event: Attempt['event'] },
  manual: boolean,
  now: Date,
): Attempt {
  return {
    deliveryId: delivery.id,
    number: attemptsMade(delivery) + 1,
    manual,
    attempts: delivery.attempts + (manual ? 0 : 1),
    earlierAttempts: delivery.earlierAttempts,
    startedAt: now,
    dueAt: delivery.nextAttemptAt ?? now,
    createdAt: delivery.createdAt,
    event: { id: event.id, type: event.type, body: event.body },
    endpoint: {
      id: endpoint.id,
      url: endpoint.url,
      ...opened(encryption, endpoint, now),
      health: endpoint,
    },
  }
}

function opened(
  encryption: Encryption,
  endpoint: Found['endpoint'],
  now: Date,
): { headers: CustomHeaders; secrets: Secrets } {
  try {
    return { headers: openHeaders(encryption, endpoint), secrets: signingSecrets(encryption, endpoint, now) }
  } catch (error) {
    if (error instanceof DecryptionError) return { headers: {}, secrets: null }
    throw error
  }
}

/**
 * False where somebody else has begun an attempt since it was loaded. It doesn't wait for the disk: should Postgres itself
 * crash, an attempt of its last half second may be forgotten, and is made again.
 */
async function write(db: Database, seen: Found['delivery'], attempt: Attempt): Promise<boolean> {
  const { rowCount } = await db.execute(sql`
    WITH begun AS (
      UPDATE deliveries SET
        attempts = ${attempt.attempts},
        manual_attempts = ${attempt.number - attempt.attempts - attempt.earlierAttempts},
        lease_until = ${after(attempt.startedAt, attemptLeaseMs)}
      WHERE id = ${seen.id} AND attempts = ${seen.attempts} AND manual_attempts = ${seen.manualAttempts}
        AND earlier_attempts = ${seen.earlierAttempts} AND lease_until > ${attempt.startedAt}
      RETURNING id
    )
    INSERT INTO delivery_attempts (delivery_id, number, manual, started_at, outcome)
    SELECT id, ${attempt.number}::int, ${attempt.manual}::boolean, ${attempt.startedAt}::timestamptz, 'in_flight' FROM begun
    RETURNING set_config('synchronous_commit', 'off', true)`)
  return rowCount === 1
}
