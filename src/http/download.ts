// Owns answering rows as a download of any length, CSV (RFC 4180) or NDJSON, at the pace of the reader.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify/sync'
import type { Streamed } from './operation.ts'

export const csv = 'text/csv'
export const ndjson = 'application/x-ndjson'

/** How long a reader may take nothing: it holds one of few places. */
const readerIdleMs = 60_000

export interface Download<Row> {
  /** Without its suffix. */
  name: string
  mediaType: typeof csv | typeof ndjson
  batches: AsyncIterable<readonly Row[]>
  /** The header of the CSV. */
  columns: readonly string[]
  /** Whether the CSV begins with a byte order mark. */
  bom: boolean
  /** The cells of a row, as `columns` has them. */
  cells(row: Row): (string | number | boolean | null)[]
  signal: AbortSignal
  /** After which the connection of a reader that takes nothing is cut off, in milliseconds; for tests. */
  readerIdleMs?: number
}

export function download<Row>(rows: Download<Row>): Streamed {
  const { name, mediaType, signal } = rows
  return {
    async stream(response) {
      const isCsv = mediaType === csv
      // Read before anything is sent: if that fails, it can still be answered as a problem.
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
        // What fails from now on cuts the connection, so that no client takes a part for the whole.
        await pipeline(Readable.from(isCsv ? csvOf(rows, batches) : ndjsonOf(batches)), response, { signal })
      } catch (error) {
        if (!signal.aborted) throw error // else the client has gone, which is its right
        response.destroy()
      }
    },
  }
}

/** The same batches, the first of which is read. */
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
 * Where a spreadsheet that also, or only, splits at semicolons or tabs would see a cell begin that it runs or trims. A
 * sign and digits is a number and no formula, so ids that look like that stay as they are and can be joined by.
 */
const formulaStart = /(^|[;\t\r\n])(?=[=+\-@＝＋－＠])(?![+-]\d+(?:\.\d+)?(?:$|[;\t\r\n]))|^(?=[\t\r\n])/g

/** A text with an apostrophe before what a spreadsheet would run as a formula (OWASP: CSV injection). */
function defused(text: string): string {
  return text.replace(formulaStart, "$1'")
}
