// Owns reading one file of records: from its beginning, or from a stored position on. Then only the rest is asked for
// where the server can do that, and otherwise the beginning is read and compared with what is known of it.
import { createHash, type Hash } from 'node:crypto'
import { BodyError, type Response } from '../../egress/body.ts'
import { namedCharset } from '../response.ts'
import { type AskedFile, createAskedFile, defaultPace, type OpenFile, type Pace, validatorOf } from './asked-file.ts'
import { FileError } from './file-error.ts'
import type { Position } from './position.ts'
import { type FileFormat, type RecordReader, type Records, readRecords } from './records.ts'
import { skipBytes, skipRecords } from './skip.ts'
import { inUtf8, ungzipped, unpacked } from './unpack.ts'

export interface FileForm {
  format: FileFormat
  /** Gzip is undone wherever it is found. */
  unpack: 'none' | 'gzip' | 'tarGz'
  limits: FileLimits
}

export interface FileLimits {
  /** Of the file, decoded, and of what the server sends. */
  bytes: number
  records: number
  /** Of one record, in bytes. */
  recordLength: number
}

/** Some whole records, and the position behind them. */
export interface Block {
  records: unknown[]
  position: Position
}

export interface FileReading extends AsyncDisposable {
  /** Returns the next records. Null: the file is over. @throws {FileError} or the connection's error. */
  next(): Promise<Block | null>
  /** True: the server can give the rest behind the last records, so that reading may pause. */
  canPause(): boolean
}

export function readFile(form: FileForm, from: Position | null, open: OpenFile, pace: Pace = defaultPace): FileReading {
  const file = createAskedFile(open, pace)
  const blocks = read(form, from, file)
  let at = from
  return {
    async next() {
      try {
        const { value, done } = await blocks.next()
        if (done) return null
        at = value.position
        return value
      } catch (error) {
        throw asFileError(error)
      }
    },
    canPause: () => file.givesParts() && at !== null && at.validator !== null,
    async [Symbol.asyncDispose]() {
      file.discard()
      await blocks.return(undefined).catch(() => {})
    },
  }
}

function asFileError(error: unknown): unknown {
  if (error instanceof BodyError)
    return new FileError(error.kind === 'too_large' ? 'too_large' : 'malformed', `The file: ${error.message}`, error)
  return error
}

async function* read(form: FileForm, from: Position | null, file: AskedFile): AsyncGenerator<Block, void> {
  const rest = from && (await askForRest(form, from, file))
  if (rest === 'at_end') return
  if (from !== null && rest?.kind === 'rest') return yield* readRest(form, from, rest, file)
  const response = rest?.response ?? (await file.ask())
  if (response.statusCode === 416) throw new FileError('changed', 'The file is shorter than before.')
  yield* readWhole(form, from, response, file)
}

interface Rest {
  kind: 'rest'
  response: Response
  head: Buffer | null
}

/** Asks for the file from the position on. The server may send all of it instead: it can't do parts, or it changed. */
async function askForRest(
  { format, unpack }: FileForm,
  { bytes, headBytes, validator }: Position,
  file: AskedFile,
): Promise<Rest | { kind: 'whole'; response: Response } | 'at_end' | null> {
  if (validator === null || unpack === 'tarGz' || format.kind === 'json') return null
  let head: Buffer | null = null
  if (headBytes > 0) {
    const response = await file.ask({ range: `bytes=0-${headBytes - 1}`, 'if-range': validator })
    if (response.statusCode !== 206) return { kind: 'whole', response }
    const pieces: Buffer[] = []
    for await (const piece of file.bytesOf(response, { limitBytes: headBytes })) pieces.push(piece)
    head = Buffer.concat(pieces)
  }
  const response = await file.ask({ range: `bytes=${bytes}-`, 'if-range': validator })
  const range = String(response.headers['content-range'] ?? '')
  if (response.statusCode === 416 && range === `bytes */${bytes}`) return 'at_end'
  if (response.statusCode === 206 && !range.startsWith(`bytes ${bytes}-`))
    throw new FileError('malformed', 'The server sent another part of the file than was asked for.')
  return response.statusCode === 206 ? { kind: 'rest', response, head } : { kind: 'whole', response }
}

