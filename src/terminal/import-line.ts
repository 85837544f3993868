// Owns an import as a line of the terminal: the columns for a width, and their contents.
import type { Import } from '../../packages/client/src/index.ts'
import { wholePercent } from '../base/percent.ts'
import { visibleText } from '../base/visible-text.ts'
import { bar } from './bar.ts'
import { fitted } from './fitted.ts'
import { type Paint, styleOf } from './paint.ts'

/** A line's import, and its title: the job's id, or what a person calls it. */
export interface Line {
  title: string
  import: Shown
}

export type Shown = Pick<
  Import,
  | ('id' | 'connection' | 'state' | 'lostReason' | 'progress' | 'polls' | 'details' | 'finishedAt')
  | ('lastError' | 'attention' | 'message' | 'providerStatus')
>

const order = ['connection', 'title', 'bar', 'percent', 'state', 'polls', 'skipped', 'rows', 'note'] as const
export type Column = (typeof order)[number]

/** The widths of the columns. 0, or absent: there is no room for the column. */
export type Columns = Partial<Record<Column, number>>

/** Which columns there are besides the bar and the note, and what a narrow terminal does without, the first first. */
export interface Layout {
  widths: Columns
  gives: readonly (readonly [column: Column, width: number])[]
}

const widestBar = 28
const narrowestBar = 4
const narrowestNote = 16

/** Returns the columns for a width. The bar gets the rest of the width, and in a wide terminal a column shows a note. */
export function columnsFor({ widths, gives }: Layout, width: number): Columns {
  const columns: Columns = { ...widths, bar: narrowestBar }
  for (const [column, narrow] of gives) if (widthOf(columns) > width) columns[column] = narrow
  const over = widthOf(columns) - width
  if (over > 0) columns.title = Math.max(1, (columns.title ?? 0) - over)
  const rest = width - widthOf(columns)
  if (!columns.bar || rest <= 0) return columns
  const note = rest - (widestBar - narrowestBar) - 1
  if (note >= narrowestNote) return { ...columns, bar: widestBar, note }
  return { ...columns, bar: Math.min(narrowestBar + rest, widestBar) }
}

/** Each column has a space after it but the last. */
function widthOf(columns: Columns): number {
  return Object.values(columns).reduce((sum, width) => sum + (width > 0 ? width + 1 : 0), -1)
}

const titles: Record<Column, string> = {
  ...{ connection: 'connection', title: 'import', bar: 'progress', percent: '', state: 'state', polls: 'polls' },
  ...{ skipped: 'skipped', rows: 'rows', note: 'note' },
}
const numeric: ReadonlySet<Column> = new Set(['percent', 'polls', 'skipped', 'rows'])

export function headerLine(columns: Columns, paint: Paint): string {
  return paint('quiet', joined(columns, titles, {}))
}

export function importLine({ title, import: one }: Line, columns: Columns, tick: number, paint: Paint): string {
  const cells: Partial<Record<Column, string>> = {
    connection: one.connection,
    title,
    percent: percentText(one),
    state: one.lostReason ? `${one.state}/${one.lostReason}` : one.state,
    polls: String(one.polls),
    skipped: countText(one.details.skippedLines),
    rows: countText(one.details.rowResults),
    note: noteOf(one),
  }
  return joined(columns, cells, {
    bar: (width) => bar(one, width, tick, paint),
    state: (_width, text) => paint(styleOf(one.state), text),
    note: (_width, text) => paint('quiet', text),
  })
}

/** Returns a note for the watcher: the last error, the attention, or the vendor's message. */
export function noteOf({
  lastError,
  attention,
  message,
  providerStatus,
}: Pick<Shown, 'lastError' | 'attention' | 'message' | 'providerStatus'>): string {
  if (lastError) return lastError.code
  if (attention === 'unmapped_status') return `${attention}: ${providerStatus}`
  return attention ?? message ?? ''
}

export function percentText({ progress }: Pick<Shown, 'progress'>): string {
  return progress === null ? '' : `${wholePercent(progress)}%`
}

export function countText(count: number): string {
  return count === 0 ? '·' : count.toLocaleString('en-US')
}

type Drawn = Partial<Record<Column, (width: number, text: string) => string>>

/** Job ids and messages are other people's text: what would move the cursor is shown as its code. */
function joined(columns: Columns, cells: Partial<Record<Column, string>>, drawn: Drawn): string {
  return order
    .flatMap((name) => {
      const width = columns[name] ?? 0
      if (width <= 0) return []
      const text = fitted(visibleText(cells[name] ?? ''), width, numeric.has(name) ? 'right' : 'left')
      return [drawn[name]?.(width, text) ?? text]
    })
    .join(' ')
}
