// Owns storing a page of skipped lines and row results together with its checkpoint: in one statement, and so in one
// round trip, whatever the page holds.
import { and, eq, gte, type SQL, sql } from 'drizzle-orm'
import { storableJson } from '../base/storable-text.ts'
import { arrayLiteral, textArrayLiteral } from '../db/array-literal.ts'
import type { Database, Transaction } from '../db/client.ts'
import { detailPages, type imports, rowResults, type StoredPollError, skippedLines } from '../db/schema/index.ts'
import type { DetailPage } from '../providers/contract.ts'

export interface PageToStore {
  importId: string
  /** From 0, in the provider's order. */
  page: number
  /** The cursor that the page was requested with. Null: it came with the status. */
  cursor: string | null
  details: DetailPage
}

/**
 * Stores a page and counts its rows, in the caller's transaction. Returns false if a page with this cursor is stored
 * already; then nothing changes.
 */
export function storePage(tx: Transaction, page: PageToStore, at: Date): Promise<boolean> {
  return insertPage(tx, page, at, null)
}

/** The columns after a stored page: the list goes on, and earlier failures no longer count. */
export const goingOn = {
  detailsState: 'collecting',
  detailsError: null,
  refusedSince: null,
  collectFailures: 0,
  collectNotFounds: 0,
  collectFaults: 0,
  collectReplacesFrom: null,
} satisfies Partial<typeof imports.$inferInsert>

/**
 * Stores a page that another one follows, in a transaction of its own. Returns false, and changes nothing, if the lease
 * is over, or this page or the next one is stored already.
 *
 * The transaction doesn't wait for the disk. If Postgres itself crashes, whole pages of about its last half second are
 * missing and are requested again. The last page, which isn't stored here, waits for itself and for all pages before
 * it.
 */
export function storePageUnderLease(db: Database, page: PageToStore, at: Date, leaseId: string): Promise<boolean> {
  return insertPage(db, page, at, leaseId)
}

/** Returns the error of a list that is incomplete although the provider names no further page. */
export function rowsMissing({ stored, announced }: { stored: number; announced: number }, at: Date): StoredPollError {
  const message = `The provider announced ${announced} rows and gave ${stored}.`
  return { code: 'rows_missing', message, at: at.toISOString() }
}

/** Returns true if the page of this cursor is stored. A cursor that comes back ends the paging. */
export async function isPageStored(tx: Transaction, importId: string, cursor: string): Promise<boolean> {
  const pages = await tx
    .select({ page: detailPages.page })
    .from(detailPages)
    .where(and(eq(detailPages.importId, importId), sql`md5(${detailPages.cursor}) = md5(${cursor})`))
    .limit(1)
  return pages.length > 0
}

/** Deletes the pages from this one on with their rows, so that new ones can replace them. */
export async function dropPagesFrom(tx: Transaction, importId: string, page: number): Promise<void> {
  await tx.delete(skippedLines).where(and(eq(skippedLines.importId, importId), gte(skippedLines.page, page)))
  await tx.delete(rowResults).where(and(eq(rowResults.importId, importId), gte(rowResults.page, page)))
  await tx.delete(detailPages).where(and(eq(detailPages.importId, importId), gte(detailPages.page, page)))
  await tx.execute(sql`
    /* page.recount */
    UPDATE imports SET (skipped_lines, row_results) = (
      SELECT coalesce(sum(skipped_lines), 0), coalesce(sum(row_results), 0) FROM detail_pages WHERE import_id = ${importId}
    ) WHERE id = ${importId}`)
}

async function insertPage(
  db: Database | Transaction,
  { importId, page, cursor, details }: PageToStore,
  at: Date,
  leaseId: string | null,
): Promise<boolean> {
  const { next, announced = null } = details
  const [lines, results] = [details.skippedLines.length, details.rowResults.length]
  const stored = await db.execute(sql`
    /* page.store */
    WITH stored_page AS (
      INSERT INTO detail_pages (import_id, page, cursor, next_cursor, skipped_lines, row_results, stored_at)
      SELECT imports.id, ${page}, ${cursor}, ${next}, ${lines}, ${results}, ${at}
      FROM ${leaseId === null ? sql`imports WHERE id = ${importId}` : mayFollow(leaseId, importId, next, at)} FOR NO KEY UPDATE OF imports
      ON CONFLICT DO NOTHING
      RETURNING import_id, page
    ), counted AS (
      UPDATE imports
      SET skipped_lines = imports.skipped_lines + ${lines}, row_results = imports.row_results + ${results}${announcing(announced)}${leaseId === null ? sql`` : onward}
      FROM stored_page WHERE id = import_id
      RETURNING import_id, page, imports.row_results - ${results} AS results_before
    )${lines > 0 ? insertSkippedLines(details.skippedLines) : sql``}${results > 0 ? insertRowResults(details.rowResults) : sql``}
    SELECT ${leaseId === null ? sql`` : sql`set_config('synchronous_commit', 'off', true)`} FROM stored_page`)
  return stored.rowCount === 1
}

