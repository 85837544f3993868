// Owns one attempt at a delivery from end to end. What comes before the request, the request and recording it stay
// apart, so that a lost database write never looks like a failed delivery. Which deliveries are due is rooms.ts's business.
import type { Clock } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import type { Database } from '../db/client.ts'
import type { Agents } from '../egress/agents.ts'
import { signatureHeaders } from '../webhooks/signing.ts'
import { type Attempt, beginAttempt, type Claimed, type NotSentReason } from './begin.ts'
import { interruptAttempt, type Recorded, recordAttempt } from './record.ts'
import { type SendResult, send } from './send.ts'

export interface DeliverDeps {
  db: Database
  clock: Clock
  encryption: Encryption
  /** Whose guard has the rules for where webhooks may be sent. */
  agents: Agents
  /** In [0, 1); for the jitter. */
  random?: () => number
  /** For all of the request; 20 s. */
  totalMs?: number
}

/**
 * - `attempted`: a request was made and recorded, whatever came of it.
 * - `not_sent`: there was none to make.
 * - `interrupted`: we were told to stop; the attempt stays `in_flight`, and the delivery is due at once.
 */
export type DeliverResult =
  | ({ kind: 'attempted'; attempt: Attempt; result: SendResult; endedAt: Date } & Recorded)
  | { kind: 'not_sent'; reason: NotSentReason }
  | { kind: 'interrupted' }

interface Options extends Partial<Claimed> {
  manual: boolean
  signal: AbortSignal
  /** Asked at the end: whether the caller makes the endpoint's `next` attempt as well. */
  goOn?: () => boolean
}

/** Makes one attempt at a delivery that has been leased. @throws only where the database fails us. */
export async function deliver(
  deps: DeliverDeps,
  deliveryId: string,
  { manual, number = null, signal, goOn = () => false }: Options,
): Promise<DeliverResult> {
  const beginning = await beginAttempt(deps, deliveryId, { manual, number })
  if (beginning.kind === 'not_sent') return beginning
  const { attempt } = beginning

  const request = requestOf(attempt)
  const result = request ? await send(deps, request, signal) : undecipherable
  if (result === 'aborted') {
    await interruptAttempt(deps.db, attempt)
    return { kind: 'interrupted' }
  }

  const endedAt = deps.clock.now()
  const recording = { db: deps.db, encryption: deps.encryption, random: deps.random ?? Math.random }
  const recorded = await recordAttempt(recording, attempt, { result, handOver: goOn(), now: endedAt })
  return { kind: 'attempted', attempt, result, endedAt, ...recorded }
}

/** What an attempt comes to whose secrets no key opens: it is retried, since the key may come back. */
const undecipherable: SendResult = {
  outcome: 'connect_error',
  status: null,
  retryAfterMs: null,
  responseSnippet: null,
  errorCode: 'undecipherable_secret',
  error: null,
}

/** Null: it can't be signed. */
function requestOf({ event, endpoint, startedAt }: Attempt) {
  if (endpoint.secrets === null) return null
  const signature = signatureHeaders({ id: event.id, at: startedAt, body: event.body }, endpoint.secrets)
  return { url: endpoint.url, headers: { ...endpoint.headers, ...signature }, body: event.body }
}
