// Owns listing tokens, in the order of their creation.
import { gt } from 'drizzle-orm'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../api/paging.ts'
import type { Database } from '../db/client.ts'
import { apiTokens } from '../db/schema/index.ts'
import { type ApiToken, presentToken } from './present.ts'

export async function listTokens({ db }: { db: Database }, { limit, after }: PageQuery): Promise<Page<ApiToken>> {
  const cursor = readCursor(after, idKey)
  const rows = await db
    .select()
    .from(apiTokens)
    .where(cursor ? gt(apiTokens.id, cursor[0]) : undefined)
    .orderBy(apiTokens.id)
    .limit(limit + 1)
  return pageOf(rows.map(presentToken), limit, (token) => [token.id])
}
