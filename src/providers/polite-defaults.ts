// Owns the limits for a provider that publishes none: those of a considerate client.
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
