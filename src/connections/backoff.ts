// Owns when to ask again after a failure, and how what is due at once is spread.
import { phase } from '../base/ids.ts'

const jitter = 0.1

export interface IntervalLimits {
  minIntervalMs: number
  maxIntervalMs: number
}

export interface NextPoll {
  delayMs: number
  /** What the delay was worked out from. */
  basis: 'progress' | 'elapsed' | 'slow' | 'backoff' | 'retry_after'
  /** The progress has not moved for much longer than it used to. */
  stalled: boolean
}

export interface FailedPoll {
  importId: string
  /** Failures in a row, this one included. */
  failures: number
  /** What the provider asked for, if it did. */
  retryAfterMs: number | null
  limits: IntervalLimits
}

/** When to ask again after a poll that failed: doubling from the shortest interval, never before `Retry-After`. */
export function backOff({ importId, failures, retryAfterMs, limits }: FailedPoll): NextPoll {
  const doubled = Math.min(limits.minIntervalMs * 2 ** Math.min(failures - 1, 20), limits.maxIntervalMs)
  const next: NextPoll = { delayMs: spread(importId, doubled, limits), basis: 'backoff', stalled: false }
  return notBefore(retryAfterMs, next, importId)
}

/** The next poll, but never before the provider's `Retry-After`; spread upwards, so that waiting imports don't fire together. */
export function notBefore(retryAfterMs: number | null, next: NextPoll, importId: string): NextPoll {
  if (retryAfterMs === null || retryAfterMs < next.delayMs) return next
  return { ...next, delayMs: retryAfterMs * (1 + jitter * phase(importId)), basis: 'retry_after' }
}

/** The gap within the limits, and off by the jitter, which is the same for an import each time. */
export function spread(importId: string, gapMs: number, { minIntervalMs, maxIntervalMs }: IntervalLimits): number {
  const clamped = Math.min(Math.max(gapMs, minIntervalMs), maxIntervalMs)
  const spreadMs = clamped * (1 + jitter * (2 * phase(importId) - 1))
  return Math.min(Math.max(spreadMs, minIntervalMs), maxIntervalMs)
}
