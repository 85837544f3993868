// Owns the access tokens of connections: kept encrypted for all workers. One worker at a time asks the provider for a new
// one, and stores what it gets before any worker uses it. So a refresh token that each refresh replaces is never used twice.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { DecryptionError, type Encryption } from '../base/encryption.ts'
import type { Database } from '../db/client.ts'
import type { Access, TokenKeeper } from '../providers/ask.ts'
import { ProviderError } from '../providers/client.ts'

/** Whose token it is. An access token that was got with anything else doesn't count. */
export interface TokenOwner {
  id: string
  provider: { name: string }
  providerRevision: number | null
  baseUrl: string
  credentials: unknown
  settings: unknown
  /** When a caller last put the connection. */
  updatedAt: Date
}

/** What the access token was got with, and what the refresh token goes on from. Earlier versions kept less. */
interface Kept {
  /** The owner's base URL and credentials, as JSON. Earlier versions know an owner by this alone. */
  of: string
  /** The owner's provider, its revision, and the settings, as JSON. */
  by?: string
  /** How the provider's document says to get it. */
  grant?: string
  /** The refresh token of the owner's credentials, which `refreshToken` has replaced. Null: they have none. */
  first?: string | null
  /** When a caller last put the owner, in milliseconds. */
  putAt?: number
  accessToken: string
  refreshToken: string | null
  baseUrl?: string | null
}

/** A token that ends within this time, or within a tenth of its life, isn't used any more. */
const earlyMs = 30_000
/** With a shorter life, each call would get a token of its own. One that ends sooner is refused, and got anew then. */
const minUsableMs = 5_000
/**
 * How long one worker has the others wait: longer than a call takes. One that was stopped for longer may still store its
 * token, unless another one has stored one meanwhile.
 */
const claimMs = 60_000
const waitMs = 200
const maxTries = 5
const retryMs = 1_000
const maxCached = 10_000

/** What is kept beside a refresh token whose answer was refused. It is never fresh. */
const nothing = { accessToken: '', baseUrl: null }

type Get = Parameters<TokenKeeper['token']>[0]
type Mark = Required<Pick<Kept, 'of' | 'by' | 'grant' | 'first' | 'putAt'>>

interface Wanted {
  id: string
  mark: Mark
  get: Get
  refused: string | null
  signal: AbortSignal
}

