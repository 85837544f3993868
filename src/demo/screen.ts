// Owns showing the imports while they run: redrawn in place on a terminal, otherwise one line for each ended import.
import { headerLine, importLine, type Line } from '../terminal/import-line.ts'
import { drawInPlace } from '../terminal/in-place.ts'
import { type Paint, paintFor } from '../terminal/paint.ts'
import { isSettled } from './follow.ts'
import { demoView, type Facts, stillColumns } from './view.ts'

export interface Screen {
  paint: Paint
  /** Shows the current state. */
  show(lines: readonly Line[], facts: Facts): void
  /** Ends the live part. On a terminal all lines stay. A second call does nothing. */
  end(): void
}

export function createScreen(stream: NodeJS.WriteStream): Screen {
  return stream.isTTY ? liveScreen(stream) : plainScreen(stream)
}

function liveScreen(stream: NodeJS.WriteStream): Screen {
  let facts: Facts = { elapsedMs: 0, webhooks: 0 }
  const live = drawInPlace(
    stream,
    demoView(() => facts),
  )
  return {
    paint: paintFor(stream),
    show(lines, now) {
      facts = now
      live.show(lines)
    },
    end: live.end,
  }
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
