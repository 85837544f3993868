// Owns the limits in force for a connection: its own limits first, then its provider's defaults.

/** A provider's limits unless the connection sets its own. Null: no limit is known. */
export interface DefaultLimits {
  requestsPerSecond: number | null
  requestsPerMinute: number | null
  requestsPerDay: number | null
  requestsPerMonth: number | null
  maxInFlight: number
  minIntervalMs: number
  maxIntervalMs: number
  deadlineMs: number
}

/** A connection's own limits. An absent limit falls back to the provider's default. */
export interface StoredLimits {
  requestsPerSecond?: number
  requestsPerMinute?: number
  requestsPerDay?: number
  requestsPerMonth?: number
  maxInFlight?: number
  minIntervalMs?: number
  maxIntervalMs?: number
  deadlineMs?: number
}

export function effectiveLimits(provider: { defaultLimits: DefaultLimits }, own: StoredLimits): DefaultLimits {
  return { ...provider.defaultLimits, ...own }
}
