// Owns cutting the bytes of a file into blocks of whole lines, in whatever pieces they come. A line feed ends a line, with
// or without a carriage return before it; in a file whose first line a lone carriage return ends, that does, too. Only
// ASCII is looked at, so the bytes may be UTF-8.
import { FileError } from './file-error.ts'

export interface Lines {
  /** Returns the lines that are whole by now, without those returned before. Null: none is. */
  push(bytes: Buffer): Buffer | null
  /** Returns the first line alone, if it is whole by now. `push` returns those behind it. */
  pushFirst(bytes: Buffer): Buffer | null
  /** Returns the last line, if it ends without a line feed. */
  end(): Buffer | null
  /** From now on only this one separates fields. */
  separateBy(delimiter: string): void
  /** What ends the lines. */
  lineEnd(): '\n' | '\r'
}

const [lineFeed, carriageReturn, quote, space] = [0x0a, 0x0d, 0x22, 0x20]
const byteOrderMark = [0xef, 0xbb, 0xbf]
const nothing = Buffer.alloc(0)

/**
 * @param delimiters what may separate fields. Within a field that begins with a double quote, the end of a line is part of
 * the line (RFC 4180); a quote elsewhere is text. Null: quotes mean nothing.
 */
export function cutLines({ delimiters, maxBytes }: { delimiters: readonly string[] | null; maxBytes: number }): Lines {
  let separators = tableOf(delimiters ?? [])
  let rest: Buffer[] = []
  let restBytes = 0
  /** What `pushFirst` left. */
  let left: Buffer = nothing
  let isInQuotes = false
  let mayOpen = delimiters !== null
  let endsByReturn: boolean | null = null
  let isBehindReturn = false
  let begun = 0

  function cut(bytes: Buffer, most: number): Buffer | null {
    let wholeTo = -1
    let lineStart = -restBytes
    let lines = 0
    let at = 0
    const endLine = (end: number) => {
      if (end - lineStart > maxBytes) throw tooLong(maxBytes)
      wholeTo = end
      lineStart = end
      mayOpen = delimiters !== null
      isInQuotes = false
      lines += 1
    }
    for (; at < bytes.length && lines < most; at++) {
      const byte = bytes[at] as number
      if (isBehindReturn) {
        isBehindReturn = false
        endsByReturn = byte !== lineFeed
        if (endsByReturn) {
          endLine(at)
          if (lines === most) break
        }
      }
      if (isInQuotes) {
        const close = byte === quote ? at : bytes.indexOf(quote, at + 1)
        if (close === -1) {
          at = bytes.length
          break
        }
        at = close
        // A quote behind it opens again: two of them are one.
        isInQuotes = false
        mayOpen = true
      } else if (byte === quote) {
        isInQuotes = mayOpen
        mayOpen = false
      } else if (byte === lineFeed && endsByReturn !== true) {
        endsByReturn = false
        endLine(at + 1)
      } else if (byte === carriageReturn && endsByReturn !== false) {
        if (endsByReturn) endLine(at + 1)
        else isBehindReturn = true
      } else if (separators[byte] === 1) mayOpen = delimiters !== null
      else if (byte !== space && !(begun + at < 3 && byte === byteOrderMark[begun + at])) mayOpen = false
    }
    begun += at
    left = at < bytes.length ? bytes.subarray(at) : nothing
    const read = left.length === 0 ? bytes : bytes.subarray(0, at)
    if (read.length - lineStart > maxBytes) throw tooLong(maxBytes)
    if (wholeTo === -1) {
      if (read.length > 0) rest.push(read)
      restBytes += read.length
      return null
    }
    const whole = read.subarray(0, wholeTo)
    const block = rest.length === 0 ? whole : Buffer.concat([...rest, whole])
    rest = wholeTo === read.length ? [] : [read.subarray(wholeTo)]
    restBytes = read.length - wholeTo
    return block
  }

  const withLeft = (bytes: Buffer) => (left.length === 0 ? bytes : Buffer.concat([left, bytes]))
  return {
    push: (bytes) => cut(withLeft(bytes), Number.POSITIVE_INFINITY),
    pushFirst: (bytes) => cut(withLeft(bytes), 1),
    end() {
      const last = Buffer.concat(rest)
      rest = []
      restBytes = 0
      return last.length === 0 ? null : last
    },
    separateBy(delimiter) {
      separators = tableOf([delimiter])
    },
    lineEnd: () => (endsByReturn || isBehindReturn ? '\r' : '\n'),
  }
}

function tableOf(delimiters: readonly string[]): Uint8Array {
  const table = new Uint8Array(256)
  for (const delimiter of delimiters) table[delimiter.charCodeAt(0)] = 1
  return table
}

export function tooLong(maxBytes: number): FileError {
  return new FileError('too_large', `A record of the file is longer than ${maxBytes} bytes.`)
}
