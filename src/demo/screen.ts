// Owns showing the imports while they run: redrawn in place on a terminal, otherwise one line for each ended import.
import { createLogUpdate } from 'log-update'
import { isSettled } from './follow.ts'
import { renderFrame, type Terminal } from './frame.ts'
import { columnsFor, headerLine, importLine, type Line, stillColumns } from './import-line.ts'
import { type Paint, paintFor } from './paint.ts'

export interface Screen {
  paint: Paint
  /** Shows the current state. */
  show(lines: readonly Line[], facts: { elapsedMs: number; webhooks: number }): void
  /** Ends the live part. On a terminal all lines stay. A second call does nothing. */
  end(): void
}

export function createScreen(stream: NodeJS.WriteStream): Screen {
  return stream.isTTY ? liveScreen(stream) : plainScreen(stream)
}

function liveScreen(stream: NodeJS.WriteStream): Screen {
  const paint = paintFor(stream)
  const update = createLogUpdate(stream)
  let last: readonly Line[] = []
  let tick = 0
  return {
    paint,
    show(lines, facts) {
      last = lines
      const terminal = sizeOf(stream)
      update(renderFrame({ lines, ...facts, tick: tick++ }, terminal, paint).join('\n'))
    },
    end() {
      if (last.length === 0) return
      update.clear()
      update.done() // this shows the cursor again
      const columns = columnsFor(sizeOf(stream).width - 1)
      stream.write(`\n${headerLine(columns, paint)}\n`)
      for (const line of last) stream.write(`${importLine(line, columns, tick, paint)}\n`)
      last = []
    },
  }
}

/** Some pseudo-terminals report 0. */
function sizeOf({ columns, rows }: NodeJS.WriteStream): Terminal {
  return { width: columns || 80, height: rows || 24 }
}

function plainScreen(stream: NodeJS.WriteStream): Screen {
  const paint = paintFor(stream)
  const printed = new Set<string>()
  return {
    paint,
    show(lines) {
      if (printed.size === 0 && lines.length > 0) stream.write(`\n${headerLine(stillColumns, paint).trimEnd()}\n`)
      for (const line of lines) {
        if (!isSettled(line.import) || printed.has(line.import.id)) continue
        printed.add(line.import.id)
        stream.write(`${importLine(line, stillColumns, 0, paint).trimEnd()}\n`)
      }
    },
    end() {},
  }
}
