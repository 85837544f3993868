// Owns reading imports as the API shows them. history.ts and rows.ts read the parts of one import.

import { eq, inArray } from 'drizzle-orm'
import { type Page, type PageQuery, pageOf, readCursor, timeAndIdKey } from '../api/paging.ts'
import { notFound } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { imports } from '../db/schema/index.ts'
import { selectImports } from './columns.ts'
import type { ImportFilter } from './filter.ts'
import { findImports, type ImportOrder } from './find.ts'
import type { ApiImport } from './present.ts'
import { presentImports } from './usual.ts'

interface Deps {
  db: Database
  clock: Clock
}

/** @throws {AppError} not_found */
export async function getImport({ db, clock }: Deps, id: string): Promise<ApiImport> {
  const [found] = await selectImports(db).where(eq(imports.id, id))
  if (!found) throw notFound('import')
  const [shown] = await presentImports(db, [found], clock.now())
  if (!shown) throw notFound('import')
  return shown
}

/** Returns when the import was resumed last, ISO 8601. Null: it never was, or there is none. */
export async function findResumedAt({ db }: Pick<Deps, 'db'>, id: string): Promise<string | null> {
  const [row] = await db.select({ resumedAt: imports.resumedAt }).from(imports).where(eq(imports.id, id))
  return row?.resumedAt?.toISOString() ?? null
}

/** Returns the existing imports with these ids, in the order of the ids. */
export async function getImports({ db, clock }: Deps, ids: readonly string[]): Promise<ApiImport[]> {
  const found = await selectImports(db).where(inArray(imports.id, [...ids]))
  const shown = await presentImports(db, found, clock.now())
  const byId = new Map(shown.map((one) => [one.id, one]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** Returns imports in the order of their registration. */
export async function listImports(
  deps: Deps,
  { limit, after, order = 'newest', ...filter }: PageQuery & ImportFilter & { order?: ImportOrder | undefined },
): Promise<Page<ApiImport>> {
  const behind = readCursor(after, timeAndIdKey)
  const ids = await findImports(deps, { filter, order, behind, limit: limit + 1 })
  return pageOf(await getImports(deps, ids), limit, (one) => [one.registeredAt, one.id])
}

/** @throws {AppError} not_found */
export async function requireImport(db: Database, id: string): Promise<void> {
  const [found] = await db.select({ id: imports.id }).from(imports).where(eq(imports.id, id))
  if (!found) throw notFound('import')
}
