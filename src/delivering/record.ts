// Owns writing down what came of an attempt, and what is due next. What it means for the endpoint is written in the
// same transaction where it failed; where it succeeded, that is all there is to write, nearly always.
import { and, count, eq, gt, sql } from 'drizzle-orm'
import type { Encryption } from '../base/encryption.ts'
import type { Database } from '../db/client.ts'
import { deliveryAttempts } from '../db/schema/index.ts'
import { isExhaustionTold } from '../model/event-types.ts'
import { presentDelivery } from '../webhooks/deliveries/present.ts'
import { writeExhausted } from '../webhooks/endpoints/events.ts'
import { type EndpointChange, noteFailure, noteSuccess } from './apply-health.ts'
import type { Attempt } from './begin.ts'
import { judge, type Verdict } from './judge.ts'
import type { SendResult } from './send.ts'
import { type Next, type Outcome, writeOutcome } from './write-outcome.ts'

export interface RecordDeps {
  db: Database
  encryption: Encryption
  /** In [0, 1); for the jitter. */
  random: () => number
}

export interface Recorded {
  verdict: Verdict
  endpointChange: EndpointChange
  /** The endpoint's next delivery, which is leased in place of this one; null: none was, or nobody goes on. */
  next: Next | null
  /** More is due to this endpoint, and may go out now that this is over. */
  moreDue: boolean
}

/**
 * Finishes the attempt's row, ends the lease and sets the next due time. Where that fails, nothing is recorded: the
 * attempt stays `in_flight`, and the delivery is due again when its lease is over.
 */
export async function recordAttempt(
  deps: RecordDeps,
  attempt: Attempt,
  { result, handOver, now }: Omit<Outcome, 'verdict'>,
): Promise<Recorded> {
  const history = { attempts: attempt.attempts, blockedAttempts: await blockedAttempts(deps.db, attempt, result) }
  const verdict = judge(result, history, deps.random)
  const outcome = { result, verdict, handOver, now }
  return verdict.delivery.state === 'delivered'
    ? recordSuccess(deps, attempt, outcome)
    : recordFailure(deps, attempt, outcome, () => judge({ ...result, status: null }, history, deps.random))
}

/** Makes a delivery due again whose attempt we ended ourselves: how it ended we can't know, so it stays `in_flight`. */
export async function interruptAttempt(db: Database, attempt: Attempt): Promise<void> {
  await db.execute(sql`
    UPDATE deliveries SET lease_until = NULL
    WHERE id = ${attempt.deliveryId} AND attempts + manual_attempts + earlier_attempts = ${attempt.number}`)
}

async function recordSuccess(deps: RecordDeps, attempt: Attempt, outcome: Outcome): Promise<Recorded> {
  const { verdict, now } = outcome
  const written = await writeOutcome(deps.db, attempt, outcome)
  const endpointChange = written.isNews ? await noteSuccess(deps, attempt.endpoint.id, now) : null
  return { verdict, endpointChange, next: written.next, moreDue: written.next === null && written.moreDue }
}

/** @param ordinary what is made of it where the endpoint isn't any more what it was sent to. */
async function recordFailure(
  deps: RecordDeps,
  attempt: Attempt,
  outcome: Outcome,
  ordinary: () => Verdict,
): Promise<Recorded> {
  const { now } = outcome
  return deps.db.transaction(async (tx) => {
    // The endpoint first: whoever locks both it and its deliveries begins with it.
    const noted = await noteFailure(tx, attempt, outcome.verdict.endpoint, now)
    const verdict = noted.isOutdated ? ordinary() : outcome.verdict
    const { exhausted } = await writeOutcome(tx, attempt, { ...outcome, verdict })
    if (exhausted && !noted.endpoint.deletedAt && isExhaustionTold(attempt.event.type)) {
      const delivery = presentDelivery({ ...exhausted, type: attempt.event.type })
      await writeExhausted(tx, deps.encryption, { delivery, endpoint: noted.endpoint, now })
    }
    const endpointChange = await noted.tell(deps.encryption)
    return { verdict, endpointChange, next: null, moreDue: false }
  })
}

async function blockedAttempts(db: Database, attempt: Attempt, result: SendResult): Promise<number> {
  if (result.outcome !== 'blocked_address' || attempt.manual) return 0
  const [earlier] = await db
    .select({ count: count() })
    .from(deliveryAttempts)
    .where(
      and(
        eq(deliveryAttempts.deliveryId, attempt.deliveryId),
        gt(deliveryAttempts.number, attempt.earlierAttempts),
        eq(deliveryAttempts.outcome, 'blocked_address'),
        eq(deliveryAttempts.manual, false),
      ),
    )
  return (earlier?.count ?? 0) + 1
}
