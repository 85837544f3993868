// Owns reading JSON lines: one JSON value a line. Empty lines are none.
import { parseAnswer } from '../response.ts'
import { FileError } from './file-error.ts'
import { cutLines } from './lines.ts'
import type { RecordReader } from './records.ts'

/** @param first the number of the first record that will be read. */
export function readJsonLines({
  maxRecordBytes,
  first,
  decode,
}: {
  maxRecordBytes: number
  first: number
  decode: (bytes: Buffer) => string
}): RecordReader {
  const lines = cutLines({ quoted: false, maxBytes: maxRecordBytes })
  let number = first

  function readBlock(block: Buffer) {
    const records: unknown[] = []
    for (const line of decode(block).split('\n')) {
      if (line.trim() === '') continue
      number += 1
      const record = parseAnswer(line.trim())
      if (record === undefined) throw new FileError('malformed', `Record ${number} of the file isn't JSON.`)
      records.push(record)
    }
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
  }
}
