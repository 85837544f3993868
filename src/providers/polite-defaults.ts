// Owns the limits of a provider that publishes none: what a considerate client would keep to.
import type { DefaultLimits } from '../model/limits.ts'

/**
 * Two seconds is soon enough to see a short job end, two minutes late is still early for one of hours, and a job that
 * lives for a week is stuck. `Retry-After` says the rest.
 */
export const politeDefaults: DefaultLimits = {
  requestsPerSecond: null,
  requestsPerMonth: null,
  maxInFlight: 10,
  minIntervalMs: 2_000,
  maxIntervalMs: 120_000,
  deadlineMs: 7 * 24 * 60 * 60 * 1_000,
}
