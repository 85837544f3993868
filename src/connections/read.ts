// Owns reading connections as the API shows them.
import { and, eq, gt, isNull } from 'drizzle-orm'
import { type Page, type PageQuery, pageOf, readCursor, textKey } from '../api/paging.ts'
import { notFound } from '../api/refusal.ts'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { type ApiConnection, presentConnection } from './present.ts'

/** @throws {AppError} not_found */
export async function getConnection({ db }: { db: Database }, name: string): Promise<ApiConnection> {
  const [row] = await db
    .select()
    .from(connections)
    .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
  if (!row) throw notFound('connection')
  return presentConnection(row)
}

/** Returns connections in the order of their names. */
export async function listConnections(
  { db }: { db: Database },
  { limit, after }: PageQuery,
): Promise<Page<ApiConnection>> {
  const cursor = readCursor(after, textKey)
  const rows = await db
    .select()
    .from(connections)
    .where(and(isNull(connections.deletedAt), cursor ? gt(connections.name, cursor[0]) : undefined))
    .orderBy(connections.name)
    .limit(limit + 1)
  return pageOf(rows.map(presentConnection), limit, (connection) => [connection.name])
}
