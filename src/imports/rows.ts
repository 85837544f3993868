// Owns reading an import's skipped lines and row results: page by page, or all of them as a stream with bounded memory.
import { and, eq, gt, sql } from 'drizzle-orm'
import { z } from 'zod'
import { numberKey, numberPairKey, type Page, type PageQuery, pageOf, readCursor } from '../api/paging.ts'
import type { Database } from '../db/client.ts'
import { imports, rowResults, skippedLines } from '../db/schema/index.ts'
import { requireImport } from './read.ts'

export const skippedLineSchema = z
  .object({ line: z.number().int().nullable(), column: z.number().int().nullable(), page: z.number().int() })
  .meta({
    id: 'SkippedLine',
    description: 'A line that the provider skipped, and the page that it came with (from 0).',
  })

export const rowResultSchema = z
  .object({
    row: z.number().int().describe('From 0, in the provider’s order.'),
    line: z.number().int().nullable().describe('Where the row is in the source file, if the provider says it.'),
    column: z.number().int().nullable(),
    recordId: z.string().nullable(),
    created: z.boolean().nullable(),
    existing: z.boolean().nullable(),
    error: z.object({ code: z.string().nullable(), message: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'RowResult' })

export type ApiSkippedLine = z.infer<typeof skippedLineSchema>
export type ApiRowResult = z.infer<typeof rowResultSchema>

/** How many rows a stream reads at once. */
const batchSize = 2_000

/** @throws {AppError} not_found */
export async function listSkippedLines(
  { db }: { db: Database },
  importId: string,
  { limit, after }: PageQuery,
): Promise<Page<ApiSkippedLine>> {
  const cursor = readCursor(after, numberPairKey)
  await requireImport(db, importId)
  const { data, next } = pageOf(await readSkippedLines(db, importId, cursor, limit + 1), limit, keyOfLine)
  return { data: data.map(presentLine), next }
}

/** @throws {AppError} not_found */
export async function listRowResults(
  { db }: { db: Database },
  importId: string,
  { limit, after }: PageQuery,
): Promise<Page<ApiRowResult>> {
  const cursor = readCursor(after, numberKey)
  await requireImport(db, importId)
  const { data, next } = pageOf(await readRowResults(db, importId, cursor, limit + 1), limit, keyOfResult)
  return { data: data.map(presentResult), next }
}

/**
 * Yields all skipped lines of an import in batches, in the provider's order. Each batch is a query of its own, so a
 * slow reader holds no transaction and no connection.
 * @throws {Error} if the lines are deleted before all were read.
 */
export function streamSkippedLines({ db }: { db: Database }, importId: string): AsyncGenerator<ApiSkippedLine[]> {
  return inBatches({
    count: () => countOf(db, importId, imports.skippedLines),
    read: (cursor: LineKey | null) => readSkippedLines(db, importId, cursor, batchSize),
    keyOf: keyOfLine,
    present: presentLine,
  })
}

/** Yields all row results of an import, as `streamSkippedLines` does. */
export function streamRowResults({ db }: { db: Database }, importId: string): AsyncGenerator<ApiRowResult[]> {
  return inBatches({
    count: () => countOf(db, importId, imports.rowResults),
    read: (cursor: ResultKey | null) => readRowResults(db, importId, cursor, batchSize),
    keyOf: keyOfResult,
    present: presentResult,
  })
}

type LineRow = typeof skippedLines.$inferSelect
type ResultRow = typeof rowResults.$inferSelect
type LineKey = [page: number, position: number]
type ResultKey = [row: number]

interface Batches<Row, Key, Shown> {
  /** Returns how many rows there are at least. */
  count(): Promise<number>
  read(cursor: Key | null): Promise<Row[]>
  keyOf(row: Row): Key
  present(row: Row): Shown
}

async function* inBatches<Row, Key, Shown>(of: Batches<Row, Key, Shown>): AsyncGenerator<Shown[]> {
  const atLeast = await of.count()
  let cursor: Key | null = null
  let seen = 0
  for (;;) {
    const rows: Row[] = await of.read(cursor)
    seen += rows.length
    yield rows.map(of.present)
    const last = rows.at(-1)
    if (last === undefined || rows.length < batchSize) break
    cursor = of.keyOf(last)
  }
  // No rows at all means that the history of that month was dropped earlier.
  if (seen > 0 && seen < atLeast) throw new Error(`Rows were deleted while they were read: ${seen} of ${atLeast} came.`)
}

async function countOf(
  db: Database,
  importId: string,
  count: typeof imports.skippedLines | typeof imports.rowResults,
): Promise<number> {
  const [row] = await db.select({ count }).from(imports).where(eq(imports.id, importId))
  return row?.count ?? 0
}

function readSkippedLines(db: Database, importId: string, cursor: LineKey | null, limit: number): Promise<LineRow[]> {
  const { page, position } = skippedLines
  const beyond = cursor ? sql`(${page}, ${position}) > (${cursor[0]}::int, ${cursor[1]}::int)` : undefined
  return db
    .select()
    .from(skippedLines)
    .where(and(eq(skippedLines.importId, importId), beyond))
    .orderBy(page, position)
    .limit(limit)
}

function readRowResults(db: Database, importId: string, cursor: ResultKey | null, limit: number): Promise<ResultRow[]> {
  return db
    .select()
    .from(rowResults)
    .where(and(eq(rowResults.importId, importId), cursor ? gt(rowResults.row, cursor[0]) : undefined))
    .orderBy(rowResults.row)
    .limit(limit)
}

function keyOfLine({ page, position }: LineRow): LineKey {
  return [page, position]
}

function keyOfResult({ row }: ResultRow): ResultKey {
  return [row]
}

function presentLine({ line, column, page }: LineRow): ApiSkippedLine {
  return { line, column, page }
}

function presentResult(result: ResultRow): ApiRowResult {
  const { row, line, column, recordId, created, existing, errorCode, errorMessage } = result
  const error = errorCode === null && errorMessage === null ? null : { code: errorCode, message: errorMessage }
  return { row, line, column, recordId, created, existing, error }
}
