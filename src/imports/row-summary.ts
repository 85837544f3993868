// Owns what many rows of an import come to: skipped lines by column, row results by error code.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { ApiRowResult } from './rows.ts'

export interface RowSummary<Key> {
  /** The most frequent ones first. */
  groups: { key: Key; count: number }[]
  /** True: there are more rows than were counted. */
  isPart: boolean
}

/** How many rows are counted at most, so that a page comes at once. */
const countedAtMost = 200_000
const shownGroups = 50

/** Counts an import's skipped lines by their column. Null: the provider named none. */
export async function countSkippedColumns(
  { db }: { db: Database },
  importId: string,
): Promise<RowSummary<number | null>> {
  const { rows } = await db.execute<{ key: string | null; count: string }>(sql`
    /* row.count_columns */
    SELECT "column" AS key, count(*) FROM (
      SELECT "column" FROM skipped_lines WHERE import_id = ${importId} LIMIT ${countedAtMost}
    ) l GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${shownGroups}`)
  return summary(rows, (key) => (key === null ? null : Number(key)))
}

/** Counts an import's row results by their error code. Null: they have none. */
export async function countResultCodes({ db }: { db: Database }, importId: string): Promise<RowSummary<string | null>> {
  const { rows } = await db.execute<{ key: string | null; count: string }>(sql`
    /* row.count_codes */
    SELECT coalesce(error_code, CASE WHEN error_message IS NOT NULL THEN 'no code' END) AS key, count(*) FROM (
      SELECT error_code, error_message FROM row_results WHERE import_id = ${importId} LIMIT ${countedAtMost}
    ) r GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${shownGroups}`)
  return summary(rows, (key) => key)
}

/** Returns an import's first row results with an error, of those that are counted. */
export async function firstFailedRows(
  { db }: { db: Database },
  importId: string,
  limit: number,
): Promise<ApiRowResult[]> {
  const { rows } = await db.execute<{
    row: string
    line: number | null
    column: number | null
    recordId: string | null
    created: boolean | null
    existing: boolean | null
    code: string | null
    message: string | null
  }>(sql`
    /* row.first_failed */
    SELECT "row", line::float8 AS line, "column"::float8 AS "column", record_id AS "recordId", created, existing, error_code AS code, error_message AS message FROM (
      SELECT * FROM row_results WHERE import_id = ${importId} ORDER BY "row" LIMIT ${countedAtMost}
    ) r WHERE error_code IS NOT NULL OR error_message IS NOT NULL ORDER BY "row" LIMIT ${limit}`)
  return rows.map(({ row, code, message, ...others }) => ({ ...others, row: Number(row), error: { code, message } }))
}

function summary<Key>(
  rows: readonly { key: string | null; count: string }[],
  read: (key: string | null) => Key,
): RowSummary<Key> {
  const groups = rows.map(({ key, count }) => ({ key: read(key), count: Number(count) }))
  return { groups, isPart: groups.reduce((sum, { count }) => sum + count, 0) >= countedAtMost }
}
