// Owns drawing imports in place on a terminal: again and again while they run, and once more, whole, at the end.
import { createLogUpdate } from 'log-update'
import { renderFrame, type Terminal, type View } from './frame.ts'
import { columnsFor, headerLine, importLine, type Line } from './import-line.ts'
import { paintFor } from './paint.ts'

export interface InPlace {
  /** Takes the imports as they are now, and draws them. */
  show(lines: readonly Line[]): void
  /** Leaves all of them on the terminal, and shows the cursor again. A second call does nothing. */
  end(): void
}

const redrawMs = 150

export function drawInPlace(stream: NodeJS.WriteStream, view: View): InPlace {
  const paint = paintFor(stream)
  const update = createLogUpdate(sized(stream))
  let lines: readonly Line[] = []
  let tick = 0
  const draw = () => update(renderFrame(view, { lines, tick }, sizeOf(stream), paint).join('\n'))
  let redraw: NodeJS.Timeout | undefined
  return {
    show(now) {
      lines = now
      if (lines.length === 0) return
      draw()
      redraw ??= setInterval(() => {
        tick++
        draw()
      }, redrawMs)
    },
    end() {
      clearInterval(redraw)
      if (lines.length === 0) return
      update.clear()
      update.done() // this shows the cursor again
      const columns = columnsFor(view.layout, sizeOf(stream).width - 1)
      if (view.hasTitles) stream.write(`\n${headerLine(columns, paint)}\n`)
      for (const line of lines) stream.write(`${importLine(line, columns, tick, paint)}\n`)
      lines = []
    },
  }
}

/** What is written to, with the size that is drawn for: log-update draws nothing on a terminal without height. */
function sized(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return {
    isTTY: stream.isTTY,
    write: (text: string) => stream.write(text),
    get columns() {
      return sizeOf(stream).width
    },
    get rows() {
      return sizeOf(stream).height
    },
  } as NodeJS.WriteStream
}

/** Some pseudo-terminals report 0. */
function sizeOf({ columns, rows }: NodeJS.WriteStream): Terminal {
  return { width: columns || 80, height: rows || 24 }
}
