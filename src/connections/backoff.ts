// Owns when to ask again after a failure, and spreading polls that are due at once.
import { phase } from '../base/ids.ts'

const jitter = 0.1

export interface IntervalLimits {
  minIntervalMs: number
  maxIntervalMs: number
}

export interface NextPoll {
  delayMs: number
  /** The reason for the delay. */
  basis: 'progress' | 'history' | 'elapsed' | 'slow' | 'backoff' | 'retry_after'
  /** The progress hasn't moved for much longer than it used to. */
  stalled: boolean
}

export interface FailedPoll {
  importId: string
  /** How many polls have failed in a row, including this one. */
  failures: number
  /** The wait that the provider asked for, in milliseconds. Null: none. */
  retryAfterMs: number | null
  limits: IntervalLimits
}

/**
 * Returns the next poll after a failed one. The delay doubles from the shortest interval, and is never below
 * `Retry-After`.
 */
export function backOff({ importId, failures, retryAfterMs, limits }: FailedPoll): NextPoll {
  const doubled = Math.min(limits.minIntervalMs * 2 ** Math.min(failures - 1, 20), limits.maxIntervalMs)
  const next: NextPoll = { delayMs: spread(importId, doubled, limits), basis: 'backoff', stalled: false }
  return notBefore(retryAfterMs, next, importId)
}

/**
 * Returns the next poll, no sooner than the provider's `Retry-After`. That wait is spread upwards, so that waiting
 * imports don't fire together.
 */
export function notBefore(retryAfterMs: number | null, next: NextPoll, importId: string): NextPoll {
  if (retryAfterMs === null || retryAfterMs < next.delayMs) return next
  return { ...next, delayMs: retryAfterMs * (1 + jitter * phase(importId)), basis: 'retry_after' }
}

/** Returns the gap within the limits, changed by the jitter, which is always the same for an import. */
export function spread(importId: string, gapMs: number, { minIntervalMs, maxIntervalMs }: IntervalLimits): number {
  const clamped = Math.min(Math.max(gapMs, minIntervalMs), maxIntervalMs)
  const spreadMs = clamped * (1 + jitter * (2 * phase(importId) - 1))
  return Math.min(Math.max(spreadMs, minIntervalMs), maxIntervalMs)
}
