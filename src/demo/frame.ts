// Owns the terminal's picture while imports run. Pure: turns the imports into lines that fit the width and height.
import type { ApiImport } from '../imports/present.ts'
import { isOver } from '../model/import-state.ts'
import { isSettled } from './follow.ts'
import { columnsFor, headerLine, importLine, type Line } from './import-line.ts'
import type { Paint } from './paint.ts'

const name = 'Import Tracker'

export interface Terminal {
  width: number
  height: number
}

export interface FrameInput {
  lines: readonly Line[]
  elapsedMs: number
  /** How many webhooks have been verified so far. */
  webhooks: number
  /** The number of the frame. */
  tick: number
}

/** The lines around the imports: the head between two empty lines, the columns' names, the fold. */
const aroundLines = 5

/** Renders every import if there is room. Otherwise renders those under way, and sums up the others in one line. */
export function renderFrame(input: FrameInput, { width, height }: Terminal, paint: Paint): string[] {
  const columns = columnsFor(width - 1)
  const room = Math.max(1, height - aroundLines - 1) // the cursor is on the line after the last
  const shown = input.lines.length <= room + 1 ? [...input.lines] : chosen(input.lines, room)
  const hidden = input.lines.filter((line) => !shown.includes(line))
  return [
    '',
    head(input, width - 1, paint),
    '',
    headerLine(columns, paint),
    ...shown.map((line) => importLine(line, columns, input.tick, paint)),
    ...(hidden.length > 0 ? [paint('quiet', foldText(hidden).slice(0, width - 1))] : []),
  ].slice(0, Math.max(1, height - 1))
}

/** Shows as many facts as there is room for. */
function head({ lines, elapsedMs, webhooks }: FrameInput, width: number, paint: Paint): string {
  const over = lines.filter((line) => isSettled(line.import)).length
  const facts = [`${over} of ${lines.length} imports over`, clockText(elapsedMs), `${webhooks} webhooks verified`]
  const fitting = facts.filter((_, index) => [name, ...facts.slice(0, index + 1)].join(' · ').length <= width)
  return [paint('strong', name), ...fitting].join(paint('quiet', ' · '))
}

/**
 * Chooses imports under way from each connection, then those that ended last, and keeps them in the order of the list.
 */
function chosen(lines: readonly Line[], room: number): Line[] {
  const underWay = takingTurns(lines.filter((line) => !isSettled(line.import)))
  const ended = lines.filter((line) => isSettled(line.import)).sort((a, b) => endOf(b.import) - endOf(a.import))
  const picked = new Set([...underWay, ...ended].slice(0, room))
  return lines.filter((line) => picked.has(line))
}

/** Returns the first line of each connection, then the second of each, and so on. */
function takingTurns(lines: readonly Line[]): Line[] {
  const byConnection = [...Map.groupBy(lines, (line) => line.import.connection).values()]
  const turns = Math.max(0, ...byConnection.map((some) => some.length))
  return Array.from({ length: turns }, (_, turn) => byConnection.flatMap((some) => some[turn] ?? [])).flat()
}

function endOf({ finishedAt }: ApiImport): number {
  return finishedAt === null ? 0 : Date.parse(finishedAt)
}

function foldText(lines: readonly Line[]): string {
  const ended = lines.filter((line) => isOver(line.import.state))
  const states = Map.groupBy(ended, (line) => line.import.state)
  const parts = [...states].map(([state, some]) => `${some.length} ${state}`)
  const underWay = lines.length - ended.length
  return `… and ${[...parts, ...(underWay > 0 ? [`${underWay} under way`] : [])].join(', ')}`
}

function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
