// Owns telling who holds a token, without asking the database for every request.
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { createPrincipalFinder } from './find-principals.ts'
import { hashToken } from './hash.ts'
import type { Scope } from './scope.ts'

/** Who asks. */
export interface Principal {
  /** Null: the bootstrap token of the configuration. */
  tokenId: string | null
  name: string
  scope: Scope
}

export interface Authenticator {
  /** Null: there is no such token. */
  authenticate(token: string): Promise<Principal | null>
  /** The same for a token's hash, which is what a browser's session keeps. */
  authenticateHash(hash: string): Promise<Principal | null>
  /** Forgets what is cached, because a token was revoked. */
  forget(): void
}

/** How long a revoked token may go on working in another process. */
const cachedForMs = 5_000
const maxCached = 1_000
/** A token that isn't there won't be there later either: they are made at random. */
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
  /** Apart from the known ones, which wrong tokens mustn't push out. */
  const unknown = new Map<string, number>()
  const find = createPrincipalFinder(db)

  async function authenticateHash(hash: string): Promise<Principal | null> {
    // Hashes of one length: the time it takes says nothing of how much of it was right.
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

function remember<Value>(cache: Map<string, Value>, most: number, hash: string, value: Value): void {
  if (cache.size >= most) cache.clear()
  cache.set(hash, value)
}
