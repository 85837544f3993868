// Owns storing a page of skipped lines and row results, with the page as its own checkpoint.
import { and, eq, sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { detailPages, imports } from '../db/schema/index.ts'
import type { DetailPage } from '../providers/contract.ts'
import { storableJson } from '../storable.ts'

export interface PageToStore {
  importId: string
  /** From 0, in the provider's order. */
  page: number
  /** The cursor that it was asked with; null: it came with the status. */
  cursor: string | null
  details: DetailPage
}

/**
 * Stores a page and counts its rows. False: this cursor's page is stored already, and nothing was done.
 * In the caller's transaction, so that the page and what follows from it are one.
 */
export async function storePage(
  tx: Transaction,
  { importId, page, cursor, details }: PageToStore,
  at: Date,
): Promise<boolean> {
  const { skippedLines, rowResults, next } = details
  const checkpoint = await tx
    .insert(detailPages)
    .values({
      importId,
      page,
      cursor,
      nextCursor: next,
      skippedLines: skippedLines.length,
      rowResults: rowResults.length,
      storedAt: at,
    })
    .onConflictDoNothing()
    .returning({ page: detailPages.page })
  if (checkpoint.length === 0) return false

  if (skippedLines.length > 0) await insertSkippedLines(tx, importId, page, skippedLines)
  if (rowResults.length > 0) await insertRowResults(tx, importId, page, rowResults)
  await tx
    .update(imports)
    .set({
      skippedLines: sql`${imports.skippedLines} + ${skippedLines.length}`,
      rowResults: sql`${imports.rowResults} + ${rowResults.length}`,
    })
    .where(eq(imports.id, importId))
  return true
}

/** Whether the page of this cursor is stored: a cursor that comes back ends the paging. */
export async function isPageStored(tx: Transaction, importId: string, cursor: string): Promise<boolean> {
  const pages = await tx
    .select({ page: detailPages.page })
    .from(detailPages)
    .where(and(eq(detailPages.importId, importId), sql`md5(${detailPages.cursor}) = md5(${cursor})`))
    .limit(1)
  return pages.length > 0
}

async function insertSkippedLines(tx: Transaction, importId: string, page: number, lines: DetailPage['skippedLines']) {
  await tx.execute(sql`
    INSERT INTO skipped_lines (import_id, page, position, line, "column")
    SELECT ${importId}, ${page}, t.number - 1, t.line, t.col
    FROM unnest(${sql.param(lines.map(({ line }) => line))}::bigint[], ${sql.param(lines.map(({ column }) => column))}::bigint[])
      WITH ORDINALITY AS t (line, col, number)`)
}

async function insertRowResults(tx: Transaction, importId: string, page: number, results: DetailPage['rowResults']) {
  const items = results.map(({ item }) => (item === undefined ? null : JSON.stringify(storableJson(item))))
  await tx.execute(sql`
    INSERT INTO row_results (import_id, page, row, record_id, created, existing, error_code, error_message, item)
    SELECT ${importId}, ${page}, i.row_results + t.number - 1, t.record_id, t.created, t.existing, t.code, t.message, t.item::jsonb
    FROM imports i, unnest(
      ${sql.param(results.map(({ recordId }) => recordId))}::text[],
      ${sql.param(results.map(({ created }) => created))}::boolean[],
      ${sql.param(results.map(({ existing }) => existing))}::boolean[],
      ${sql.param(results.map(({ error }) => error?.code ?? null))}::text[],
      ${sql.param(results.map(({ error }) => error?.message ?? null))}::text[],
      ${sql.param(items)}::text[]
    ) WITH ORDINALITY AS t (record_id, created, existing, code, message, item, number)
    WHERE i.id = ${importId}`)
}
