// Owns an import as a line of the terminal: the columns for a width, and their contents.
import type { ApiImport } from '../imports/present.ts'
import { bar } from './bar.ts'
import { type Paint, styleOf } from './paint.ts'

/** A line's import, and the demo's title for it. */
export interface Line {
  title: string
  import: ApiImport
}

/** The widths of the columns. 0: there is no room for the column. */
export interface Columns {
  connection: number
  title: number
  bar: number
  state: number
  polls: number
  skipped: number
  rows: number
  note: number
}

const fixed = { connection: 10, title: 21, state: 14, polls: 5, skipped: 7, rows: 5 }
const widestBar = 28
const narrowestNote = 16

/**
 * Returns the columns for a width. The bar gets the rest of the width, and in a wide terminal a column shows a note.
 */
export function columnsFor(width: number): Columns {
  const needed = Object.values(fixed).reduce((sum, one) => sum + one + 1, 0)
  const room = width - needed
  if (room < 4) return { ...fixed, title: Math.max(8, fixed.title - 12), bar: 4, skipped: 0, rows: 0, note: 0 }
  const note = room - widestBar - 1
  return note < narrowestNote
    ? { ...fixed, bar: Math.min(room, widestBar), note: 0 }
    : { ...fixed, bar: widestBar, note }
}

/** The columns without a bar, for lines that are written once, when nothing moves any more. */
export const stillColumns: Columns = { ...fixed, bar: 0, note: 50 }

export function headerLine(columns: Columns, paint: Paint): string {
  return paint(
    'quiet',
    joined(columns, {
      connection: 'connection',
      title: 'import',
      bar: 'progress',
      state: 'state',
      polls: 'polls',
      skipped: 'skipped',
      rows: 'rows',
      note: 'note',
    }),
  )
}

export function importLine({ title, import: one }: Line, columns: Columns, tick: number, paint: Paint): string {
  const { details, state } = one
  return joined(
    columns,
    {
      connection: one.connection,
      title,
      state: one.lostReason ? `${state}/${one.lostReason}` : state,
      polls: String(one.polls),
      skipped: countText(details.skippedLines),
      rows: countText(details.rowResults),
      note: noteOf(one),
    },
    {
      bar: (width) => bar(one, width, tick, paint),
      state: (_width, text) => paint(styleOf(state), text),
      note: (_width, text) => paint('quiet', text),
    },
  )
}

/** Returns a note for the watcher: the last error, the attention, or the vendor's message. */
export function noteOf({
  lastError,
  attention,
  message,
  providerStatus,
}: Pick<ApiImport, 'lastError' | 'attention' | 'message' | 'providerStatus'>): string {
  if (lastError) return lastError.code
  if (attention === 'unmapped_status') return `${attention}: ${providerStatus}`
  return attention ?? message ?? ''
}

export function countText(count: number): string {
  return count === 0 ? '·' : count.toLocaleString('en-US')
}

type Cells = Partial<Record<keyof Columns, string>>
type Drawn = Partial<Record<keyof Columns, (width: number, text: string) => string>>

const order = ['connection', 'title', 'bar', 'state', 'polls', 'skipped', 'rows', 'note'] as const
const numeric: ReadonlySet<keyof Columns> = new Set(['polls', 'skipped', 'rows'])

function joined(columns: Columns, cells: Cells, drawn: Drawn = {}): string {
  return order
    .filter((name) => columns[name] > 0)
    .map((name) => {
      const width = columns[name]
      const text = fitted(cells[name] ?? '', width, numeric.has(name))
      return drawn[name]?.(width, text) ?? text
    })
    .join(' ')
}

/** Returns the text exactly `width` wide. In the demo's texts each letter takes one cell. */
function fitted(text: string, width: number, right: boolean): string {
  if (text.length > width) return `${text.slice(0, width - 1)}…`
  return right ? text.padStart(width) : text.padEnd(width)
}
