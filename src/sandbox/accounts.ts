// Owns the sandbox's one account at each vendor: its credentials, its outage, and its rate limit.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Fault } from './faults.ts'
import { type VendorName, vendorNames } from './script.ts'
import type { DocumentVendorName } from './vendors/names.ts'

export interface Credentials extends Record<DocumentVendorName, Record<string, string>> {
  cdq: { apiKey: string }
  micro: { apiKey: string }
  /** The JSON of the token endpoint's answer, as text. */
  zilliant: { tokenResponse: string }
  fullstory: { apiKey: string }
}

export interface Settings extends Record<DocumentVendorName, Record<string, string>> {
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

export interface Account<P extends VendorName> {
  credentials: Credentials[P]
  settings: Settings[P]
  /** The fault of every request at this vendor, whatever the job. Null: none. */
  outage: Fault | null
  limiter: Limiter
  /** Returns other credentials, of this name. */
  makeCredentials(name: string): Credentials[P]
  /** When each access token that was given ends, in milliseconds. */
  tokens: Map<string, number>
  /** Returns true if the header has an access token that was given and still lives. */
  isToken(header: string | undefined, prefix: string): boolean
}

/** The account at a vendor, as its file says it. */
export interface AccountForm {
  credentials(name: string): Record<string, string>
  settings?: Record<string, string>
}

export type Accounts = { [P in VendorName]: Account<P> }
export type RateLimits = Partial<Record<VendorName, RateLimit>>

/** Returns the accounts at the start. They are the same in every sandbox, so that a connection outlives a restart. */
export function createAccounts(
  clock: Clock,
  limits: RateLimits,
  forms: Readonly<Record<DocumentVendorName, AccountForm>>,
): Accounts {
  const accountOf = <P extends VendorName>(
    provider: P,
    settings: Settings[P],
    makeCredentials: (name: string) => Credentials[P],
  ): Account<P> => {
    const tokens = new Map<string, number>()
    // Made when they are first needed: some take a while.
    let credentials: Credentials[P] | null = null
    return {
      get credentials() {
        credentials ??= makeCredentials('sandbox')
        return credentials
      },
      set credentials(given) {
        credentials = given
        tokens.clear()
      },
      settings,
      outage: null,
      limiter: createLimiter(clock, limits[provider] ?? unlimited),
      makeCredentials,
      tokens,
      isToken(header = '', prefix) {
        const until = header.startsWith(prefix) ? tokens.get(header.slice(prefix.length)) : undefined
        return until !== undefined && until > clock.now().getTime()
      },
    }
  }
  const documents = Object.entries(forms).map(([name, { settings = {}, credentials }]) => {
    return [name, accountOf(name as DocumentVendorName, settings, credentials)]
  })
  return {
    ...(Object.fromEntries(documents) as { [P in DocumentVendorName]: Account<P> }),
    cdq: accountOf('cdq', {}, (name) => ({ apiKey: `${name}-cdq-key` })),
    micro: accountOf('micro', { teamId: '5b0c1d7e-3a52-4f0b-9c7e-2f1d8a6b4c90' }, (name) => ({
      apiKey: `${name}-micro-key`,
    })),
    zilliant: accountOf('zilliant', { forwardedHost: 'sandbox.my.salesforce.com' }, zilliantCredentials),
    fullstory: accountOf('fullstory', {}, (name) => ({ apiKey: `${name}.fullstory/key` })),
  }
}

/** Makes new credentials. The old ones, and tokens that were given for them, are refused from now on. */
export function rotateCredentials<P extends VendorName>(accounts: Accounts, provider: P): Credentials[P] {
  const account: Account<P> = accounts[provider]
  account.credentials = account.makeCredentials(`sandbox-${randomBytes(4).toString('hex')}`)
  return account.credentials
}

/** Returns the credentials as a client that reaches the sandbox at this origin needs them. */
export function shownCredentials<Given extends object>(credentials: Given, origin: string): Given {
  return Object.fromEntries(
    Object.entries(credentials).map(([name, text]) => [name, String(text).replaceAll('{origin}', origin)]),
  ) as Given
}

export function isProviderName(text: string | undefined): text is VendorName {
  return vendorNames.some((name) => name === text)
}

interface Limiter {
  /**
   * Counts a request. Returns null if it is within the limit. Otherwise returns the seconds to wait, and doesn't count
   * it.
   */
  take(): number | null
}

const unlimited: RateLimit = { requestsPerSecond: null, requestsPerMonth: null }

function zilliantCredentials(name: string): Credentials['zilliant'] {
  return {
    tokenResponse: JSON.stringify({
      access_token: `${name}-zilliant-token`,
      instance_url: 'https://sandbox.my.salesforce.com',
      id: 'https://login.salesforce.com/id/00D000000000000/005000000000000',
      token_type: 'Bearer',
      issued_at: '1767225600000',
    }),
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
