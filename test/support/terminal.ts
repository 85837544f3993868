// Owns a terminal for tests: what a person sees of what a program has written.
import { spawn } from 'node:child_process'
import stringWidth from 'string-width'

export interface Seen {
  /** The lines, without the spaces at their ends and the empty ones after the last. */
  lines: string[]
  isCursorShown: boolean
}

/** A movement or the like, such as `ESC [ 2 K`, or one character. */
const written = new RegExp(`${String.fromCharCode(27)}\\[([?\\d;]*)([A-Za-z])|([\\s\\S])`, 'gu')

/** Plays the output: text, line breaks, movements and erasure. Colours count for nothing. */
export function seen(output: string, columns: number): Seen {
  const lines: string[][] = [[]]
  let [row, column, isCursorShown] = [0, 0, true]
  const line = () => {
    while (lines.length <= row) lines.push([])
    return lines[row] as string[]
  }
  for (const [, by = '', how = '', character = ''] of output.matchAll(written)) {
    const count = Number(by) || 1
    if (how === 'A') row = Math.max(0, row - count)
    else if (how === 'B') row += count
    else if (how === 'G') column = count - 1
    else if (how === 'K') line().length = by === '2' ? 0 : Math.min(column, line().length)
    else if (how === 'E') [row, column] = [row + count, 0]
    else if (how === 'F') [row, column] = [Math.max(0, row - count), 0]
    else if (how === 'J') {
      line().length = Math.min(column, line().length)
      lines.length = by === '2' ? 0 : row + 1
    } else if (how === 'h' || how === 'l') isCursorShown = by === '?25' ? how === 'h' : isCursorShown
    else if (character === '\r') column = 0
    else if (character === '\n') row++
    else if (character >= ' ') {
      const width = stringWidth(character)
      if (column + width > columns) [row, column] = [row + 1, 0] // it wraps
      line()[column] = character
      if (width === 2) line()[column + 1] = ''
      column += width
    }
  }
  const texts = Array.from(lines, (cells) =>
    Array.from(cells ?? [], (cell) => cell ?? ' ')
      .join('')
      .trimEnd(),
  )
  while (texts.at(-1) === '') texts.pop()
  return { lines: texts, isCursorShown }
}

export interface InTerminal {
  /** What it has written so far. */
  output(): string
  press(keys: string): void
  /** Its status. */
  exited: Promise<number | null>
}

/** Runs a command in a pseudo-terminal of this size. */
export function startInTerminal(
  command: readonly string[],
  environment: Record<string, string>,
  { rows, columns }: { rows: number; columns: number },
): InTerminal {
  const quoted = command.map((word) => `'${word}'`).join(' ')
  const whole = `stty rows ${rows} cols ${columns} -echoctl; exec ${quoted}`
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', whole, '/dev/null'], {
    env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  return {
    output: () => output,
    press: (keys) => void child.stdin.write(keys),
    exited: new Promise((resolve) => child.once('close', resolve)),
  }
}
