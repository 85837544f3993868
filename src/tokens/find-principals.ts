// Owns asking the database who holds a token: one query at a time for all who ask, however many tokens are tried.
import { inArray } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { apiTokens } from '../db/schema/index.ts'
import type { Principal } from './authenticate.ts'
import type { Scope } from './scope.ts'

type Asked = PromiseWithResolvers<Principal | null>

/** @returns finds the principal by the token's hash; null: there is no such token. */
export function createPrincipalFinder(db: Database): (hash: string) => Promise<Principal | null> {
  let waiting = new Map<string, Asked>()
  let isAsking = false

  /** What is asked meanwhile waits for the next query. */
  async function ask() {
    isAsking = true
    while (waiting.size > 0) {
      const asked = waiting
      waiting = new Map()
      await answer(db, asked)
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

async function answer(db: Database, asked: ReadonlyMap<string, Asked>): Promise<void> {
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
  } catch (error) {
    for (const { reject } of asked.values()) reject(error)
  }
}
