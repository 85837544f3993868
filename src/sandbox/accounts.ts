// Owns the sandbox's one account at each vendor: its credentials, its outage, and its rate limit.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Fault } from './faults.ts'
import { type ProviderName, providerNames } from './script.ts'

export interface Credentials {
  cdq: { apiKey: string }
  micro: { apiKey: string }
  /** The JSON of the token endpoint's answer, as text. */
  zilliant: { tokenResponse: string }
  fullstory: { apiKey: string }
}

export interface Settings {
  cdq: Record<string, never>
  micro: { teamId: string }
  zilliant: { forwardedHost: string }
  fullstory: Record<string, never>
}

/** Null: no limit. */
export interface RateLimit {
  requestsPerSecond: number | null
  requestsPerMonth: number | null
}

export interface Account<P extends ProviderName> {
  credentials: Credentials[P]
  settings: Settings[P]
  /** The fault of every request at this vendor, whatever the job. Null: none. */
  outage: Fault | null
  limiter: Limiter
}

export type Accounts = { [P in ProviderName]: Account<P> }
export type RateLimits = Partial<Record<ProviderName, RateLimit>>

/** Returns the accounts at the start. They are the same in every sandbox, so that a connection outlives a restart. */
export function createAccounts(clock: Clock, limits: RateLimits): Accounts {
  const limiterOf = (provider: ProviderName) => createLimiter(clock, limits[provider] ?? unlimited)
  return {
    cdq: { credentials: keysFor('sandbox').cdq, settings: {}, outage: null, limiter: limiterOf('cdq') },
    micro: {
      credentials: keysFor('sandbox').micro,
      settings: { teamId: '5b0c1d7e-3a52-4f0b-9c7e-2f1d8a6b4c90' },
      outage: null,
      limiter: limiterOf('micro'),
    },
    zilliant: {
      credentials: keysFor('sandbox').zilliant,
      settings: { forwardedHost: 'sandbox.my.salesforce.com' },
      outage: null,
      limiter: limiterOf('zilliant'),
    },
    fullstory: {
      credentials: keysFor('sandbox').fullstory,
      settings: {},
      outage: null,
      limiter: limiterOf('fullstory'),
    },
  }
}

/** Makes new credentials. The old ones are refused from now on. */
export function rotateCredentials<P extends ProviderName>(accounts: Accounts, provider: P): Credentials[P] {
  const account: Account<P> = accounts[provider]
  account.credentials = keysFor(`sandbox-${randomBytes(4).toString('hex')}`)[provider]
  return account.credentials
}

export function isProviderName(text: string | undefined): text is ProviderName {
  return providerNames.some((name) => name === text)
}

interface Limiter {
  /**
   * Counts a request. Returns null if it is within the limit. Otherwise returns the seconds to wait, and doesn't count
   * it.
   */
  take(): number | null
}

const unlimited: RateLimit = { requestsPerSecond: null, requestsPerMonth: null }

function keysFor(name: string): Credentials {
  return {
    cdq: { apiKey: `${name}-cdq-key` },
    micro: { apiKey: `${name}-micro-key` },
    zilliant: {
      tokenResponse: JSON.stringify({
        access_token: `${name}-zilliant-token`,
        instance_url: 'https://sandbox.my.salesforce.com',
        id: 'https://login.salesforce.com/id/00D000000000000/005000000000000',
        token_type: 'Bearer',
        issued_at: '1767225600000',
      }),
    },
    fullstory: { apiKey: `${name}.fullstory/key` },
  }
}

/** Counts a sliding second, and calendar months in UTC. */
function createLimiter(clock: Clock, { requestsPerSecond, requestsPerMonth }: RateLimit): Limiter {
  let lastSecond: number[] = []
  let month = ''
  let countOfMonth = 0
  return {
    take() {
      const now = clock.now()
      const nowMs = now.getTime()
      lastSecond = lastSecond.filter((ms) => ms > nowMs - 1_000)
      if (requestsPerSecond !== null && lastSecond.length >= requestsPerSecond) return 1
      const thisMonth = now.toISOString().slice(0, 7)
      if (month !== thisMonth) countOfMonth = 0
      month = thisMonth
      if (requestsPerMonth !== null && countOfMonth >= requestsPerMonth) {
        const next = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)
        return Math.ceil((next - nowMs) / 1_000)
      }
      countOfMonth++
      if (requestsPerSecond !== null) lastSecond.push(nowMs)
      return null
    },
  }
}
