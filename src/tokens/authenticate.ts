// Owns finding the holder of a token, without a query for each request.
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { createPrincipalFinder } from './find-principals.ts'
import { hashToken } from './hash.ts'
import type { Scope } from './scope.ts'

/** The holder of a token, who makes a request. */
export interface Principal {
  /** Null: the bootstrap token of the configuration. */
  tokenId: string | null
  name: string
  scope: Scope
}

export interface Authenticator {
  /** Returns null if there is no such token. */
  authenticate(token: string): Promise<Principal | null>
  /** The same for a token's hash, which a browser's session keeps. */
  authenticateHash(hash: string): Promise<Principal | null>
  /** Clears the cache, because a token was revoked. */
  forget(): void
}

/** How long a revoked token may go on working in another process. */
const cachedForMs = 5_000
const maxCached = 1_000
/** A token that doesn't exist won't exist later either, because tokens are random. */
const unknownForMs = 60_000
const maxUnknown = 10_000

/** @param adminToken the bootstrap token (`ADMIN_TOKEN`), which isn't stored. */
export function createAuthenticator({
  db,
  clock,
  adminToken,
}: {
  db: Database
  clock: Clock
  adminToken: string | null
}): Authenticator {
  const adminHash = adminToken === null ? null : Buffer.from(hashToken(adminToken))
  const known = new Map<string, { principal: Principal; until: number }>()
  /** Kept apart, so that wrong tokens don't push out the known ones. */
  const unknown = new Map<string, number>()
  const find = createPrincipalFinder(db)

  async function authenticateHash(hash: string): Promise<Principal | null> {
    // Compared as hashes of one length, so that the time it takes reveals nothing of how much was right.
    if (adminHash?.length === hash.length && timingSafeEqual(adminHash, Buffer.from(hash)))
      return { tokenId: null, name: 'bootstrap', scope: 'admin' }
    const now = clock.now().getTime()
    const cached = known.get(hash)
    if (cached && cached.until > now) return cached.principal
    if ((unknown.get(hash) ?? 0) > now) return null
    const principal = await find(hash)
    known.delete(hash)
    if (principal === null) remember(unknown, maxUnknown, hash, now + unknownForMs)
    else remember(known, maxCached, hash, { principal, until: now + cachedForMs })
    return principal
  }

  return {
    authenticate: (token) => authenticateHash(hashToken(token)),
    authenticateHash,
    forget: () => known.clear(),
  }
}

function remember<Value>(cache: Map<string, Value>, maxSize: number, hash: string, value: Value): void {
  if (cache.size >= maxSize) cache.clear()
  cache.set(hash, value)
}
