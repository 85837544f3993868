// Owns how far a collection has come: its stored pages, and storing the next one. After each page the database alone
// knows where to continue, so a crash costs at most the page under way.
import { and, desc, eq, isNotNull, sql } from 'drizzle-orm'
import { briefTransaction } from '../db/brief-transaction.ts'
import type { Database, Transaction } from '../db/client.ts'
import { detailPages, imports, type StoredPollError } from '../db/schema/index.ts'
import { dropPagesFrom, goingOn, isPageStored, storePage, storePageUnderLease } from '../imports/pages.ts'
import { pollForOutcome } from '../imports/rows-read.ts'
import { writeImportEvents } from '../imports/transition.ts'
import { type DetailPage, firstPage } from '../providers/contract.ts'
import type { ProviderErrorKind } from '../providers/error.ts'
import { lockLeases } from '../work/leases.ts'
import { countFailedPage, ended, type GivenUp, giveUp } from './give-up.ts'
import type { Trouble } from './judge.ts'

export interface Checkpoint {
  row: typeof imports.$inferSelect
  /** The lease that the walk is under: a worker that takes over holds a different one. */
  leaseId: string
  /** The next page to request, from 0, and its cursor. */
  page: number
  cursor: string
  /** True: the page replaces the stored ones from its number on, instead of following the last one. */
  replaces: boolean
}

/** Returns where to continue. Returns null if nothing is left to collect. */
export async function loadCheckpoint(db: Database, importId: string, leaseId: string): Promise<Checkpoint | null> {
  const [row] = await db.select().from(imports).where(eq(imports.id, importId))
  return row?.nextCollectAt ? { row, leaseId, ...(await placeOf(db, row)) } : null
}

async function placeOf(
  db: Database,
  { id, collectReplacesFrom: from }: Checkpoint['row'],
): Promise<Pick<Checkpoint, 'page' | 'cursor' | 'replaces'>> {
  // The first page may have come with the status, and so without a cursor.
  if (from === 0) return { page: 0, cursor: firstPage, replaces: true }
  const [last] = await db
    .select()
    .from(detailPages)
    .where(and(eq(detailPages.importId, id), from === null ? undefined : eq(detailPages.page, from)))
    .orderBy(desc(detailPages.page))
    .limit(1)
  if (from !== null) return { page: from, cursor: last?.cursor ?? firstPage, replaces: true }
  return { page: last ? last.page + 1 : 0, cursor: last?.nextCursor ?? firstPage, replaces: false }
}

export type StoredPage =
  | { kind: 'stored'; next: Checkpoint }
  /** It was the last page: its cursor is absent, or was used before. */
  | { kind: 'complete' }
  /**
   * It was the last page, but fewer rows are stored than the provider announced. If it is requested again, it is
   * replaced.
   */
  | { kind: 'short'; at: Checkpoint; stored: number; announced: number }
  /** The lease ended during the request. Nothing is stored: another walk does that. */
  | { kind: 'superseded' }

/** Stores a page, which may complete the collection. */
export async function storeCollectedPage(
  db: Database,
  at: Checkpoint,
  details: DetailPage,
  now: Date,
): Promise<StoredPage> {
  const next = nextCursor(at, details)
  const goesOnAt = (cursor: string) => ({ ...at, page: at.page + 1, cursor, replaces: false })
  const page = { importId: at.row.id, page: at.page, cursor: at.cursor, details }
  // All pages but the last take one statement. If it stores nothing, the transaction below finds out why.
  if (next !== null && !at.replaces && (await storePageUnderLease(db, page, now, at.leaseId)))
    return { kind: 'stored', next: goesOnAt(next) }
  return briefTransaction(db, async (tx): Promise<StoredPage> => {
    if (!(await holds(tx, at, now))) return { kind: 'superseded' }
    if (at.replaces) await dropPagesFrom(tx, at.row.id, at.page)
    const isUsed = next === null || (await isPageStored(tx, at.row.id, next))
    const follows = isUsed ? (details.behind ?? null) : next
    await storePage(tx, { ...page, details: { ...details, next: follows } }, now)
    if (follows === null) return endList(tx, at, now)
    await tx.update(imports).set(goingOn).where(eq(imports.id, at.row.id))
    return { kind: 'stored', next: goesOnAt(follows) }
  })
}

