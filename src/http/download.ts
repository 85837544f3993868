// Owns answering rows as a download of any length, CSV (RFC 4180) or NDJSON, at the pace of the reader.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify/sync'
import type { Streamed } from './operation.ts'

export const csv = 'text/csv'
export const ndjson = 'application/x-ndjson'

export interface Download<Row> {
  /** Without its suffix. */
  name: string
  mediaType: typeof csv | typeof ndjson
  batches: AsyncIterable<readonly Row[]>
  /** The header of the CSV. */
  columns: readonly string[]
  /** The cells of a row, as `columns` has them. */
  cells(row: Row): (string | number | boolean | null)[]
  signal: AbortSignal
}

export function download<Row>(rows: Download<Row>): Streamed {
  const { name, mediaType, signal } = rows
  return {
    async stream(response) {
      const isCsv = mediaType === csv
      response.setHeader('content-type', `${mediaType}; charset=utf-8`)
      response.setHeader('content-disposition', `attachment; filename="${name}.${isCsv ? 'csv' : 'ndjson'}"`)
      try {
        await pipeline(Readable.from(isCsv ? csvOf(rows) : ndjsonOf(rows)), response, { signal })
      } catch (error) {
        if (!signal.aborted) throw error // else the client has gone, which is its right
        response.destroy()
      }
    },
  }
}

async function* csvOf<Row>({ batches, columns, cells }: Download<Row>): AsyncGenerator<string> {
  yield csvText([[...columns]])
  for await (const batch of batches) yield csvText(batch.map(cells))
}

async function* ndjsonOf<Row>({ batches }: Download<Row>): AsyncGenerator<string> {
  for await (const batch of batches) yield batch.map((row) => `${JSON.stringify(row)}\n`).join('')
}

/** Cells that a spreadsheet would run as a formula get an apostrophe in front (OWASP: CSV injection). */
function csvText(rows: (string | number | boolean | null)[][]): string {
  return stringify(rows, {
    record_delimiter: '\r\n',
    escape_formulas: true,
    quoted_match: /[\r\n]/,
    cast: { boolean: String },
  })
}
