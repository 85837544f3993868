// Owns the two lists of an import's rows: how they are read, and the columns of their CSV.
import type { z } from 'zod'
import type { Page, PageQuery } from '../api/paging.ts'
import type { Database } from '../db/client.ts'
import {
  listRowResults,
  listSkippedLines,
  rowResultSchema,
  skippedLineSchema,
  streamRowResults,
  streamSkippedLines,
} from '../imports/rows.ts'
import type { Download } from './download.ts'

interface Deps {
  db: Database
}

export interface RowList<Schema extends z.ZodType> extends Pick<Download<z.output<Schema>>, 'columns' | 'cells'> {
  id: string
  name: 'skipped-lines' | 'row-results'
  summary: string
  schema: Schema
  list(deps: Deps, importId: string, query: PageQuery): Promise<Page<z.output<Schema>>>
  batches(deps: Deps, importId: string): AsyncIterable<z.output<Schema>[]>
}

export const skippedLineList: RowList<typeof skippedLineSchema> = {
  id: 'listSkippedLines',
  name: 'skipped-lines',
  summary: 'List the lines that the provider skipped',
  schema: skippedLineSchema,
  list: listSkippedLines,
  batches: streamSkippedLines,
  columns: ['line', 'column', 'page'],
  cells: ({ line, column, page }) => [line, column, page],
}

export const rowResultList: RowList<typeof rowResultSchema> = {
  id: 'listRowResults',
  name: 'row-results',
  summary: 'List the results of the rows',
  schema: rowResultSchema,
  list: listRowResults,
  batches: streamRowResults,
  columns: ['row', 'recordId', 'created', 'existing', 'errorCode', 'errorMessage', 'line', 'column'],
  cells: ({ row, recordId, created, existing, error, line, column }) => [
    row,
    recordId,
    created,
    existing,
    error?.code ?? null,
    error?.message ?? null,
    line,
    column,
  ],
}
