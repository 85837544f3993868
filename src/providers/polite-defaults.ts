// Owns what we assume of a provider that publishes no limits, or not how long its imports take: a considerate client's
// limits, and a wide guess.
import type { DefaultLimits } from '../model/limits.ts'

/**
 * Two seconds see a short job end soon enough. Two minutes of delay are little for a job of hours. A job that lives for
 * a week is stuck. `Retry-After` does the rest.
 */
export const politeDefaults: DefaultLimits = {
  requestsPerSecond: null,
  requestsPerMinute: null,
  requestsPerDay: null,
  requestsPerMonth: null,
  maxInFlight: 10,
  minIntervalMs: 2_000,
  maxIntervalMs: 120_000,
  deadlineMs: 7 * 24 * 60 * 60 * 1_000,
}

/**
 * The spread of how long imports take where a provider publishes nothing: two of three take between half and twice the
 * median, or thereabouts. The medians are guesses, too. docs/benchmarks.md has what it costs if they are wrong.
 */
export const unpublishedSpread = 0.8