/**
 * Returns the cursor of the next page. Returns null if there is none. Only the database knows whether an earlier page
 * used it.
 */
export function nextCursor({ cursor }: Checkpoint, { next }: DetailPage): string | null {
  return next === firstPage || next === cursor ? null : next
}

async function endList(tx: Transaction, at: Checkpoint, now: Date): Promise<StoredPage> {
  const [row] = await tx.select().from(imports).where(eq(imports.id, at.row.id))
  if (!row) return { kind: 'superseded' }
  const stored = row.skippedLines + row.rowResults
  if (row.rowsAnnounced === null || stored >= row.rowsAnnounced) {
    await complete(tx, at.row, now)
    return { kind: 'complete' }
  }
  await tx
    .update(imports)
    .set({ detailsState: 'collecting', collectReplacesFrom: at.page })
    .where(eq(imports.id, row.id))
  return { kind: 'short', at: { ...at, replaces: true }, stored, announced: row.rowsAnnounced }
}

async function complete(tx: Transaction, { id }: { id: string }, now: Date): Promise<void> {
  const [row] = await tx
    .update(imports)
    .set({
      ...ended('complete'),
      detailsError: null,
      // Only the end of the list tells how many lines were skipped.
      rowsSkipped: sql`CASE WHEN ${imports.skippedLines} > 0 THEN ${imports.skippedLines} ELSE ${imports.rowsSkipped} END`,
    })
    .where(and(eq(imports.id, id), sql`${imports.detailsState} <> 'complete'`))
    .returning()
  // The end of the import is told first, with its rows.
  if (row && !(await pollForOutcome(tx, row, now)))
    await writeImportEvents(tx, [{ importId: id, types: ['import.rows_collected'], at: now }])
}

/** Puts off the list until `until`. */
export async function postpone(db: Database, at: Checkpoint, until: Date, now: Date): Promise<void> {
  await briefTransaction(db, async (tx) => {
    if (await holds(tx, at, now)) await tx.update(imports).set({ nextCollectAt: until }).where(isCollected(at))
  })
}

/** Why a list doesn't continue now. */
export interface Postponed {
  trouble: Trouble
  error: StoredPollError
  /** The call that failed. Null: it returned a page, but not all announced rows. */
  failed: ProviderErrorKind | null
  /** True: the list begins again from its first page. */
  anew: boolean
}

/** Puts off the list until `until`, and stores the reason. */
export async function postponeFailed(
  db: Database,
  at: Checkpoint,
  until: Date,
  { trouble, error, failed, anew }: Postponed,
  now: Date,
): Promise<void> {
  await briefTransaction(db, async (tx) => {
    if (!(await holds(tx, at, now))) return
    const postponed = await tx
      .update(imports)
      .set({
        nextCollectAt: until,
        ...trouble,
        detailsError: error,
        ...(anew && { collectReplacesFrom: 0 }),
      })
      .where(isCollected(at))
      .returning({ id: imports.id })
    if (postponed.length > 0) await countFailedPage(tx, at.row.connectionId, { failed, error })
  })
}

/** Locks the import for its walk. Returns false if the lease is over, or nothing is left to collect. */
export async function holds(tx: Transaction, at: Checkpoint, now: Date): Promise<boolean> {
  if (!(await lockLeases(tx, [at.leaseId], now)).has(at.leaseId)) return false
  const held = await tx.select({ id: imports.id }).from(imports).where(isCollected(at)).for('no key update')
  return held.length > 0
}

/** Gives the list up, if the walk still holds its lease. */
export async function giveUpWalk(db: Database, at: Checkpoint, given: GivenUp): Promise<void> {
  await briefTransaction(db, async (tx) => {
    if (await holds(tx, at, given.now)) await giveUp(tx, at.row.id, given)
  })
}

function isCollected({ row }: Checkpoint) {
  return and(eq(imports.id, row.id), isNotNull(imports.nextCollectAt))
}
