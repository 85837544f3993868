// Owns how far a collection has come: what is stored of it, and what storing one more page changes.
// After every page the database alone says where to go on, so a crash costs at most the page under way.
import { and, desc, eq, sql } from 'drizzle-orm'
import { after } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { detailPages, imports } from '../db/schema/index.ts'
import { isPageStored, storePage } from '../imports/details.ts'
import { collectLeaseMs } from '../imports/leases.ts'
import { type ConnectionOfImport, type ImportRow, writeImportEvents } from '../imports/transition.ts'
import { type DetailPage, firstPage } from '../providers/contract.ts'

export interface Checkpoint {
  row: ImportRow
  /** The lease that the walk is under, which is no other walk's: whoever took over has another one. */
  lease: Date
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
  const place = { page: last ? last.page + 1 : 0, cursor: last?.nextCursor ?? firstPage }
  return { row, lease: row.collectLeaseUntil, ...place }
}

export type StoredPage =
  | { kind: 'stored'; next: Checkpoint }
  /** It was the last one: its cursor is absent, or was used already. */
  | { kind: 'complete' }
  /** The lease ran out while it was fetched. Nothing is stored; another walk does that. */
  | { kind: 'superseded' }

/** Stores a page and renews the lease, or completes the collection. */
export function storeCollectedPage(
  db: Database,
  { row, page, cursor, lease }: Checkpoint,
  connection: ConnectionOfImport,
  details: DetailPage,
  now: Date,
): Promise<StoredPage> {
  return db.transaction(async (tx): Promise<StoredPage> => {
    const held = await tx.select({ id: imports.id }).from(imports).where(leased(row.id, lease)).for('no key update')
    if (held.length === 0) return { kind: 'superseded' }
    await storePage(tx, { importId: row.id, page, cursor, details }, now)
    const { next } = details
    if (next === null || next === firstPage || (await isPageStored(tx, row.id, next))) {
      await complete(tx, row, connection, now)
      return { kind: 'complete' }
    }
    const renewed = after(now, collectLeaseMs)
    await tx
      .update(imports)
      .set({ detailsState: 'collecting', collectFailures: 0, collectNotFounds: 0, collectLeaseUntil: renewed })
      .where(eq(imports.id, row.id))
    return { kind: 'stored', next: { row, lease: renewed, page: page + 1, cursor: next } }
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
export async function giveUp(db: Database, { row, lease }: Checkpoint): Promise<void> {
  await db.update(imports).set(ended('incomplete')).where(leased(row.id, lease))
}

/** How often in a row a page could not be had, and how often of these the provider said 404. */
export interface Failures {
  collectFailures: number
  collectNotFounds: number
}

/** Goes on at `at`. */
export async function postpone(db: Database, { row, lease }: Checkpoint, at: Date, failures: Failures): Promise<void> {
  await db
    .update(imports)
    .set({ nextCollectAt: at, collectLeaseUntil: null, ...failures })
    .where(leased(row.id, lease))
}

/** The import, as long as its collection is under this lease. */
function leased(importId: string, lease: Date) {
  return and(eq(imports.id, importId), eq(imports.collectLeaseUntil, lease))
}

function ended(detailsState: 'complete' | 'incomplete') {
  return { detailsState, nextCollectAt: null, collectLeaseUntil: null, collectFailures: 0, collectNotFounds: 0 }
}
