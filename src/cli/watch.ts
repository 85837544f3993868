// Owns watching imports until they are over: bars in place on a terminal, a line a change elsewhere, or JSON.
import { createLogUpdate } from 'log-update'
import type { Client, Import } from '../../packages/client/src/index.ts'
import { visibleText } from '../base/visible-text.ts'
import { bar } from '../demo/bar.ts'
import { noteOf } from '../demo/import-line.ts'
import { type Paint, paintFor, styleOf } from '../demo/paint.ts'
import { isOver } from '../model/import-state.ts'
import { exitCodeOf } from './exit-code.ts'
import { fitted } from './table.ts'

export interface WatchOptions {
  json?: true
  /** How long to watch them once they are found, in milliseconds. Absent: until all are over. */
  timeout?: number
}

interface Watched {
  /** Shows an import as it is now. */
  show(one: Import): void
  end(): void
}

const redrawMs = 150
/** The longest that a timer can wait, some 25 days. */
const longestMs = 2 ** 31 - 1

/**
 * Returns the status that tells how the imports ended. Those that are over are shown at once.
 * @throws {ProblemError} of the first that can't be watched.
 */
export async function watchImports(
  { tracker, signal }: { tracker: Client; signal: AbortSignal },
  ids: readonly string[],
  { json, timeout }: WatchOptions,
): Promise<number> {
  const timeIsOver = new AbortController()
  const failed = new AbortController()
  const until = AbortSignal.any([signal, timeIsOver.signal, failed.signal])
  // This read fails if the URL or an id is wrong. Waiting would go on for ever, because it outlives restarts.
  const first = await Promise.all(ids.map((id) => tracker.imports.get(id, { signal })))
  const states = new Map(first.map(({ id, state }) => [id, state] as const))
  const timer = timeout === undefined ? undefined : setTimeout(() => timeIsOver.abort(), Math.min(timeout, longestMs))
  const watched = json ? asJson() : process.stdout.isTTY ? inPlace(process.stdout) : asLines()
  const onChange = (one: Import) => {
    states.set(one.id, one.state)
    watched.show(one)
  }
  const watchOne = async (one: Import) => {
    if (isOver(one.state)) return onChange(one)
    await tracker.imports.wait(one.id, { signal: until, onChange }).catch((error) => {
      failed.abort() // the others, too
      throw error
    })
  }
  try {
    await Promise.all(first.map(watchOne))
  } catch (error) {
    if (!timeIsOver.signal.aborted || signal.aborted) throw error
  } finally {
    clearTimeout(timer)
    watched.end()
  }
  return exitCodeOf([...states.values()])
}

function asJson(): Watched {
  return { show: (one) => console.log(JSON.stringify(one)), end() {} }
}

/** Prints no line if a poll changed nothing that the line shows. */
function asLines(): Watched {
  const told = new Map<string, string>()
  return {
    show(one) {
      const line = changeLine(one)
      if (told.get(one.id) === line) return
      told.set(one.id, line)
      console.log(`${new Date().toISOString()} ${line}`)
    },
    end() {},
  }
}

export function changeLine(one: Import): string {
  const parts = [one.id, `${one.connection}/${one.jobId}`, stateText(one), percent(one), noteOf(one)]
  return visibleText(parts.filter((part) => part !== '').join(' '))
}

function inPlace(stream: NodeJS.WriteStream): Watched {
  const paint = paintFor(stream)
  const update = createLogUpdate(stream)
  const shown = new Map<string, Import>()
  let tick = 0
  const size = () => ({ width: (stream.columns || 80) - 1, height: (stream.rows || 24) - 1 })
  const draw = () => {
    const { width, height } = size()
    update(frame([...shown.values()], { width, height, tick: tick++ }, paint).join('\n'))
  }
  const redraw = setInterval(draw, redrawMs)
  return {
    show(one) {
      shown.set(one.id, one)
      draw()
    },
    end() {
      clearInterval(redraw)
      if (shown.size === 0) return
      update.clear()
      update.done() // this shows the cursor again
      const { width } = size()
      for (const one of shown.values()) stream.write(`${barLine(one, width, tick, paint)}\n`)
    },
  }
}

/** Renders every import if there is room. Otherwise those under way come first, and the others are counted. */
export function frame(
  imports: readonly Import[],
  { width, height, tick }: { width: number; height: number; tick: number },
  paint: Paint,
): string[] {
  if (imports.length <= height) return imports.map((one) => barLine(one, width, tick, paint))
  const live = imports.filter(({ state }) => !isOver(state))
  const chosen = [...live, ...imports.filter(({ state }) => isOver(state))].slice(0, Math.max(0, height - 1))
  return [
    ...chosen.map((one) => barLine(one, width, tick, paint)),
    paint('quiet', fitted(`… and ${imports.length - chosen.length} more`, width).trimEnd()),
  ]
}

const widths = { name: 28, bar: 20, state: 12, percent: 4 }
const besideBar = widths.name + widths.state + widths.percent + 3

/** The bar gives way in a narrow terminal, and a wide one has room for a note. */
export function barLine(one: Import, width: number, tick: number, paint: Paint): string {
  const barWidth = Math.max(0, Math.min(widths.bar, width - besideBar))
  const note = width - besideBar - barWidth - 1
  const line = [
    fitted(visibleText(`${one.connection}/${one.jobId}`), Math.min(widths.name, width)),
    ...(barWidth > 0 ? [bar(one, barWidth, tick, paint)] : []),
    ...(width < besideBar ? [] : [percent(one).padStart(widths.percent)]),
    ...(width < besideBar ? [] : [paint(styleOf(one.state), fitted(stateText(one), widths.state))]),
    ...(note > 8 ? [paint('quiet', fitted(visibleText(noteOf(one)), note).trimEnd())] : []),
  ]
  return line.join(' ')
}

function stateText({ state, lostReason }: Import): string {
  return lostReason === null ? state : `${state} (${lostReason})`
}

function percent({ progress }: Import): string {
  return progress === null ? '' : `${Math.floor(progress * 100)}%`
}
