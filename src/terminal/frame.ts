// Owns the terminal's picture while imports run. Pure: turns the imports into lines that fit the width and height.
import { isOver } from '../model/import-state.ts'
import { columnsFor, headerLine, importLine, type Layout, type Line } from './import-line.ts'
import type { Paint } from './paint.ts'

export interface Terminal {
  width: number
  height: number
}

/** What is drawn, but the imports. */
export interface View {
  layout: Layout
  /** Names the columns above the imports. */
  hasTitles: boolean
  /** Returns true if nothing more of the import will be shown. */
  isDone(line: Line): boolean
  /** Returns the lines above, so wide at most. */
  head(lines: readonly Line[], width: number, paint: Paint): string[]
}

/** Renders every import if there is room. Otherwise renders those under way, and sums up the others in one line. */
export function renderFrame(
  view: View,
  { lines, tick }: { lines: readonly Line[]; tick: number },
  { width, height }: Terminal,
  paint: Paint,
): string[] {
  const columns = columnsFor(view.layout, width - 1)
  const above = [...view.head(lines, width - 1, paint), ...(view.hasTitles ? [headerLine(columns, paint)] : [])]
  const room = Math.max(1, height - above.length - 2) // one is the fold's, and the cursor is after the last
  const shown = lines.length <= room + 1 ? [...lines] : chosen(lines, room, view)
  const hidden = lines.filter((line) => !shown.includes(line))
  return [
    ...above,
    ...shown.map((line) => importLine(line, columns, tick, paint)),
    ...(hidden.length > 0 ? [paint('quiet', foldText(hidden).slice(0, width - 1))] : []),
  ].slice(0, Math.max(1, height - 1))
}

/** Chooses imports under way from each connection, then those that ended last, and keeps them in the list's order. */
function chosen(lines: readonly Line[], room: number, { isDone }: View): Line[] {
  const underWay = takingTurns(lines.filter((line) => !isDone(line)))
  const ended = lines.filter(isDone).sort((a, b) => endOf(b) - endOf(a))
  const picked = new Set([...underWay, ...ended].slice(0, room))
  return lines.filter((line) => picked.has(line))
}

/** Returns the first line of each connection, then the second of each, and so on. */
function takingTurns(lines: readonly Line[]): Line[] {
  const byConnection = [...Map.groupBy(lines, (line) => line.import.connection).values()]
  const turns = Math.max(0, ...byConnection.map((some) => some.length))
  return Array.from({ length: turns }, (_, turn) => byConnection.flatMap((some) => some[turn] ?? [])).flat()
}

function endOf({ import: { finishedAt } }: Line): number {
  return finishedAt === null ? 0 : Date.parse(finishedAt)
}

function foldText(lines: readonly Line[]): string {
  const ended = lines.filter((line) => isOver(line.import.state))
  const states = Map.groupBy(ended, (line) => line.import.state)
  const parts = [...states].map(([state, some]) => `${some.length} ${state}`)
  const underWay = lines.length - ended.length
  return `… and ${[...parts, ...(underWay > 0 ? [`${underWay} under way`] : [])].join(', ')}`
}
