// Owns what follows from an attempt: when the next one is due, and whether the endpoint has to wait or is gone. Pure.
import { maxRetryAfterMs } from '../egress/retry-after.ts'
import type { Outcome } from '../webhooks/outcome.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** How long before each automatic attempt, counted from the end of the one before: twelve of them in about 76 hours. */
export const retryDelaysMs = [
  0,
  5 * second,
  30 * second,
  2 * minute,
  10 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
] as const

/** Delays are up to this much longer, so that what failed together isn't retried together; never shorter. */
const jitter = 0.2
/** Attempts that may find a blocked address: the first one and three more, in which DNS may be mended. */
const maxBlockedAttempts = 4
/** Answers whose `Retry-After` is for the whole endpoint. Proxies send it with 502 and 504 as well. */
const announcing: ReadonlySet<number | null> = new Set([429, 502, 503, 504])
/** What a 429 or 503 asks for that doesn't say how long. A bare 503 is what a dead service's proxy answers, too. */
const bareWaitMs: Readonly<Record<number, number>> = { 429: minute, 503: 5 * second }

export interface AttemptResult {
  outcome: Outcome
  status: number | null
  /** What `Retry-After` asked for; null where it didn't. */
  retryAfterMs: number | null
}

export interface AttemptHistory {
  /** Automatic attempts so far, this one included. */
  attempts: number
  /** Automatic attempts that found a blocked address, this one included. */
  blockedAttempts: number
}

export interface Verdict {
  delivery: { state: 'delivered' | 'exhausted' } | { state: 'pending'; waitMs: number }
  /**
   * What it means for the whole endpoint: nothing, that it waits, or that it wants no webhooks any more. One that
   * `mayBeDead` waits, and its breaker may open.
   */
  endpoint: { kind: 'fine' } | { kind: 'wait'; waitMs: number; mayBeDead: boolean } | { kind: 'gone' }
}

/** @param random in [0, 1) */
export function judge(result: AttemptResult, history: AttemptHistory, random: () => number): Verdict {
  if (result.outcome === 'delivered') return { delivery: { state: 'delivered' }, endpoint: { kind: 'fine' } }
  if (result.status === 410) return { delivery: { state: 'exhausted' }, endpoint: { kind: 'gone' } }

  const endpoint = endpointVerdict(result)
  const endpointWaitMs = endpoint.kind === 'wait' ? endpoint.waitMs : 0
  const delayMs = retryDelayMs(history.attempts, random)
  const isGivenUp = result.outcome === 'blocked_address' && history.blockedAttempts >= maxBlockedAttempts
  if (delayMs === null || isGivenUp) return { delivery: { state: 'exhausted' }, endpoint }
  return { delivery: { state: 'pending', waitMs: Math.max(delayMs, endpointWaitMs) }, endpoint }
}

/** How long to wait after `attempts` automatic ones; null: there are no more. */
export function retryDelayMs(attempts: number, random: () => number): number | null {
  const base = retryDelaysMs[attempts]
  return base === undefined ? null : Math.round(base * (1 + jitter * random()))
}

/** Whoever says 429, or how long to wait, isn't dead; a bare 503 may be either. */
function endpointVerdict({ status, retryAfterMs }: AttemptResult): Verdict['endpoint'] {
  const saidMs = announcing.has(status) ? retryAfterMs : null
  const waitMs = Math.min(saidMs ?? bareWaitMs[status ?? 0] ?? 0, maxRetryAfterMs)
  if (waitMs === 0) return { kind: 'fine' }
  return { kind: 'wait', waitMs, mayBeDead: status === 503 && retryAfterMs === null }
}