/**
 * The lease must still be valid, and no worker can take it over meanwhile. The next page must not be stored already.
 */
function mayFollow(leaseId: string, importId: string, next: string | null, at: Date): SQL {
  return sql`imports, (SELECT FROM leases WHERE id = ${leaseId} AND until > ${at} FOR KEY SHARE) held
    WHERE imports.id = ${importId} AND imports.next_collect_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM detail_pages WHERE import_id = ${importId} AND md5(cursor) = md5(${next}))`
}

/** `goingOn` in SQL. */
const onward = sql`, details_state = 'collecting', details_error = NULL, refused_since = NULL, collect_failures = 0, collect_not_founds = 0,
        collect_faults = 0, collect_replaces_from = NULL`

/** An announced number stays if later pages don't repeat it. */
function announcing(announced: number | null): SQL {
  return announced === null ? sql`` : sql`, rows_announced = greatest(imports.rows_announced, ${announced}::bigint)`
}

/**
 * In a list of columns, functions that return sets advance together. Unlike in FROM, Postgres keeps no copy of their
 * results.
 */
function insertSkippedLines(lines: DetailPage['skippedLines']): SQL {
  return sql`, stored_lines AS (
      INSERT INTO skipped_lines (import_id, page, position, line, "column")
      SELECT import_id, page, generate_series(0, ${lines.length - 1}::int),
        unnest(${arrayLiteral(lines.map(({ line }) => line))}::bigint[]),
        unnest(${arrayLiteral(lines.map(({ column }) => column))}::bigint[])
      FROM counted
    )`
}

function insertRowResults(results: DetailPage['rowResults']): SQL {
  const hasItems = results.some(({ item }) => item !== undefined)
  // JSON is one line, so items need no further quoting, which would be most of the work. An empty line means no item.
  const items = hasItems
    ? sql`string_to_table(${results.map(itemLine).join('\n')}::text, ${'\n'}, '')::jsonb`
    : sql`NULL::jsonb`
  return sql`, stored_results AS (
      INSERT INTO row_results (import_id, page, row, record_id, created, existing, error_code, error_message, item, line, "column")
      SELECT import_id, page, generate_series(results_before, results_before + ${results.length - 1}::int),
        unnest(${textArrayLiteral(results.map(({ recordId }) => recordId))}::text[]),
        unnest(${arrayLiteral(results.map(({ created }) => created))}::boolean[]),
        unnest(${arrayLiteral(results.map(({ existing }) => existing))}::boolean[]),
        unnest(${textArrayLiteral(results.map(({ error }) => error?.code ?? null))}::text[]),
        unnest(${textArrayLiteral(results.map(messageOf))}::text[]),
        ${items}, ${positions(results, 'line')}, ${positions(results, 'column')}
      FROM counted
    )`
}

/** A stored row has failed if it has a code or a message. */
const noReason = 'The provider gives no reason.'

function messageOf({ error }: DetailPage['rowResults'][number]): string | null {
  if (error === null) return null
  return error.message ?? (error.code === null ? noReason : null)
}

/** Most providers tell no positions of rows. Then nothing is sent for them. */
function positions(results: DetailPage['rowResults'], name: 'line' | 'column'): SQL {
  if (results.every((result) => result[name] == null)) return sql`NULL::bigint`
  return sql`unnest(${arrayLiteral(results.map((result) => result[name] ?? null))}::bigint[])`
}

function itemLine({ item }: DetailPage['rowResults'][number]): string {
  if (item === undefined) return ''
  const line = JSON.stringify(item)
  return line.includes('\\u') ? JSON.stringify(storableJson(item)) : line // unstorable characters would be escaped
}
