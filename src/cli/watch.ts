// Owns watching imports until they are over: bars in place on a terminal, a line a change elsewhere, or JSON.
import type { Client, Import } from '../../packages/client/src/index.ts'
import { visibleText } from '../base/visible-text.ts'
import { isOver } from '../model/import-state.ts'
import type { View } from '../terminal/frame.ts'
import { noteOf, percentText } from '../terminal/import-line.ts'
import { drawInPlace } from '../terminal/in-place.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'

export interface WatchOptions {
  json?: true
  /** How long to watch them at most, in milliseconds. Absent: until all are over. */
  timeout?: number
}

interface Watched {
  /** Shows an import as it is now. */
  show(one: Import): void
  end(): void
}

/** The longest that a timer can wait, some 25 days. */
const longestMs = 2 ** 31 - 1
/** How long the service may take to say how they are now, even if there is no time to watch them. */
const firstMs = 10_000

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
  const beganAt = performance.now()
  const limit = timeout === undefined ? [] : [AbortSignal.timeout(Math.min(Math.max(timeout, firstMs), longestMs))]
  const reading = AbortSignal.any([signal, ...limit])
  const first = await Promise.all(ids.map((id) => tracker.imports.get(id, { signal: reading }))).catch((error) => {
    if (reading.aborted && !signal.aborted) return null
    throw error
  })
  if (first === null) return exitCodes.timedOut
  const states = new Map(first.map(({ id, state }) => [id, state] as const))
  const leftMs = Math.max(0, (timeout ?? 0) - (performance.now() - beganAt))
  const timer = timeout === undefined ? undefined : setTimeout(() => timeIsOver.abort(), Math.min(leftMs, longestMs))
  const watched = json ? asJson() : process.stdout.isTTY ? inPlace(process.stdout, first) : asLines()
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
  const parts = [one.id, `${one.connection}/${one.jobId}`, stateText(one), percentText(one), noteOf(one)]
  return visibleText(parts.filter((part) => part !== '').join(' '))
}

export const view: View = {
  layout: {
    widths: { connection: 14, title: 22, percent: 4, state: 17 },
    gives: [
      ['state', 10],
      ['title', 12],
      ['connection', 8],
      ['bar', 0],
      ['percent', 0],
      ['connection', 0],
      ['state', 0],
    ],
  },
  hasTitles: false,
  isDone: ({ import: { state } }) => isOver(state),
  head: () => [],
}

/** In the order in which they were asked for. */
function inPlace(stream: NodeJS.WriteStream, first: readonly Import[]): Watched {
  const shown = new Map(first.map((one) => [one.id, one]))
  const live = drawInPlace(stream, view)
  const show = () => live.show([...shown.values()].map((one) => ({ title: one.jobId, import: one })))
  show()
  return {
    show(one) {
      shown.set(one.id, one)
      show()
    },
    end: live.end,
  }
}

function stateText({ state, lostReason }: Import): string {
  return lostReason === null ? state : `${state} (${lostReason})`
}
