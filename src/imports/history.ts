// Owns reading what an import's provider reported over time.
import { and, eq, gt } from 'drizzle-orm'
import { z } from 'zod'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../api/paging.ts'
import type { Database } from '../db/client.ts'
import { snapshots } from '../db/schema/index.ts'
import { type ImportState, states } from '../model/import-state.ts'
import { rowsSchema } from './present.ts'
import { requireImport } from './read.ts'

export const snapshotSchema = z
  .object({
    state: z.enum(states),
    providerStatus: z.string().nullable(),
    progress: z.number().nullable(),
    message: z.string().nullable(),
    rows: rowsSchema,
    body: z.unknown().describe('The provider’s answer as it came, less its row lists.'),
    firstSeenAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    polls: z.number().int().describe('How many polls saw this report.'),
  })
  .meta({ id: 'Snapshot', description: 'A report, and how long it stayed the same.' })

export type ApiSnapshot = z.infer<typeof snapshotSchema>

/**
 * The reports on an import, the oldest first.
 * @throws {AppError} not_found
 */
export async function listSnapshots(
  { db }: { db: Database },
  importId: string,
  { limit, after }: PageQuery,
): Promise<Page<ApiSnapshot>> {
  const cursor = readCursor(after, idKey)
  await requireImport(db, importId)
  const rows = await db
    .select()
    .from(snapshots)
    .where(and(eq(snapshots.importId, importId), cursor ? gt(snapshots.id, cursor[0]) : undefined))
    .orderBy(snapshots.id)
    .limit(limit + 1)
  const { data, next } = pageOf(rows, limit, (row) => [row.id])
  return { data: data.map(present), next }
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
