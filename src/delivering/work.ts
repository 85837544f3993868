// Owns deliveries as a kind of work: sign, send, record. Preparing, sending and recording are separate, so that a lost
// database write never looks like a failed delivery.
import { sql } from 'drizzle-orm'
import { after, type Clock } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import type { Log } from '../base/log.ts'
import type { Transaction } from '../db/client.ts'
import type { Agents } from '../egress/agents.ts'
import { systemCodeOf } from '../egress/errors.ts'
import type { Outcome } from '../webhooks/outcome.ts'
import { signatureHeaders } from '../webhooks/signing.ts'
import type { Hold, Kind, Recorded } from '../work/kind.ts'
import { crowdOf } from './allot.ts'
import { type Attempt, beginAttempts } from './begin.ts'
import { endpointsToServe, troubledToServe } from './due.ts'
import { type Noted, recordAttempts } from './record.ts'
import { type SendResult, send } from './send.ts'

export interface DeliverDeps {
  clock: Clock
  log: Log
  encryption: Encryption
  /** The agents' guard has the rules for the destinations of webhooks. */
  agents: Agents
  observeDelivery: DeliveryObserver
  /** Returns a number in [0, 1), for the jitter. */
  random?: () => number
  /** The limit on a whole request. Absent: 20 s. */
  totalMs?: number
  /** The process's uptime in milliseconds, by a clock that nobody sets. */
  uptime?: () => number
}

/**
 * Called for every attempt, for the metrics. `firstAttemptDelayMs`: from the event to its first request. Null for later
 * requests.
 */
export type DeliveryObserver = (attempt: {
  outcome: Outcome
  durationMs: number
  firstAttemptDelayMs: number | null
}) => void

/** An attempt that was answered, or that failed. */
export interface Delivered {
  item: Attempt
  result: SendResult
  endedAt: Date
}

/** How many attempts one process has under way at most. */
export const mostAttempts = 3_000
/** How long a delivery is put off if its outcome can't be stored. */
const putOffMs = 60_000

export function deliverWork(deps: DeliverDeps): Kind<Attempt, Delivered> {
  const lastFailures = new Map<string, Date>()
  return {
    name: 'deliver',
    most: mostAttempts,
    restMs: 2,
    isAlone: true,
    lingerMs: 100,
    mostLooked: { quick: 100, others: 20 },
    due: endpointsToServe,
    dueInTrouble: troubledToServe,
    begin: (tx, owners, room, now) =>
      beginAttempts(deps, tx, { owners, room, crowd: crowdOf(mostAttempts - room, mostAttempts), now }),
    act: (item, hold) => attempt(deps, item, hold),
    async record(tx, delivered): Promise<Recorded> {
      const { noted, hasEvents } = await recordAttempts(tx, delivered, { random: Math.random, ...deps, lastFailures })
      return {
        due: new Set(hasEvents ? ['deliver'] : []),
        report() {
          for (const one of noted) report(deps, one)
        },
      }
    },
    putOff: (tx, { id }, _error, now) => putOff(tx, id, after(now, putOffMs)),
  }
}

/** An attempt that we abort stays `in_flight`, because nobody can know its end. Its delivery is due at once. */
async function attempt(deps: DeliverDeps, item: Attempt, hold: Hold): Promise<Delivered | 'aborted'> {
  if (!hold.isHeld()) return 'aborted'
  const request = requestOf(item)
  const result = request ? await send(deps, request, hold.signal) : undecipherable
  return result === 'aborted' ? result : { item, result, endedAt: deps.clock.now() }
}

/** The result of an attempt whose secrets no key decrypts. It is retried, because the key may come back. */
const undecipherable: SendResult = {
  outcome: 'connect_error',
  status: null,
  retryAfterMs: null,
  responseSnippet: null,
  errorCode: 'undecipherable_secret',
  error: null,
}

/** Returns null if the request can't be signed. */
function requestOf({ event, endpoint, startedAt }: Attempt) {
  if (endpoint.secrets === null) return null
  const signature = signatureHeaders({ id: event.id, at: startedAt, body: event.body }, endpoint.secrets)
  return { url: endpoint.url, headers: { ...endpoint.headers, ...signature }, body: event.body }
}

async function putOff(tx: Transaction, deliveryId: string, dueAt: Date): Promise<void> {
  await tx.execute(sql`
    UPDATE deliveries SET next_attempt_at = ${dueAt} WHERE id = ${deliveryId} AND next_attempt_at IS NOT NULL`)
}

function report({ log, observeDelivery }: DeliverDeps, { delivered, verdict, endpointChange }: Noted): void {
  const { item, result, endedAt } = delivered
  const durationMs = endedAt.getTime() - item.startedAt.getTime()
  const sinceEventMs = item.startedAt.getTime() - item.createdAt.getTime()
  observeDelivery({
    outcome: result.outcome,
    durationMs,
    firstAttemptDelayMs: item.number === 1 ? sinceEventMs : null,
  })
  log.info(
    {
      deliveryId: item.id,
      eventId: item.event.id,
      type: item.event.type,
      endpointId: item.endpoint.id,
      url: shownUrl(item.endpoint.url),
      attempt: item.number,
      manual: item.manual,
      outcome: result.outcome,
      status: result.status,
      errorCode: result.errorCode,
      systemCode: systemCodeOf(result.error),
      durationMs,
      latenessMs: Math.max(0, item.startedAt.getTime() - item.dueAt.getTime()),
      state: verdict.delivery.state,
      nextInMs: verdict.delivery.state === 'pending' ? verdict.delivery.waitMs : null,
      endpoint: endpointChange ?? verdict.endpoint.kind,
    },
    'delivery',
  )
}

/** Returns the URL without query and user information, where people put secrets. */
function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
