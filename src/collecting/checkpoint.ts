// Owns how far a collection has come: what is stored of it, and what storing one more page changes.
// After every page the database alone says where to go on, so a crash costs at most the page under way.
import { and, desc, eq, sql } from 'drizzle-orm'
import { after } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { detailPages, imports } from '../db/schema/index.ts'
import { collectLeaseMs } from '../dispatch/collections.ts'
import { isPageStored, storePage } from '../imports/details.ts'
import { type ConnectionOfImport, type ImportRow, writeImportEvents } from '../imports/transition.ts'
import { type DetailPage, firstPage } from '../providers/contract.ts'

export interface Checkpoint {
  row: ImportRow
  /** The page to ask for, from 0, and its cursor. */
  page: number
  cursor: string
}

/** Where to go on; null: nothing is to be collected, or not under a lease of ours. */
export async function loadCheckpoint(db: Database, importId: string, now: Date): Promise<Checkpoint | null> {
  const [row] = await db.select().from(imports).where(eq(imports.id, importId))
  if (!row?.nextCollectAt || !row.collectLeaseUntil || row.collectLeaseUntil <= now) return null
  const [last] = await db
    .select()
    .from(detailPages)
    .where(eq(detailPages.importId, importId))
    .orderBy(desc(detailPages.page))
    .limit(1)
  return { row, page: last ? last.page + 1 : 0, cursor: last?.nextCursor ?? firstPage }
}

/**
 * Stores a page and renews the lease, or completes the collection where it was the last: its cursor is absent, or was
 * used already. Null: complete.
 */
export function storeCollectedPage(
  db: Database,
  { row, page, cursor }: Checkpoint,
  connection: ConnectionOfImport,
  details: DetailPage,
  now: Date,
): Promise<Checkpoint | null> {
  return db.transaction(async (tx) => {
    await storePage(tx, { importId: row.id, page, cursor, details }, now)
    const { next } = details
    if (next === null || next === firstPage || (await isPageStored(tx, row.id, next))) {
      await complete(tx, row, connection, now)
      return null
    }
    await tx
      .update(imports)
      .set({ detailsState: 'collecting', collectFailures: 0, collectLeaseUntil: after(now, collectLeaseMs) })
      .where(eq(imports.id, row.id))
    return { row, page: page + 1, cursor: next }
  })
}

async function complete(tx: Transaction, { id }: ImportRow, connection: ConnectionOfImport, now: Date): Promise<void> {
  const [row] = await tx
    .update(imports)
    .set({
      ...ended('complete'),
      // Only the end of the list says how many lines were skipped.
      rowsSkipped: sql`CASE WHEN ${imports.skippedLines} > 0 THEN ${imports.skippedLines} ELSE ${imports.rowsSkipped} END`,
    })
    .where(and(eq(imports.id, id), sql`${imports.detailsState} <> 'complete'`))
    .returning()
  if (row) await writeImportEvents(tx, row, connection, ['import.rows_collected'], now)
}

/** Gives up: what is stored stays, and `details.state` says that it isn't all. */
export async function giveUp(db: Database, importId: string): Promise<void> {
  await db.update(imports).set(ended('incomplete')).where(eq(imports.id, importId))
}

/** Goes on at `at`; `failures` in a row so far. */
export async function postpone(db: Database, importId: string, at: Date, failures: number): Promise<void> {
  await db
    .update(imports)
    .set({ nextCollectAt: at, collectLeaseUntil: null, collectFailures: failures })
    .where(eq(imports.id, importId))
}

function ended(detailsState: 'complete' | 'incomplete') {
  return { detailsState, nextCollectAt: null, collectLeaseUntil: null, collectFailures: 0 }
}
