// Owns the formats of files: a reader takes UTF-8 in whatever pieces it comes, and gives the records that are whole.
import { type CsvFormat, readCsv } from './csv.ts'
import { readJsonDocument } from './json-document.ts'
import { readJsonLines } from './json-lines.ts'
import type { Position } from './position.ts'

export type FileFormat = CsvFormat | { kind: 'jsonl' } | { kind: 'json' }

export interface Records {
  records: unknown[]
  /** Their bytes: of a JSON document one buffer for each, of lines all bytes since the last ones. */
  bytes: Buffer[]
}

export interface RecordReader {
  /** Returns the records that are whole by now, without those returned before. Null: none is. */
  read(bytes: Buffer): Records | null
  /** Returns the rest at the end of the file. */
  end(): Records | null
  /** How many bytes the header takes. */
  headBytes(): number
  /** How many lines were read. Null: the format has none, or nobody knows. */
  lines(): number | null
}

export interface Reading {
  maxRecordBytes: number
  /** Where the reading goes on, behind the header. Null: at the beginning. */
  from: Pick<Position, 'records' | 'lines'> | null
}

/** @throws {FileError} while reading. */
export function readRecords(format: FileFormat, reading: Reading): RecordReader {
  switch (format.kind) {
    case 'csv':
      return readCsv(format, reading)
    case 'jsonl':
      return readJsonLines(reading)
    case 'json':
      return readJsonDocument(reading)
  }
}
