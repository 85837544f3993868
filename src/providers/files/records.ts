// Owns the formats of files: a reader takes bytes in whatever pieces they come, and gives the records that are whole.
import { type CsvFormat, readCsv } from './csv.ts'
import { readJsonDocument } from './json-document.ts'
import { readJsonLines } from './json-lines.ts'

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
}

export interface Reading {
  maxRecordBytes: number
  /** The number of the first record that will be read, from 0. */
  first: number
  decode: (bytes: Buffer) => string
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
