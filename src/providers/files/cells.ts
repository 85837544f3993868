// Owns splitting the text of whole CSV lines into cells (RFC 4180), as vendors write them: a quote within an unquoted cell
// is text, blanks around a quoted one are nothing, and a line without anything is none.
import { FileError } from './file-error.ts'

export interface Cells {
  values: string[]
  /** The line of the text that it begins in, from 0. */
  line: number
}

export interface CellsForm {
  delimiter: string
  lineEnd: '\n' | '\r'
  /** How many lines of the file are before the text. Null: nobody knows. */
  before: number | null
}

/** @throws {FileError} `malformed` */
export function splitCells(text: string, { delimiter, lineEnd, before }: CellsForm): { rows: Cells[]; lines: number } {
  const rows: Cells[] = []
  let quote = text.indexOf('"')
  let at = 0
  let line = 0

  const malformed = (why: string, lineOfRow: number) =>
    new FileError('malformed', `${placeOf(before, lineOfRow)} ${why}.`)

  /** Returns the cells of the row at `at`, and moves on behind it. */
  function quotedRow(): string[] {
    const values: string[] = []
    const first = line
    for (;;) {
      let start = at
      if (delimiter !== ' ') while (text[start] === ' ') start += 1
      if (text[start] !== '"') {
        const end = ends(at)
        if (cellTo(values, text.slice(at, end), end)) return values
        continue
      }
      let close = text.indexOf('"', start + 1)
      let isEscaped = false
      while (close !== -1 && text[close + 1] === '"') {
        isEscaped = true
        close = text.indexOf('"', close + 2)
      }
      if (close === -1) throw malformed('has a quote that isn’t closed', first)
      const value = text.slice(start + 1, close)
      line += countOf(value, lineEnd)
      let end = close + 1
      if (delimiter !== ' ') while (text[end] === ' ') end += 1
      const isAtEnd = end === ends(end) || (text[end] === '\r' && end + 1 === endOfLine(end))
      if (!isAtEnd) throw malformed('goes on behind a closing quote', first)
      if (text[end] === '\r') end = endOfLine(end)
      if (cellTo(values, isEscaped ? value.replaceAll('""', '"') : value, end)) return values
    }
  }

  /** Takes a cell that ends before `end`. Returns true if it is the last one of its row. */
  function cellTo(values: string[], value: string, end: number): boolean {
    const isLast = text[end] !== delimiter
    values.push(isLast && value.endsWith('\r') ? value.slice(0, -1) : value)
    at = end + 1
    if (isLast) line += 1
    return isLast
  }

  function ends(from: number): number {
    const [next, end] = [text.indexOf(delimiter, from), endOfLine(from)]
    return next === -1 || next > end ? end : next
  }

  function endOfLine(from: number): number {
    const end = text.indexOf(lineEnd, from)
    return end === -1 ? text.length : end
  }

  while (at < text.length) {
    const end = endOfLine(at)
    if (quote !== -1 && quote < at) quote = text.indexOf('"', at)
    if (quote !== -1 && quote < end) {
      const first = line
      rows.push({ values: quotedRow(), line: first })
      continue
    }
    const row = text.slice(at, text[end - 1] === '\r' ? end - 1 : end)
    if (row.trim() !== '' || row.includes(delimiter)) rows.push({ values: row.split(delimiter), line })
    at = end + 1
    line += 1
  }
  return { rows, lines: line }
}

/** Says where something is, for people. */
export function placeOf(before: number | null, line: number): string {
  return before === null ? 'A line of the file' : `Line ${before + line + 1} of the file`
}

function countOf(text: string, part: string): number {
  let count = 0
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) count += 1
  return count
}
