// Owns reading actions, the newest first.
import { and, desc, eq, getTableColumns, gte, lt, type SQL } from 'drizzle-orm'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../api/paging.ts'
import type { Database } from '../db/client.ts'
import { actionImports, actions } from '../db/schema/index.ts'
import { type ApiAction, presentAction } from './present.ts'
import type { ActionVerb } from './verbs.ts'

/** All given ones have to hold. */
export interface ActionFilter {
  importId?: string | undefined
  /** The name of a connection that was changed. */
  connection?: string | undefined
  endpointId?: string | undefined
  /** The name of the token. */
  by?: string | undefined
  verb?: ActionVerb | undefined
}

export async function listActions(
  { db }: { db: Database },
  { limit, after, importId, connection, endpointId, by, verb }: PageQuery & ActionFilter,
): Promise<Page<ApiAction>> {
  const cursor = readCursor(after, idKey)
  const conditions = [
    connection === undefined ? undefined : eq(actions.connection, connection),
    endpointId === undefined ? undefined : eq(actions.endpointId, endpointId),
    by === undefined ? undefined : eq(actions.by, by),
    verb === undefined ? undefined : eq(actions.verb, verb),
  ]
  const rows =
    importId === undefined
      ? await db
          .select()
          .from(actions)
          .where(and(...conditions, cursor ? lt(actions.id, cursor[0]) : undefined))
          .orderBy(desc(actions.id))
          .limit(limit + 1)
      : await selectOfImport(
          db,
          and(
            eq(actionImports.importId, importId),
            ...conditions,
            cursor ? lt(actionImports.actionId, cursor[0]) : undefined,
          ),
        ).limit(limit + 1)
  return pageOf(rows.map(presentAction), limit, (action) => [action.id])
}

/** Returns what was done to an import in a span of time, the newest first. Null: it has no such end. */
export async function listActionsBetween(
  { db }: { db: Database },
  importId: string,
  { from, until, limit }: { from: Date | null; until: Date | null; limit: number },
): Promise<ApiAction[]> {
  const rows = await selectOfImport(
    db,
    and(
      eq(actionImports.importId, importId),
      from === null ? undefined : gte(actions.at, from),
      until === null ? undefined : lt(actions.at, until),
    ),
  ).limit(limit)
  return rows.map(presentAction)
}

function selectOfImport(db: Database, where: SQL | undefined) {
  return db
    .select(getTableColumns(actions))
    .from(actionImports)
    .innerJoin(actions, eq(actions.id, actionImports.actionId))
    .where(where)
    .orderBy(desc(actionImports.actionId))
}
