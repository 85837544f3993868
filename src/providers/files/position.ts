// Owns a place in a file, and the cursor that it is stored as. The cursor is all that is known of a file after a crash.

/** Behind a whole record. */
export interface Position {
  /** How many records are before it. */
  records: number
  /** How many decoded bytes are before it. Of a format without lines: those of its records. */
  bytes: number
  /** How many of them are the header's. */
  headBytes: number
  /** How many lines are before it. Null: the format has none, or nobody knows. */
  lines: number | null
  /** A digest of these bytes. Null: the reading began in the middle. */
  sum: string | null
  /** By which the server knows the file (`If-Range`). Null: parts of it can't be asked for. */
  validator: string | null
}

/** A place in one of the files of a job. `at` is null at its beginning. */
export interface Place {
  file: number
  at: Position | null
}

export function cursorOf({ file, at }: Place): string {
  return JSON.stringify(
    at === null ? [file] : [file, at.records, at.bytes, at.headBytes, at.sum, at.validator, at.lines],
  )
}

/** Reads a cursor. The one of the first page is the beginning of the first file. */
export function placeOf(cursor: string): Place {
  if (cursor === '') return { file: 0, at: null }
  // Earlier cursors have no lines.
  const [file, records, bytes, headBytes, sum, validator, lines = null] = JSON.parse(cursor)
  return { file, at: records === undefined ? null : { records, bytes, headBytes, lines, sum, validator } }
}
