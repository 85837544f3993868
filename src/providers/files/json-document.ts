// Owns reading a JSON document of many records, without ever having the whole of it: the elements of its list, or the
// one object that it is.
import { parseAnswer } from '../response.ts'
import { FileError } from './file-error.ts'
import { tooLong } from './lines.ts'
import type { Reading, RecordReader } from './records.ts'

const [space, quote, backslash, comma] = [0x20, 0x22, 0x5c, 0x2c]
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]
const byteOrderMark = [0xef, 0xbb, 0xbf]

export function readJsonDocument({ maxRecordBytes, from }: Reading): RecordReader {
  let place: 'before' | 'list' | 'object' | 'behind' = 'before'
  let held: Buffer[] = []
  let heldBytes = 0
  let depth = 0
  let isInText = false
  let isEscaped = false
  let marks = 0
  let number = from?.records ?? 0
  /** What a list goes on with. */
  let wanted: 'first' | 'value' | 'comma' = 'first'

  function recordOf(bytes: Buffer) {
    number += 1
    const record = parseAnswer(bytes.toString('utf8'))
    if (record === undefined) throw new FileError('malformed', `Record ${number} of the file isn't JSON.`)
    return record
  }

  return {
    read(bytes) {
      const records: unknown[] = []
      const read: Buffer[] = []
      let start = heldBytes > 0 ? 0 : -1

      const take = (end: number) => {
        const piece = bytes.subarray(start, end)
        const whole = held.length === 0 ? piece : Buffer.concat([...held, piece])
        if (whole.length > maxRecordBytes) throw tooLong(maxRecordBytes)
        records.push(recordOf(whole))
        read.push(whole)
        held = []
        heldBytes = 0
        start = -1
        wanted = 'comma'
      }

      for (let at = 0; at < bytes.length; at++) {
        const byte = bytes[at] as number
        const isInRecord = start !== -1
        if (!isInRecord) {
          if (byte <= space) continue
          if (place === 'before') {
            if (byte === byteOrderMark[marks]) {
              marks += 1
              continue
            }
            if (byte === openList) place = 'list'
            else if (byte === openObject) {
              place = 'object'
              start = at
              depth = 1
            } else throw new FileError('malformed', 'The file is neither a JSON list nor an object.')
            continue
          }
          if (place === 'behind') throw new FileError('malformed', 'The file goes on behind the end of its JSON.')
          if (byte === comma) {
            if (wanted !== 'comma') throw oddComma()
            wanted = 'value'
            continue
          }
          if (byte === closeList) {
            if (wanted === 'value') throw oddComma()
            place = 'behind'
            continue
          }
          if (wanted === 'comma')
            throw new FileError('malformed', `Record ${number} of the file has no comma behind it.`)
          start = at
          depth = 0
        }
        if (isInText) {
          if (isEscaped) isEscaped = false
          else if (byte === backslash) isEscaped = true
          else if (byte === quote) isInText = false
        } else if (byte === quote) isInText = true
        else if (byte === openObject || byte === openList) depth += 1
        else if (byte === closeObject || (byte === closeList && depth > 0)) {
          depth -= 1
          if (depth === 0) {
            take(at + 1)
            if (place === 'object') place = 'behind'
          }
        } else if (depth === 0 && (byte === comma || byte === closeList)) {
          take(at)
          if (byte === comma) wanted = 'value'
          else place = 'behind'
        }
      }
      if (start !== -1) {
        held.push(bytes.subarray(start))
        heldBytes += bytes.length - start
        if (heldBytes > maxRecordBytes) throw tooLong(maxRecordBytes)
      }
      return records.length === 0 ? null : { records, bytes: read }
    },
    end() {
      if (place === 'before') throw new FileError('malformed', 'The file is empty, which is no JSON.')
      if (place !== 'behind') throw new FileError('malformed', 'The file ends within its JSON.')
      return null
    },
    headBytes: () => 0,
    lines: () => null,
  }
}

function oddComma(): FileError {
  return new FileError('malformed', 'The file’s list has a comma too many.')
}
