// Owns reading actions, the newest first.
import { and, asc, count, desc, eq, getTableColumns, gte, lt, type SQL } from 'drizzle-orm'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../api/paging.ts'
import { notFound } from '../api/refusal.ts'
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

/** Returns what came of what was asked for by `once`. Null: nothing was to be done, or it is long ago. */
export async function findActionOnce({ db }: { db: Database }, once: string): Promise<ApiAction | null> {
  const [row] = await db.select().from(actions).where(eq(actions.once, once))
  return row ? presentAction(row) : null
}

/** An action, with the first imports that it touched. */
export interface WholeAction {
  action: ApiAction
  /** It can go on where it is. */
  isUnderWay: boolean
  importIds: string[]
  touched: number
}

/** @throws {AppError} not_found */
export async function getAction({ db }: { db: Database }, id: string, firstImports: number): Promise<WholeAction> {
  const [row] = await db.select().from(actions).where(eq(actions.id, id))
  if (!row) throw notFound('action')
  const touched = eq(actionImports.actionId, id)
  const [total] = await db.select({ count: count() }).from(actionImports).where(touched)
  const rows = await db
    .select({ id: actionImports.importId })
    .from(actionImports)
    .where(touched)
    .orderBy(asc(actionImports.importId))
    .limit(firstImports)
  return {
    action: presentAction(row),
    isUnderWay: row.details?.more === true && row.details.behind !== undefined,
    importIds: rows.map((one) => one.id),
    touched: total?.count ?? 0,
  }
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
