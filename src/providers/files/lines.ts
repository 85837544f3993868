// Owns cutting the bytes of a file into blocks of whole lines, in whatever pieces they come. Within quotes a line feed
// is part of the line. Only ASCII is looked at, so the charset may be any that contains it.
import { FileError } from './file-error.ts'

export interface Lines {
  /** Returns the lines that are whole by now, without those returned before. Null: none is. */
  push(bytes: Buffer): Buffer | null
  /** Returns the last line, if it ends without a line feed. */
  end(): Buffer | null
}

const lineFeed = 0x0a
const quote = 0x22

/** @param quoted true: line feeds within double quotes belong to the line (RFC 4180). */
export function cutLines({ quoted, maxBytes }: { quoted: boolean; maxBytes: number }): Lines {
  let rest: Buffer[] = []
  let restBytes = 0
  let isInQuotes = false

  return {
    push(bytes) {
      let wholeTo = 0
      let lineStart = -restBytes
      for (let at = 0; at < bytes.length; at++) {
        const byte = bytes[at]
        if (quoted && byte === quote) isInQuotes = !isInQuotes
        else if (byte === lineFeed && !isInQuotes) {
          if (at - lineStart > maxBytes) throw tooLong(maxBytes)
          wholeTo = at + 1
          lineStart = wholeTo
        }
      }
      if (bytes.length - lineStart > maxBytes) throw tooLong(maxBytes)
      if (wholeTo === 0) {
        rest.push(bytes)
        restBytes += bytes.length
        return null
      }
      const block =
        rest.length === 0 ? bytes.subarray(0, wholeTo) : Buffer.concat([...rest, bytes.subarray(0, wholeTo)])
      rest = wholeTo === bytes.length ? [] : [bytes.subarray(wholeTo)]
      restBytes = bytes.length - wholeTo
      return block
    },
    end() {
      const last = Buffer.concat(rest)
      rest = []
      restBytes = 0
      return last.length === 0 ? null : last
    },
  }
}

export function tooLong(maxBytes: number): FileError {
  return new FileError('too_large', `A record of the file is longer than ${maxBytes} bytes.`)
}
