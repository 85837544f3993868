// Owns how the demo looks while its imports run: its columns, and the facts above them.
import type { View } from '../terminal/frame.ts'
import type { Columns, Layout, Line } from '../terminal/import-line.ts'
import type { Paint } from '../terminal/paint.ts'
import { isSettled } from './follow.ts'

const name = 'Import Tracker'

export interface Facts {
  elapsedMs: number
  /** How many webhooks have been verified so far. */
  webhooks: number
}

const layout: Layout = {
  widths: { connection: 10, title: 21, state: 14, polls: 5, skipped: 7, rows: 5 },
  gives: [
    ['skipped', 0],
    ['rows', 0],
    ['title', 9],
    ['polls', 0],
    ['bar', 0],
    ['connection', 0],
    ['state', 0],
  ],
}

/** The columns without a bar, for lines that are written once, when nothing moves any more. */
export const stillColumns: Columns = { ...layout.widths, note: 50 }

/** @param facts returns them as they are now. */
export function demoView(facts: () => Facts): View {
  return {
    layout,
    hasTitles: true,
    isDone: (line) => isSettled(line.import),
    head: (lines, width, paint) => ['', headOf(lines, facts(), width, paint), ''],
  }
}

/** Shows as many facts as there is room for. */
function headOf(lines: readonly Line[], { elapsedMs, webhooks }: Facts, width: number, paint: Paint): string {
  const over = lines.filter((line) => isSettled(line.import)).length
  const facts = [`${over} of ${lines.length} imports over`, clockText(elapsedMs), `${webhooks} webhooks verified`]
  const fitting = facts.filter((_, index) => [name, ...facts.slice(0, index + 1)].join(' · ').length <= width)
  return [paint('strong', name.slice(0, width)), ...fitting].join(paint('quiet', ' · '))
}

function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
