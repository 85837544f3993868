// Owns whether a URL from a caller may be stored as a destination. Each connection checks it again.
import { EgressError } from './errors.ts'
import { hostOf } from './guard.ts'
import { type AddressCheck, resolveChecked } from './resolve.ts'

/** Returns null if the URL is fine; otherwise what it must be, for people. */
export type CheckDestination = (url: string) => Promise<string | null>

export function createDestinationCheck(check: AddressCheck): CheckDestination {
  return async (url) => {
    const complaint = check.guard.checkUrl(url)
    if (complaint !== null) return complaint
    try {
      await resolveChecked(check, hostOf(new URL(url)))
      return null
    } catch (error) {
      if (!(error instanceof EgressError)) throw error
      return error.kind === 'blocked_address' ? 'must name a public host' : 'must name a host that resolves'
    }
  }
}
