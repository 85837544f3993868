// Owns what follows from an attempt: when the next one is due, and whether the endpoint waits or is gone. Pure.
import { maxRetryAfterMs } from '../egress/retry-after.ts'
import type { Outcome } from '../webhooks/outcome.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** The wait before each automatic attempt, from the end of the one before: twelve attempts in about 76 hours. */
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

/**
 * Delays are longer by up to this share, never shorter, so that deliveries that failed together aren't retried
 * together.
 */
const jitter = 0.2
/** How many attempts may find a blocked address: the first one and three more, during which DNS may be mended. */
const maxBlockedAttempts = 4
/** Answers whose `Retry-After` is for the whole endpoint. Proxies send it with 502 and 504 as well. */
const announcing: ReadonlySet<number | null> = new Set([429, 502, 503, 504])
/** The wait for a 429 or 503 without `Retry-After`. A dead service's proxy answers with a bare 503, too. */
const bareWaitMs: Readonly<Record<number, number>> = { 429: minute, 503: 5 * second }

export interface AttemptResult {
  outcome: Outcome
  status: number | null
  /** The wait from `Retry-After`. Null: absent. */
  retryAfterMs: number | null
}

export interface AttemptHistory {
  /** Automatic attempts so far, including this one. */
  attempts: number
  /** Automatic attempts that found a blocked address, including this one. */
  blockedAttempts: number
}

export interface Verdict {
  delivery: { state: 'delivered' | 'exhausted' } | { state: 'pending'; waitMs: number }
  /**
   * What the attempt means for the whole endpoint: nothing, that it waits, or that it wants no more webhooks. If it
   * `mayBeDead`, it waits and its breaker may open.
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

/** Returns the wait after `attempts` automatic attempts. Returns null if there are no more. */
export function retryDelayMs(attempts: number, random: () => number): number | null {
  const base = retryDelaysMs[attempts]
  return base === undefined ? null : Math.round(base * (1 + jitter * random()))
}

/** A receiver that answers 429, or says how long to wait, isn't dead. A bare 503 may come from either. */
function endpointVerdict({ status, retryAfterMs }: AttemptResult): Verdict['endpoint'] {
  const saidMs = announcing.has(status) ? retryAfterMs : null
  const waitMs = Math.min(saidMs ?? bareWaitMs[status ?? 0] ?? 0, maxRetryAfterMs)
  if (waitMs === 0) return { kind: 'fine' }
  return { kind: 'wait', waitMs, mayBeDead: status === 503 && retryAfterMs === null }
}
