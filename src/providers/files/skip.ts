// Owns reading past the beginning of a file whose records are stored, and comparing it with what was read then.
import type { Hash } from 'node:crypto'
import { FileError } from './file-error.ts'
import type { Position } from './position.ts'
import type { RecordReader, Records } from './records.ts'

/** Reads past the beginning of a file of lines, and compares it with what was read before. */
export async function* skipBytes(
  source: AsyncIterable<Buffer>,
  from: Position,
  { hash, reader, isSame }: { hash: Hash; reader: RecordReader; isSame: () => boolean },
): AsyncGenerator<Buffer> {
  let left = from.bytes
  let headLeft = from.headBytes
  for await (const bytes of source) {
    const skipped = bytes.subarray(0, left)
    hash.update(skipped)
    if (headLeft > 0) reader.read(skipped.subarray(0, headLeft))
    headLeft = Math.max(headLeft - skipped.length, 0)
    left -= skipped.length
    if (left > 0) continue
    if (skipped.length > 0 && !isSame()) throw changed()
    if (skipped.length < bytes.length) yield bytes.subarray(skipped.length)
  }
  if (left > 0) throw changed()
}

/** Reads past the first records of a document. They may come in other pieces than the first time. */
export async function* skipRecords(
  source: AsyncIterable<Records>,
  from: Position,
  { hash, isSame }: { hash: Hash; isSame: () => boolean },
): AsyncGenerator<Records> {
  let left = from.records
  for await (const { records, bytes } of source) {
    const skipped = Math.min(left, records.length)
    for (const one of bytes.slice(0, skipped)) hash.update(one)
    left -= skipped
    if (left === 0 && skipped > 0 && !isSame()) throw changed()
    if (skipped < records.length) yield { records: records.slice(skipped), bytes: bytes.slice(skipped) }
  }
  if (left > 0) throw changed()
}

function changed(): FileError {
  return new FileError('changed', 'The file is no longer the one whose beginning was read.')
}
