// Owns asking the database for the holders of tokens: one query at a time for all requests, and few queries for wrong
// tokens, however many are tried.
import { setTimeout as delay } from 'node:timers/promises'
import { inArray } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { apiTokens } from '../db/schema/index.ts'
import type { Principal } from './authenticate.ts'
import type { Scope } from './scope.ts'

/**
 * The pause after a query for wrong tokens alone. It allows at most fifty a second, and hardly delays a valid token
 * among them.
 */
const pauseMs = 20

type Asked = PromiseWithResolvers<Principal | null>

/** @returns a function that finds the principal by the token's hash; null: there is no such token. */
export function createPrincipalFinder(db: Database): (hash: string) => Promise<Principal | null> {
  let waiting = new Map<string, Asked>()
  let isAsking = false

  /** Requests that come during a query wait for the next one. */
  async function ask() {
    isAsking = true
    while (waiting.size > 0) {
      const asked = waiting
      waiting = new Map()
      if (!(await answer(db, asked))) await delay(pauseMs)
    }
    isAsking = false
  }

  return (hash) => {
    const same = waiting.get(hash)
    if (same) return same.promise
    const asked: Asked = Promise.withResolvers()
    waiting.set(hash, asked)
    if (!isAsking) void ask()
    return asked.promise
  }
}

/** Returns true if at least one of the hashes is a token's. */
async function answer(db: Database, asked: ReadonlyMap<string, Asked>): Promise<boolean> {
  try {
    const rows = await db
      .select()
      .from(apiTokens)
      .where(inArray(apiTokens.hash, [...asked.keys()]))
    const found = new Map(rows.map((row) => [row.hash, row]))
    for (const [hash, { resolve }] of asked) {
      const row = found.get(hash)
      resolve(row ? { tokenId: row.id, name: row.name, scope: row.scope as Scope } : null)
    }
    return found.size > 0
  } catch (error) {
    for (const { reject } of asked.values()) reject(error)
    return false
  }
}
