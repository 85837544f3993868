// Owns reading CSV: csv-parse reads blocks of whole lines, so that the place behind each block is known to the byte.
import { CsvError, parse } from 'csv-parse/sync'
import { FileError } from './file-error.ts'
import { cutLines } from './lines.ts'
import type { RecordReader } from './records.ts'

export interface CsvFormat {
  kind: 'csv'
  /** Of several, the first one by which the header has all columns of `needs`. */
  delimiters: readonly string[]
  /** False: records are lists instead of objects. */
  header: boolean
  /** Columns that the header must have. */
  needs: readonly string[]
}

/** @param first the number of the first record that will be read. */
export function readCsv(
  { delimiters, header: hasHeader, needs }: CsvFormat,
  { maxRecordBytes, first, decode }: { maxRecordBytes: number; first: number; decode: (bytes: Buffer) => string },
): RecordReader {
  const lines = cutLines({ quoted: true, maxBytes: maxRecordBytes })
  let header: Header | null = null
  let headBytes = 0
  let delimiter = delimiters[0] ?? ','
  let number = first

  function readBlock(block: Buffer) {
    let body = block
    let head = 0
    while (hasHeader && header === null && head < block.length) {
      const end = endOfLine(block, head)
      header = readHeader(decode(block.subarray(head, end)))
      head = end
    }
    if (head > 0) {
      headBytes += head
      body = block.subarray(head)
    }
    const rows = body.length === 0 ? [] : parseText(decode(body), delimiter, number)
    const records = header === null ? rows : rows.map((row) => objectOf(row, header as Header, ++number))
    if (header === null) number += rows.length
    return { records, bytes: [block] }
  }

  function readHeader(line: string): Header | null {
    if (line.trimStart().startsWith('<')) throw new FileError('malformed', 'The file is HTML or XML, not CSV.')
    for (const one of delimiters) {
      const [names] = parseText(line, one, 0)
      if (names === undefined) return null // an empty line
      const lacking = needs.find((name) => !names.includes(name))
      if (lacking === undefined) {
        delimiter = one
        return headerOf(names)
      }
      if (one === delimiters.at(-1)) throw lacks(lacking)
    }
    return null
  }

  return {
    read(bytes) {
      const block = lines.push(bytes)
      return block && readBlock(block)
    },
    end() {
      const block = lines.end()
      const rest = block && readBlock(block)
      const [lacking] = needs
      if (hasHeader && header === null && lacking !== undefined) throw lacks(lacking)
      return rest
    },
    headBytes: () => headBytes,
  }
}

function lacks(column: string): FileError {
  return new FileError('malformed', `The file has no column ${JSON.stringify(column)}.`)
}

/** Returns where the first line from `from` on ends, in a block of whole lines. */
function endOfLine(block: Buffer, from: number): number {
  let isInQuotes = false
  for (let at = from; at < block.length; at++) {
    if (block[at] === 0x22) isInQuotes = !isInQuotes
    else if (block[at] === 0x0a && !isInQuotes) return at + 1
  }
  return block.length
}

function parseText(text: string, delimiter: string, before: number): string[][] {
  try {
    return parse(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      bom: true,
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new FileError(
      'malformed',
      `A record of the file behind the first ${before} isn't CSV (${error.code}).`,
      error,
    )
  }
}

interface Header {
  width: number
  columns: { name: string; at: number }[]
}

/** Vendors put columns of their own before those that were uploaded, so the first of a name is the one they mean. */
function headerOf(names: readonly string[]): Header {
  const firstOf = new Map<string, number>()
  for (const [at, name] of names.entries()) if (!firstOf.has(name)) firstOf.set(name, at)
  return { width: names.length, columns: Array.from(firstOf, ([name, at]) => ({ name, at })) }
}

function objectOf(values: string[], { width, columns }: Header, number: number): Record<string, string> {
  if (values.length < width)
    throw new FileError('malformed', `Record ${number} of the file has ${values.length} columns instead of ${width}.`)
  // A column may have any name, `__proto__` too.
  return Object.fromEntries(columns.map(({ name, at }) => [name, values[at] as string]))
}
