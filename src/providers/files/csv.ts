// Owns reading CSV in blocks of whole lines, so that the place behind each block is known to the byte. A row that isn't as
// wide as the header is refused, because its values can't be told apart by name.
import { type Cells, type CellsForm, placeOf, splitCells } from './cells.ts'
import { FileError } from './file-error.ts'
import { cutLines } from './lines.ts'
import type { Reading, RecordReader, Records } from './records.ts'

export interface CsvFormat {
  kind: 'csv'
  /** Of several, the first one by which the header has all columns of `needs`. */
  delimiters: readonly string[]
  /** False: records are lists instead of objects. */
  header: boolean
  /** Columns that the header must have. Of a list, one. */
  needs: readonly (string | readonly string[])[]
}

export function readCsv(format: CsvFormat, { maxRecordBytes, from }: Reading): RecordReader {
  const lines = cutLines({ delimiters: format.delimiters, maxBytes: maxRecordBytes })
  const head = createHead(format)
  /** How many lines were read. Null: nobody knows. */
  let line: number | null = format.header || from === null ? 0 : from.lines
  let isAtStart = format.header || from === null

  /** Takes lines up to the header, and returns their bytes. Blank ones before it belong to it. */
  function takeHead(bytes: Buffer): Buffer[] {
    const taken: Buffer[] = []
    let more = bytes
    while (head.isMissing()) {
      const block = lines.pushFirst(more)
      if (block === null) break
      takeHeadLine(block)
      taken.push(block)
      more = Buffer.alloc(0)
    }
    return taken
  }

  function takeHeadLine(block: Buffer): void {
    const read = head.take(textOf(block), { bytes: block.length, lineEnd: lines.lineEnd(), before: line })
    if (line !== null) line += read
    if (head.isMissing()) return
    lines.separateBy(head.delimiter())
    // A reading that goes on behind the stored position has read the header again.
    if (from !== null) line = from.lines
  }

  function textOf(block: Buffer): string {
    const text = block.toString('utf8')
    const isMarked = isAtStart && text.startsWith('\uFEFF')
    isAtStart = false
    return isMarked ? text.slice(1) : text
  }

  function recordsIn(block: Buffer): unknown[] {
    const { rows, lines: read } = splitCells(textOf(block), {
      delimiter: head.delimiter(),
      lineEnd: lines.lineEnd(),
      before: line,
    })
    const records = head.records(rows, line)
    if (line !== null) line += read
    return records
  }

  function readBlocks(taken: Buffer[], block: Buffer | null): Records | null {
    if (block === null) return taken.length === 0 ? null : { records: [], bytes: taken }
    return { records: recordsIn(block), bytes: [...taken, block] }
  }

  return {
    read(bytes) {
      if (!head.isMissing()) return readBlocks([], lines.push(bytes))
      const taken = takeHead(bytes)
      return readBlocks(taken, head.isMissing() ? null : lines.push(Buffer.alloc(0)))
    },
    end() {
      const block = lines.end()
      if (block === null || !head.isMissing()) {
        head.require()
        return readBlocks([], block)
      }
      takeHeadLine(block)
      head.require()
      return { records: [], bytes: [block] }
    },
    headBytes: () => head.bytes(),
    lines: () => line,
  }
}

/** The header, and what it says of the rows. */
function createHead({ delimiters, header: isThere, needs }: CsvFormat) {
  let delimiter = delimiters[0] ?? ','
  let header: Header | null = null
  let bytes = 0

  function read(text: string, form: Omit<CellsForm, 'delimiter'>): number {
    if (text.trimStart().startsWith('<')) throw new FileError('malformed', 'The file is HTML or XML, not CSV.')
    let problem: unknown
    for (const one of delimiters) {
      try {
        const { rows, lines } = splitCells(text, { ...form, delimiter: one })
        const names = rows[0]?.values.map((name) => name.trim())
        if (names === undefined) return lines
        const lacking = needs.find((need) => ![need].flat().some((name) => names.includes(name)))
        if (lacking !== undefined) throw lacks(lacking)
        delimiter = one
        header = headerOf(names)
        return lines
      } catch (error) {
        problem = error
      }
    }
    throw problem
  }

  return {
    isMissing: () => isThere && header === null,
    /** Takes a line, and returns how many it is, by line ends. @throws {FileError} */
    take(text: string, { bytes: length, ...form }: Omit<CellsForm, 'delimiter'> & { bytes: number }): number {
      const lines = read(text, form)
      bytes += length
      return lines
    },
    /** @throws {FileError} if the file has ended without the columns that it must have. */
    require() {
      const [lacking] = needs
      if (isThere && header === null && lacking !== undefined) throw lacks(lacking)
    },
    records: (rows: readonly Cells[], before: number | null) =>
      header === null ? rows.map(({ values }) => values) : objectsOf(rows, header, before),
    delimiter: () => delimiter,
    bytes: () => bytes,
  }
}

function lacks(need: string | readonly string[]): FileError {
  const names = [need].flat().map((name) => JSON.stringify(name))
  return new FileError('malformed', `The file has no column ${names.join(' or ')}.`)
}

interface Header {
  width: number
  columns: { name: string; at: number }[]
  /** A column may have any name, `__proto__` too. */
  isOdd: boolean
}

/**
 * Vendors put columns of their own before those that were uploaded, so the first of a name is the one they mean. A
 * separator at the end of the line begins no column.
 */
function headerOf(names: readonly string[]): Header {
  const width = names.findLastIndex((name) => name !== '') + 1
  const firstOf = new Map<string, number>()
  for (const [at, name] of names.slice(0, width).entries()) if (!firstOf.has(name)) firstOf.set(name, at)
  const columns = Array.from(firstOf, ([name, at]) => ({ name, at }))
  return { width, columns, isOdd: firstOf.has('__proto__') }
}

function objectsOf(rows: readonly Cells[], header: Header, before: number | null): object[] {
  const { width, columns, isOdd } = header
  return rows.map(({ values, line }) => {
    if (!isAsWide(values, width)) {
      const columnsOf = `${values.length} ${values.length === 1 ? 'column' : 'columns'}`
      throw new FileError('malformed', `${placeOf(before, line)} has ${columnsOf} instead of ${width}.`)
    }
    if (isOdd) return Object.fromEntries(columns.map(({ name, at }) => [name, values[at]]))
    const record: Record<string, string | undefined> = {}
    for (const { name, at } of columns) record[name] = values[at]
    return record
  })
}

/** Separators at the end of a row begin no values. */
function isAsWide(values: readonly string[], width: number): boolean {
  return values.length === width || (values.length > width && values.slice(width).every((value) => value.trim() === ''))
}
