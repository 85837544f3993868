// Owns ending long calls when their token is revoked. Otherwise a call that was let in once would go on.
import { inArray } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { apiTokens } from '../db/schema/index.ts'
import type { Principal } from './authenticate.ts'

export interface TokenWatch {
  /** Watches a token until it is disposed of. */
  watch(principal: Principal): Watched
  /** Checks the watched tokens now, because one was revoked in this process. */
  check(): Promise<void>
}

export interface Watched extends Disposable {
  revoked: AbortSignal
}

/** @param deps.everyMs how often to check the tokens of running calls: one query for all of them. */
export function createTokenWatch({ db, everyMs = 2_000 }: { db: Database; everyMs?: number }): TokenWatch {
  const watched = new Map<string, Set<AbortController>>()
  let timer: NodeJS.Timeout | undefined

  async function check(): Promise<void> {
    const ids = [...watched.keys()]
    if (ids.length === 0) return
    // If the database is unreachable, no call ends: the next check decides.
    const rows = await findTokens(ids).catch(() => null)
    if (rows === null) return
    const valid = new Set(rows.map(({ id }) => id))
    for (const id of ids) if (!valid.has(id)) for (const call of watched.get(id) ?? []) call.abort()
  }

  async function findTokens(ids: string[]): Promise<{ id: string }[]> {
    return db.select({ id: apiTokens.id }).from(apiTokens).where(inArray(apiTokens.id, ids))
  }

  function checkLater(): void {
    timer = setTimeout(async () => {
      await check()
      timer = undefined
      if (watched.size > 0) checkLater()
    }, everyMs).unref()
  }

  return {
    watch({ tokenId }) {
      const call = new AbortController()
      if (tokenId === null) return { revoked: call.signal, [Symbol.dispose]() {} }
      const calls = watched.get(tokenId) ?? new Set()
      watched.set(tokenId, calls.add(call))
      if (timer === undefined) checkLater()
      return {
        revoked: call.signal,
        [Symbol.dispose]() {
          calls.delete(call)
          if (calls.size === 0) watched.delete(tokenId)
        },
      }
    },
    check,
  }
}
