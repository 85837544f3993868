// Owns reading the reports on an import over time.
import { and, desc, eq, getTableColumns, gt, lt, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../api/paging.ts'
import { rowsSchema } from '../api/rows.ts'
import type { Database } from '../db/client.ts'
import { imports, polling, snapshots } from '../db/schema/index.ts'
import { type ImportState, states } from '../model/import-state.ts'
import { requireImport } from './read.ts'

export const snapshotSchema = z
  .object({
    state: z.enum(states),
    providerStatus: z.string().nullable(),
    progress: z.number().nullable(),
    message: z.string().nullable(),
    rows: rowsSchema,
    body: z.unknown().describe('The provider’s answer without its row lists.'),
    firstSeenAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    polls: z.number().int().describe('How many polls saw this report.'),
  })
  .meta({ id: 'Snapshot', description: 'A report, and how long it stayed the same.' })

export type ApiSnapshot = z.infer<typeof snapshotSchema>

/**
 * Returns the reports on an import, the oldest first.
 * @throws {AppError} not_found
 */
export async function listSnapshots(
  { db }: { db: Database },
  importId: string,
  { limit, after }: PageQuery,
): Promise<Page<ApiSnapshot>> {
  const cursor = readCursor(after, idKey)
  await requireImport(db, importId)
  const rows = await selectSnapshots(db, importId, cursor?.[0]).limit(limit + 1)
  const { data, next } = pageOf(rows, limit, (row) => [row.id])
  return { data: data.map(present), next }
}

const { polls, lastSeenAt, ...others } = getTableColumns(snapshots)

/**
 * Selects the snapshots of an import, the oldest first. While the import is live, `polling` holds the counts of the
 * open one.
 */
export function selectSnapshots(db: Database, importId: string, afterId?: string) {
  return selectReports(db, and(eq(snapshots.importId, importId), afterId ? gt(snapshots.id, afterId) : undefined))
    .orderBy(snapshots.id)
    .$dynamic()
}

/** A report with its id, by which older ones are found. */
export type NumberedSnapshot = ApiSnapshot & { id: string }

/** Returns up to `limit` reports on an import, the newest first: those before the one with this id. Null: the last ones. */
export async function listSnapshotsBackwards(
  { db }: { db: Database },
  importId: string,
  { limit, beforeId }: { limit: number; beforeId: string | null },
): Promise<NumberedSnapshot[]> {
  const rows = await selectReports(
    db,
    and(eq(snapshots.importId, importId), beforeId === null ? undefined : lt(snapshots.id, beforeId)),
  )
    .orderBy(desc(snapshots.id))
    .limit(limit)
  return rows.map((row) => ({ id: row.id, ...present(row) }))
}

/** Returns when a report on an import was first seen. Null: there is no such report. */
export async function firstSeenAt({ db }: { db: Database }, importId: string, id: string): Promise<Date | null> {
  const [row] = await db
    .select({ at: snapshots.firstSeenAt })
    .from(snapshots)
    .where(and(eq(snapshots.importId, importId), eq(snapshots.id, id)))
  return row?.at ?? null
}

function selectReports(db: Database, where: SQL | undefined) {
  return db
    .select({
      ...others,
      lastSeenAt: sql<Date>`coalesce(${polling.seenAt}, ${lastSeenAt})`.mapWith(lastSeenAt),
      polls: sql<number>`coalesce(nullif(${polling.seen}, 0), ${polls})`,
    })
    .from(snapshots)
    .innerJoin(imports, eq(imports.id, snapshots.importId))
    .leftJoin(polling, and(eq(polling.importId, imports.id), eq(snapshots.id, imports.snapshotId)))
    .where(where)
}

function present(row: typeof snapshots.$inferSelect): ApiSnapshot {
  const { state, providerStatus, progress, message, rows, body, firstSeenAt, lastSeenAt, polls } = row
  return {
    state: state as ImportState,
    providerStatus,
    progress,
    message,
    rows: rows as ApiSnapshot['rows'],
    body,
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    polls,
  }
}
