// Owns ending what lasts with its token: calls that were let in once would go on when the token is revoked.
import { inArray } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { apiTokens } from '../db/schema/index.ts'
import type { Principal } from './authenticate.ts'

export interface TokenWatch {
  /** Watches a token until it is disposed of. */
  watch(principal: Principal): Watched
  /** Looks now, because a token was revoked in this process. */
  look(): Promise<void>
}

export interface Watched extends Disposable {
  revoked: AbortSignal
}

/** @param deps.everyMs how often revoked tokens are looked for while calls last: one query for all of them. */
export function createTokenWatch({ db, everyMs = 2_000 }: { db: Database; everyMs?: number }): TokenWatch {
  const watched = new Map<string, Set<AbortController>>()
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    const ids = [...watched.keys()]
    if (ids.length === 0) return
    // With the database away nobody is ended: the next look tells.
    const rows = await findTokens(ids).catch(() => null)
    if (rows === null) return
    const valid = new Set(rows.map(({ id }) => id))
    for (const id of ids) if (!valid.has(id)) for (const call of watched.get(id) ?? []) call.abort()
  }

  async function findTokens(ids: string[]): Promise<{ id: string }[]> {
    return db.select({ id: apiTokens.id }).from(apiTokens).where(inArray(apiTokens.id, ids))
  }

  function lookLater(): void {
    timer = setTimeout(async () => {
      await look()
      timer = undefined
      if (watched.size > 0) lookLater()
    }, everyMs).unref()
  }

  return {
    watch({ tokenId }) {
      const call = new AbortController()
      if (tokenId === null) return { revoked: call.signal, [Symbol.dispose]() {} }
      const calls = watched.get(tokenId) ?? new Set()
      watched.set(tokenId, calls.add(call))
      if (timer === undefined) lookLater()
      return {
        revoked: call.signal,
        [Symbol.dispose]() {
          calls.delete(call)
          if (calls.size === 0) watched.delete(tokenId)
        },
      }
    },
    look,
  }
}