async function* readRest(
  form: FileForm,
  from: Position,
  { response, head }: Rest,
  file: AskedFile,
): AsyncGenerator<Block, void> {
  const { limits, format } = form
  const reader = readRecords(format, { maxRecordBytes: limits.recordLength, from })
  if (head) reader.read(head)
  const source = file.bytesOf(response, { limitBytes: Math.max(limits.bytes - from.bytes, 1) })
  const behind = { from, hash: null, reader: () => reader, validator: validatorOf(response) }
  yield* withPositions(form, recordsIn(source, reader), behind)
}

const start = { records: 0, bytes: 0, headBytes: 0, lines: 0 }

async function* readWhole(
  form: FileForm,
  from: Position | null,
  response: Response,
  file: AskedFile,
): AsyncGenerator<Block, void> {
  const { format, unpack, limits } = form
  const charset = namedCharset(response.headers)
  const { isAsSent, source: plain } = await ungzipped(
    file.bytesOf(response, { limitBytes: limits.bytes }),
    limits.bytes,
  )
  const hash = createHash('sha256')
  const isSame = (validator: string | null) => () => {
    if (from === null) return true
    return from.sum === null ? validator !== null && validator === from.validator : sumOf(hash) === from.sum
  }
  const maxRecordBytes = limits.recordLength

  if (unpack === 'tarGz' || format.kind === 'json') {
    const documents = unpack === 'tarGz' ? unpacked(plain) : [plain]
    const records = recordsOfAll(documents, charset, (count) =>
      readRecords(format, { maxRecordBytes, from: { records: count, lines: null } }),
    )
    const rest = from ? skipRecords(records, from, { hash, isSame: isSame(null) }) : records
    return yield* withPositions(form, rest, { from: from ?? start, hash, reader: () => null, validator: null })
  }

  const { isAsSent: isUtf8, source } = await inUtf8(plain, charset)
  const isPlain = isAsSent && isUtf8 && response.headers['content-encoding'] === undefined
  const validator = isPlain ? validatorOf(response) : null
  const reader = readRecords(format, { maxRecordBytes, from })
  const rest = from ? skipBytes(source, from, { hash, reader, isSame: isSame(validator) }) : source
  yield* withPositions(form, recordsIn(rest, reader), { from: from ?? start, hash, reader: () => reader, validator })
}

async function* recordsOfAll(
  documents: AsyncIterable<AsyncIterable<Buffer>> | Iterable<AsyncIterable<Buffer>>,
  charset: string,
  readerFrom: (count: number) => RecordReader,
): AsyncGenerator<Records> {
  let count = 0
  for await (const document of documents) {
    const { source } = await inUtf8(document, charset)
    for await (const some of recordsIn(source, readerFrom(count))) {
      count += some.records.length
      yield some
    }
  }
}

async function* recordsIn(source: AsyncIterable<Buffer>, reader: RecordReader): AsyncGenerator<Records> {
  for await (const bytes of source) {
    const some = reader.read(bytes)
    if (some) yield some
  }
  const last = reader.end()
  if (last) yield last
}

async function* withPositions(
  { limits }: FileForm,
  source: AsyncIterable<Records>,
  given: {
    from: Pick<Position, 'records' | 'bytes' | 'headBytes'>
    hash: Hash | null
    reader: () => RecordReader | null
    validator: string | null
  },
): AsyncGenerator<Block, void> {
  let { records: count, bytes } = given.from
  for await (const { records, bytes: read } of source) {
    count += records.length
    for (const one of read) {
      bytes += one.length
      given.hash?.update(one)
    }
    if (count > limits.records) throw new FileError('too_large', `The file has more than ${limits.records} records.`)
    const reader = given.reader()
    const headBytes = reader?.headBytes() ?? 0
    const lines = reader?.lines() ?? null
    const { validator } = given
    yield { records, position: { records: count, bytes, headBytes, lines, sum: sumOf(given.hash), validator } }
  }
}

function sumOf(hash: Hash | null): string | null {
  return hash === null ? null : hash.copy().digest('base64url').slice(0, 22)
}