export function createTokenKeepers({ db, encryption }: { db: Database; encryption: Encryption }) {
  const cache = new Map<string, { kept: Kept; until: number }>()
  const running = new Map<string, Promise<Kept>>()

  return (owner: TokenOwner): TokenKeeper => {
    const { id, provider, providerRevision, baseUrl, credentials, settings } = owner
    const of = JSON.stringify([baseUrl, credentials])
    const by = JSON.stringify([provider.name, providerRevision, settings])
    const putAt = owner.updatedAt.getTime()
    return {
      async token(get, { grant, first, refused, signal }) {
        const wanted = { id, mark: { of, by, grant, first, putAt }, get, refused, signal }
        const known = cache.get(id)
        if (known && known.until > performance.now() && isUsable(known.kept, wanted)) return accessOf(known.kept)
        const key = JSON.stringify([id, of, by, grant, refused])
        for (;;) {
          const found = running.get(key) ?? find(wanted)
          running.set(key, found)
          try {
            return accessOf(await found)
          } catch (error) {
            // It was another caller's search, and that caller has left.
            if (signal.aborted || !(error instanceof ProviderError) || error.kind !== 'aborted') throw error
          } finally {
            if (running.get(key) === found) running.delete(key)
          }
        }
      },
    }
  }

  async function find(wanted: Wanted): Promise<Kept> {
    const { id, signal } = wanted
    for (;;) {
      if (signal.aborted) throw new ProviderError('aborted', 'The call was aborted.')
      const stored = await read(id)
      const kept = opened(stored?.sealed ?? null, id)
      if (kept && stored?.isFresh && isUsable(kept, wanted)) return remember(id, kept, stored.leftMs)
      const claim = randomUUID()
      const renewed = (await claimed(id, claim)) ? await renew(wanted, claim) : null
      if (renewed !== null) return renewed
      await delay(waitMs, undefined, { signal }).catch(() => {}) // then the loop ends
    }
  }

  /**
   * Reads again under the claim: another worker may have been quicker. Returns null if one stored a token while this
   * one was got, which then counts.
   * @throws {ProviderError} `unauthorized` if the connection has been put since this worker read it.
   */
  async function renew(wanted: Wanted, claim: string): Promise<Kept | null> {
    const { id, mark, get } = wanted
    try {
      const stored = await read(id)
      const before = opened(stored?.sealed ?? null, id)
      if (before && stored?.isFresh && isUsable(before, wanted)) return remember(id, before, stored.leftMs)
      // Its own token would replace that of the newer credentials, and with it their refresh token.
      if ((before?.putAt ?? 0) > mark.putAt)
        throw new ProviderError('unauthorized', 'The connection was changed meanwhile, so nothing was asked.')
      const newest = before && goesOn(before, mark) ? before.refreshToken : null
      const got = await get(newest)
      const refusal = 'refusal' in got ? got.refusal : null
      // The vendor has replaced the refresh token: sent again, the spent one may end the access altogether.
      const token = 'refusal' in got ? { ...nothing, refreshToken: got.refreshToken } : got
      const usableMs = 'refusal' in got ? 0 : usableMsOf(got.lifetimeMs)
      const kept = {
        ...mark,
        accessToken: token.accessToken,
        refreshToken: token.refreshToken ?? newest,
        baseUrl: token.baseUrl,
      }
      let sealed = stored?.sealed ?? null
      while (!(await storeFirmly(id, sealed, kept, usableMs))) {
        const newer = (await read(id))?.sealed ?? null
        // Rotated keys change what is stored, and not what it says.
        if (newer === null || JSON.stringify(opened(newer, id)) !== JSON.stringify(before)) return null
        sealed = newer
      }
      if (refusal !== null) throw refusal
      return remember(id, kept, usableMs)
    } finally {
      await db.execute(sql`
        /* token.release */
        UPDATE connection_tokens SET claim = NULL, claimed_until = NULL WHERE connection_id = ${id} AND claim = ${claim}`)
    }
  }

  function remember(id: string, kept: Kept, leftMs: number): Kept {
    if (cache.size >= maxCached) cache.clear()
    cache.set(id, { kept, until: performance.now() + leftMs })
    return kept
  }

  async function read(id: string): Promise<{ sealed: string | null; isFresh: boolean; leftMs: number } | undefined> {
    const { rows } = await db.execute<{ sealed: string | null; leftMs: number | null }>(sql`
      /* token.read */
      SELECT sealed, (date_part('epoch', expires_at - now()) * 1000)::float8 AS "leftMs"
      FROM connection_tokens WHERE connection_id = ${id}`)
    const [row] = rows
    if (!row) return undefined
    const leftMs = row.leftMs ?? 0
    return { sealed: row.sealed, isFresh: leftMs > 0, leftMs }
  }

  async function claimed(id: string, claim: string): Promise<boolean> {
    const { rowCount } = await db.execute(sql`
      /* token.claim */
      INSERT INTO connection_tokens AS kept (connection_id, claim, claimed_until)
      VALUES (${id}, ${claim}, now() + ${claimMs} * interval '1 ms')
      ON CONFLICT (connection_id) DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until
      WHERE kept.claimed_until IS NULL OR kept.claimed_until < now()`)
    return rowCount === 1
  }

  /** A refresh token that isn't stored is lost, and with it the access of all workers. So a lost database is waited for. */
  async function storeFirmly(id: string, before: string | null, kept: Kept, usableMs: number): Promise<boolean> {
    const sealed = encryption.encrypt(JSON.stringify(kept), contextOf(id))
    for (let tries = 1; ; tries++)
      try {
        return await store(id, before, sealed, usableMs)
      } catch (error) {
        if (tries === maxTries) throw error
        await delay(retryMs)
      }
  }

  /** Returns false if there is another token than before. One that this stored at an earlier try is none. */
  async function store(id: string, before: string | null, sealed: string, usableMs: number): Promise<boolean> {
    const { rowCount } = await db.execute(sql`
      /* token.store */
      UPDATE connection_tokens SET sealed = ${sealed}, expires_at = now() + ${usableMs} * interval '1 ms'
      WHERE connection_id = ${id} AND (sealed IS NOT DISTINCT FROM ${before}::text OR sealed = ${sealed})`)
    return rowCount === 1
  }

  function opened(sealed: string | null, id: string): Kept | null {
    if (sealed === null) return null
    try {
      return JSON.parse(encryption.decrypt(sealed, contextOf(id))) as Kept
    } catch (error) {
      if (error instanceof DecryptionError) return null
      throw error
    }
  }
}

function usableMsOf(lifetimeMs: number): number {
  return Math.max(lifetimeMs - Math.min(earlyMs, lifetimeMs / 10), minUsableMs)
}

function isUsable(kept: Kept, { mark, refused }: Wanted): boolean {
  const isAlike = kept.of === mark.of && kept.by === mark.by && kept.grant === mark.grant
  return isAlike && kept.accessToken !== refused
}

/**
 * The vendor replaced the refresh token of the credentials by the kept one, so the credentials' own is spent. The kept
 * one serves as long as the credentials have that same one, though the base URL or the settings may differ.
 */
function goesOn(kept: Kept, mark: Mark): boolean {
  return kept.first === undefined ? kept.of === mark.of : kept.first !== null && kept.first === mark.first
}

function accessOf({ accessToken, baseUrl = null }: Kept): Access {
  return { accessToken, baseUrl }
}

/** What a connection's token is encrypted for. */
export function contextOf(connectionId: string): string {
  return `token:${connectionId}`
}
