// Owns how much the API allows: requests of a token, wrong tokens from an address, and lasting calls.
import type { Request } from 'express'
import { AppError } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import type { Limits } from '../config/config.ts'
import type { Principal } from '../tokens/authenticate.ts'
import type { TokenWatch } from '../tokens/watch.ts'
import { clientOf } from './address.ts'
import { createAllowances } from './allowances.ts'
import type { Streamed } from './operation.ts'

/** Calls that last: server-sent events, `waitMs`, and downloads. */
export type Lasting = 'stream' | 'waiter' | 'download'

export interface Place extends Disposable {
  /** Aborts when the token is revoked. */
  revoked: AbortSignal
}

export interface ApiLimits {
  /** Counts a request of a token. @throws {AppError} too_many_requests */
  countRequest(principal: Principal): void
  /** Counts a wrong token. It doesn't limit valid tokens from the same address. @throws {AppError} too_many_requests */
  countWrongToken(request: Request): void
  /** Takes a place for a lasting call. Disposing of it gives the place back. @throws {AppError} too_many_requests */
  takePlace(kind: Lasting, principal: Principal): Place
  /** Returns an answer that holds a place while it is written. */
  placed(kind: Lasting, principal: Principal, open: (revoked: AbortSignal) => Streamed): Streamed
}

/** Enough for a person, and for a fleet of clients with an expired token. */
const wrongTokens = { atOnce: 30, perSecond: 1 }
/** Nobody knows when a place will be free, so clients are told to come back soon. */
const placeRetryS = 5

export function createApiLimits(deps: { clock: Clock; limits: Limits; tokenWatch: TokenWatch }): ApiLimits {
  const { clock, limits, tokenWatch } = deps
  const requests = createAllowances({
    clock,
    perSecond: limits.requestsPerSecond,
    atOnce: limits.requestsPerSecond,
  })
  const wrong = createAllowances({ clock, ...wrongTokens })
  const taken = {
    stream: new Map<string, number>(),
    waiter: new Map<string, number>(),
    download: new Map<string, number>(),
  }
  const ofProcess = { stream: 0, waiter: 0, download: 0 }
  const allowed = {
    stream: { process: limits.streams, token: limits.streamsPerToken },
    waiter: { process: limits.waiters, token: limits.waiters },
    download: { process: limits.downloads, token: limits.downloads },
  }

  function takePlace(kind: Lasting, principal: Principal): Place {
    const key = keyOf(principal)
    const ofToken = taken[kind].get(key) ?? 0
    if (ofProcess[kind] >= allowed[kind].process || ofToken >= allowed[kind].token)
      throw tooMany(placeRetryS, `Too many ${words[kind]} are under way; try again soon.`)
    ofProcess[kind]++
    taken[kind].set(key, ofToken + 1)
    const watched = tokenWatch.watch(principal)
    return {
      revoked: watched.revoked,
      [Symbol.dispose]() {
        watched[Symbol.dispose]()
        ofProcess[kind]--
        const left = (taken[kind].get(key) ?? 1) - 1
        if (left === 0) taken[kind].delete(key)
        else taken[kind].set(key, left)
      },
    }
  }

  return {
    countRequest(principal) {
      const waitS = requests.take(keyOf(principal))
      if (waitS !== null) throw tooMany(waitS, `A token may make ${limits.requestsPerSecond} requests a second.`)
    },
    countWrongToken(request) {
      const waitS = wrong.take(clientOf(request))
      if (waitS !== null) throw tooMany(waitS, 'Too many wrong tokens came from this address.')
    },
    takePlace,
    placed: (kind, principal, open) => ({
      async stream(response) {
        using place = takePlace(kind, principal)
        await open(place.revoked).stream(response)
      },
    }),
  }
}

const words: Record<Lasting, string> = { stream: 'streams', waiter: 'waiting requests', download: 'downloads' }

function keyOf({ tokenId, name }: Principal): string {
  return tokenId ?? name
}

function tooMany(retryAfterS: number, detail: string): AppError {
  return new AppError('too_many_requests', detail, [], { retryAfterS })
}
