// Owns answering rows as a download of any length, as CSV (RFC 4180) or NDJSON, at the reader's pace.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify/sync'
import type { Streamed } from './operation.ts'

export const csv = 'text/csv'
export const ndjson = 'application/x-ndjson'

/** How long a reader may stall. It occupies one of few places. */
const readerIdleMs = 60_000

export interface Download<Row> {
  /** The file's name without its suffix. */
  name: string
  mediaType: typeof csv | typeof ndjson
  batches: AsyncIterable<readonly Row[]>
  /** The header of the CSV. */
  columns: readonly string[]
  /** True: the CSV begins with a byte order mark. */
  bom: boolean
  /** Returns the cells of a row, in the order of `columns`. */
  cells(row: Row): (string | number | boolean | null)[]
  signal: AbortSignal
  /** How long a reader may stall before its connection is cut, in milliseconds; for tests. */
  readerIdleMs?: number
}

export function download<Row>(rows: Download<Row>): Streamed {
  const { name, mediaType, signal } = rows
  return {
    async stream(response) {
      const isCsv = mediaType === csv
      // Reads the first batch before sending anything, so that an early failure can still be answered as a problem.
      const batches = await begun(rows.batches)
      response.setHeader('content-type', `${mediaType}; charset=utf-8`)
      response.setHeader('content-disposition', `attachment; filename="${name}.${isCsv ? 'csv' : 'ndjson'}"`)
      if (response.req.method === 'HEAD') {
        await batches.return(undefined)
        response.end()
        return
      }
      response.setTimeout(rows.readerIdleMs ?? readerIdleMs, () => response.destroy())
      try {
        // A later failure cuts the connection, so that no client takes a part for the whole.
        await pipeline(Readable.from(isCsv ? csvOf(rows, batches) : ndjsonOf(batches)), response, { signal })
      } catch (error) {
        if (!signal.aborted) throw error // otherwise the client left, as it may
        response.destroy()
      }
    },
  }
}

/** Returns the same batches, after reading the first one. */
async function begun<Row>(batches: AsyncIterable<readonly Row[]>): Promise<AsyncGenerator<readonly Row[], void>> {
  const iterator = batches[Symbol.asyncIterator]()
  const first = await iterator.next()
  return (async function* () {
    try {
      for (let batch = first; !batch.done; batch = await iterator.next()) yield batch.value
    } finally {
      await iterator.return?.()
    }
  })()
}

async function* csvOf<Row>(
  { columns, cells, bom }: Download<Row>,
  batches: AsyncIterable<readonly Row[]>,
): AsyncGenerator<string> {
  yield (bom ? '\uFEFF' : '') + csvText([[...columns]])
  for await (const batch of batches) yield csvText(batch.map(cells))
}

async function* ndjsonOf<Row>(batches: AsyncIterable<readonly Row[]>): AsyncGenerator<string> {
  for await (const batch of batches) yield batch.map((row) => `${JSON.stringify(row)}\n`).join('')
}

function csvText(rows: (string | number | boolean | null)[][]): string {
  return stringify(rows, {
    record_delimiter: '\r\n',
    quoted_match: /[\r\n\t;]/,
    cast: { boolean: String, string: defused },
  })
}

/**
 * Matches where a spreadsheet would see a cell begin that it runs or trims, also if it splits at semicolons or tabs. A
 * sign with digits is a number and no formula, so ids like that stay usable as keys.
 */
const formulaStart = /(^|[;\t\r\n])(?=[=+\-@＝＋－＠])(?![+-]\d+(?:\.\d+)?(?:$|[;\t\r\n]))|^(?=[\t\r\n])/g

/**
 * Returns the text with an apostrophe before any part that a spreadsheet would run as a formula (OWASP: CSV injection).
 */
function defused(text: string): string {
  return text.replace(formulaStart, "$1'")
}
