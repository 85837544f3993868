// Owns which limits hold for a connection: its own where it has them, else its provider's.

/** What a provider allows unless the connection says otherwise. Null: no limit known. */
export interface DefaultLimits {
  requestsPerSecond: number | null
  requestsPerMonth: number | null
  maxInFlight: number
  minIntervalMs: number
  maxIntervalMs: number
  deadlineMs: number
}

/** What a connection may ask of its provider; what is absent is the provider's default. */
export interface StoredLimits {
  requestsPerSecond?: number
  requestsPerMonth?: number
  maxInFlight?: number
  minIntervalMs?: number
  maxIntervalMs?: number
  deadlineMs?: number
}

export function effectiveLimits(provider: { defaultLimits: DefaultLimits }, own: StoredLimits): DefaultLimits {
  return { ...provider.defaultLimits, ...own }
}
