// Owns telling who holds a token, without asking the database for every request.
import { timingSafeEqual } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/client.ts'
import { apiTokens } from '../db/schema/index.ts'
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
  const cache = new Map<string, { principal: Principal; until: number }>()

  async function authenticateHash(hash: string): Promise<Principal | null> {
    // Hashes of one length: the time it takes says nothing of how much of it was right.
    if (adminHash?.length === hash.length && timingSafeEqual(adminHash, Buffer.from(hash)))
      return { tokenId: null, name: 'bootstrap', scope: 'admin' }
    const now = clock.now().getTime()
    const cached = cache.get(hash)
    if (cached && cached.until > now) return cached.principal
    const principal = await findPrincipal(db, hash)
    cache.delete(hash)
    if (principal === null) return null // unknown tokens aren't cached: they would push out the known ones
    if (cache.size >= maxCached) cache.clear()
    cache.set(hash, { principal, until: now + cachedForMs })
    return principal
  }

  return {
    authenticate: (token) => authenticateHash(hashToken(token)),
    authenticateHash,
    forget: () => cache.clear(),
  }
}

async function findPrincipal(db: Database, hash: string): Promise<Principal | null> {
  const [row] = await db.select().from(apiTokens).where(eq(apiTokens.hash, hash))
  return row ? { tokenId: row.id, name: row.name, scope: row.scope as Scope } : null
}
