// Owns reading imports as the API shows them. history.ts and rows.ts read the parts of one import.

import { and, desc, eq, gte, inArray, lt, type SQL } from 'drizzle-orm'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../api/paging.ts'
import { notFound } from '../api/refusal.ts'
import type { Database } from '../db/client.ts'
import { connections, imports } from '../db/schema/index.ts'
import type { ImportState } from '../model/import-state.ts'
import { selectImports } from './columns.ts'
import { type ApiImport, presentImport } from './present.ts'

/** @throws {AppError} not_found */
export async function getImport({ db }: { db: Database }, id: string): Promise<ApiImport> {
  const [found] = await selectImports(db).where(eq(imports.id, id))
  if (!found) throw notFound('import')
  return presentImport(found.row, found.connection)
}

/** Returns the existing imports with these ids, in the order of the ids. */
export async function getImports({ db }: { db: Database }, ids: readonly string[]): Promise<ApiImport[]> {
  const found = await selectImports(db).where(inArray(imports.id, [...ids]))
  const byId = new Map(found.map(({ row, connection }) => [row.id, presentImport(row, connection)]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

export interface ImportFilter {
  /** The connection's name. Deleted connections of this name count, too. */
  connection?: string | undefined
  provider?: string | undefined
  state?: ImportState | undefined
  jobId?: string | undefined
  attention?: string | undefined
  /** Inclusive. */
  registeredAfter?: Date | undefined
  /** Exclusive. */
  registeredBefore?: Date | undefined
}

/** Returns imports, the newest first. */
export async function listImports(
  { db }: { db: Database },
  { limit, after, ...filter }: PageQuery & ImportFilter,
): Promise<Page<ApiImport>> {
  const cursor = readCursor(after, idKey)
  const where = and(matches(filter), cursor ? lt(imports.id, cursor[0]) : undefined)
  const found = await selectImports(db)
    .where(where)
    .orderBy(desc(imports.id))
    .limit(limit + 1)
  const shown = found.map(({ row, connection }) => presentImport(row, connection))
  return pageOf(shown, limit, (one) => [one.id])
}

/** @throws {AppError} not_found */
export async function requireImport(db: Database, id: string): Promise<void> {
  const [found] = await db.select({ id: imports.id }).from(imports).where(eq(imports.id, id))
  if (!found) throw notFound('import')
}

function matches(filter: ImportFilter): SQL | undefined {
  return and(
    filter.connection === undefined ? undefined : eq(connections.name, filter.connection),
    filter.provider === undefined ? undefined : eq(connections.provider, filter.provider),
    filter.state === undefined ? undefined : eq(imports.state, filter.state),
    filter.jobId === undefined ? undefined : eq(imports.jobId, filter.jobId),
    filter.attention === undefined ? undefined : eq(imports.attention, filter.attention),
    filter.registeredAfter === undefined ? undefined : gte(imports.registeredAt, filter.registeredAfter),
    filter.registeredBefore === undefined ? undefined : lt(imports.registeredAt, filter.registeredBefore),
  )
}
