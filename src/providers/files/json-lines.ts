// Owns reading JSON lines: one JSON value a line. Blank lines are none.
import { parseAnswer } from '../response.ts'
import { placeOf } from './cells.ts'
import { FileError } from './file-error.ts'
import { cutLines } from './lines.ts'
import type { Reading, RecordReader } from './records.ts'

export function readJsonLines({ maxRecordBytes, from }: Reading): RecordReader {
  const lines = cutLines({ delimiters: null, maxBytes: maxRecordBytes })
  let line = from === null ? 0 : from.lines

  function readBlock(block: Buffer) {
    const records: unknown[] = []
    const texts = block.toString('utf8').split(lines.lineEnd())
    // Behind the end of the last line there is nothing.
    if (texts.at(-1) === '') texts.pop()
    for (const [at, text] of texts.entries()) {
      if (text.trim() === '') continue
      const record = parseAnswer(text.trim())
      if (record === undefined) throw new FileError('malformed', `${placeOf(line, at)} isn't JSON.`)
      records.push(record)
    }
    if (line !== null) line += texts.length
    return { records, bytes: [block] }
  }

  return {
    read(bytes) {
      const block = lines.push(bytes)
      return block && readBlock(block)
    },
    end() {
      const block = lines.end()
      return block && readBlock(block)
    },
    headBytes: () => 0,
    lines: () => line,
  }
}
