// Owns how far a collection has come: what is stored of it, and what storing one more page changes.
// After every page the database alone says where to go on, so a crash costs at most the page under way.
import { and, desc, eq, sql } from 'drizzle-orm'
import { after } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { detailPages, imports } from '../db/schema/index.ts'
import { isPageStored, storePage, storePageUnderLease } from '../imports/details.ts'
import { collectLeaseMs, leaseToCallMs } from '../imports/leases.ts'
import { type ConnectionOfImport, type ImportRow, writeImportEvents } from '../imports/transition.ts'
import { type DetailPage, firstPage } from '../providers/contract.ts'
import type { ProviderErrorKind } from '../providers/error.ts'
import { markDays } from '../reporting/daily-outcomes.ts'
import { countFailedCall } from '../reporting/failed-calls.ts'

export interface Checkpoint {
  row: ImportRow
  /** The lease that the walk is under, which is no other walk's: whoever took over has another one. */
  lease: Date
  /** The page to ask for, from 0, and its cursor. */
  page: number
  cursor: string
}

/** Where to go on; null: nothing is to be collected, or not under this lease. */
export async function loadCheckpoint(
  db: Database,
  importId: string,
  lease: Date,
  now: Date,
): Promise<Checkpoint | null> {
  const [row] = await db.select().from(imports).where(eq(imports.id, importId))
  if (!row?.nextCollectAt || row.collectLeaseUntil?.getTime() !== lease.getTime() || lease <= now) return null
  const [last] = await db
    .select()
    .from(detailPages)
    .where(eq(detailPages.importId, importId))
    .orderBy(desc(detailPages.page))
    .limit(1)
  const place = { page: last ? last.page + 1 : 0, cursor: last?.nextCursor ?? firstPage }
  return { row, lease, ...place }
}

export type StoredPage =
  | { kind: 'stored'; next: Checkpoint }
  /** It was the last one: its cursor is absent, or was used already. */
  | { kind: 'complete' }
  /** The lease ran out while it was fetched. Nothing is stored; another walk does that. */
  | { kind: 'superseded' }

/** Stores a page and renews the lease, or completes the collection. */
export async function storeCollectedPage(
  db: Database,
  at: Checkpoint,
  connection: ConnectionOfImport,
  details: DetailPage,
  now: Date,
): Promise<StoredPage> {
  const next = nextCursor(at, details)
  const renewed = renewedLease(at, now)
  const stored: StoredPage = { kind: 'stored', next: { ...at, lease: renewed, page: at.page + 1, cursor: next ?? '' } }
  const lease = { held: at.lease, renewed }
  const page = { importId: at.row.id, page: at.page, cursor: at.cursor, details }
  // All pages but the last are one statement. What keeps it from storing one is worth a closer look.
  if (next !== null && (await storePageUnderLease(db, page, now, lease))) return stored
  return db.transaction(async (tx): Promise<StoredPage> => {
    const held = await tx.select({ id: imports.id }).from(imports).where(leased(at)).for('no key update')
    if (held.length === 0) return { kind: 'superseded' }
    await storePage(tx, page, now)
    if (next === null || (await isPageStored(tx, at.row.id, next))) {
      await complete(tx, at.row, connection, now)
      return { kind: 'complete' }
    }
    await tx
      .update(imports)
      .set({ detailsState: 'collecting', collectFailures: 0, collectNotFounds: 0, collectLeaseUntil: renewed })
      .where(eq(imports.id, at.row.id))
    return stored
  })
}

/** One that outlasts the next call stays as it is: that is an index entry less for every page. */
function renewedLease({ lease }: Checkpoint, now: Date): Date {
  return lease > after(now, leaseToCallMs) ? lease : after(now, collectLeaseMs)
}

/** The cursor of the page that follows; null: none does. That it was used for an earlier page, only the database knows. */
export function nextCursor({ cursor }: Checkpoint, { next }: DetailPage): string | null {
  return next === firstPage || next === cursor ? null : next
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

/**
 * Gives up: what is stored stays, and `details.state` says that it isn't all. No event tells, but its day counts it.
 * @param failure why the last page could not be had; null: that isn't why.
 */
export async function giveUp(db: Database, at: Checkpoint, failure: PageFailure | null = null): Promise<void> {
  await db.transaction(async (tx) => {
    const [row] = await tx.update(imports).set(ended('incomplete')).where(leased(at)).returning()
    if (!row) return
    await countFailedPage(tx, at, failure)
    await markDays(tx, [row.connectionId], [row.finishedAt])
  })
}

/** How often in a row a page could not be had, and how often of these the provider said 404. */
export interface Failures {
  collectFailures: number
  collectNotFounds: number
}

/** Why a page could not be had, and when we heard. */
export interface PageFailure {
  code: ProviderErrorKind
  at: Date
}

/** Goes on at `until`. */
export async function postpone(
  db: Database,
  at: Checkpoint,
  until: Date,
  failures: Failures,
  failure: PageFailure | null = null,
): Promise<void> {
  await db.transaction(async (tx) => {
    const postponed = await tx
      .update(imports)
      .set({ nextCollectAt: until, collectLeaseUntil: null, ...failures })
      .where(leased(at))
      .returning({ id: imports.id })
    if (postponed.length > 0) await countFailedPage(tx, at, failure)
  })
}

async function countFailedPage(tx: Transaction, { row }: Checkpoint, failure: PageFailure | null): Promise<void> {
  if (failure) await countFailedCall(tx, row.connectionId, { call: 'details', code: failure.code }, failure.at)
}

/** The import, as long as its collection is under the lease of the walk. */
function leased({ row, lease }: Checkpoint) {
  return and(eq(imports.id, row.id), eq(imports.collectLeaseUntil, lease))
}

function ended(detailsState: 'complete' | 'incomplete') {
  return { detailsState, nextCollectAt: null, collectLeaseUntil: null, collectFailures: 0, collectNotFounds: 0 }
}
