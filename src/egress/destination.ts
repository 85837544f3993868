// Owns whether a URL that somebody gives us may be stored as a destination. It is checked again at every connection.
import { EgressError } from './errors.ts'
import { hostOf } from './guard.ts'
import { type AddressCheck, resolveChecked } from './resolve.ts'

/** Null where the URL is fine; otherwise what it must be, for people. */
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
