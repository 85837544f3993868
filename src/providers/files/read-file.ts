// Owns reading one file of records: from its beginning, or from a stored position on. Then only the rest is asked for
// where the server can do that, and otherwise the beginning is read and compared with what is known of it.
import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import { BodyError, discard, gunzip, type Response, streamBody } from '../../egress/body.ts'
import { namedCharset } from '../response.ts'
import { FileError } from './file-error.ts'
import type { Position } from './position.ts'
import { type FileFormat, type RecordReader, type Records, readRecords } from './records.ts'

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

/** Asks for the file. Returns an answer of 200, 206 or 416. */
export type OpenFile = (headers: Record<string, string>) => Promise<Response>

/** Some whole records, and the position behind them. */
export interface Block {
  records: unknown[]
  position: Position
}

export interface FileReading extends AsyncDisposable {
  /** Returns the next records. Null: the file is over. @throws {FileError} or the connection's error. */
  next(): Promise<Block | null>
  /** True: the server can give parts of the file, so that reading may pause. */
  canPause(): boolean
}

export function readFile(form: FileForm, from: Position | null, open: OpenFile): FileReading {
  const opened = createOpened(open)
  const blocks = read(form, from, opened)
  return {
    async next() {
      try {
        const { value, done } = await blocks.next()
        return done ? null : value
      } catch (error) {
        throw asFileError(error)
      }
    },
    canPause: opened.canPause,
    async [Symbol.asyncDispose]() {
      opened.discard()
      await blocks.return(undefined).catch(() => {})
    },
  }
}

function asFileError(error: unknown): unknown {
  if (error instanceof BodyError)
    return new FileError(error.kind === 'too_large' ? 'too_large' : 'malformed', `The file: ${error.message}`, error)
  return error
}

type Opened = ReturnType<typeof createOpened>

/** Remembers what is open. */
function createOpened(open: OpenFile) {
  let last: Response | null = null
  let isInParts = false
  return {
    async ask(headers: Record<string, string> = {}): Promise<Response> {
      last = await open(headers)
      if (last.statusCode === 206 || last.headers['accept-ranges'] === 'bytes') isInParts = true
      return last
    },
    canPause: () => isInParts,
    discard() {
      if (last) discard(last.body)
    },
  }
}

async function* read(form: FileForm, from: Position | null, opened: Opened): AsyncGenerator<Block, void> {
  const rest = from && (await askForRest(form, from, opened))
  if (rest === 'at_end') return
  if (from !== null && rest?.kind === 'rest') return yield* readRest(form, from, rest)
  const response = rest?.response ?? (await opened.ask())
  if (response.statusCode === 416) throw new FileError('changed', 'The file is shorter than before.')
  yield* readWhole(form, from, response)
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
  opened: Opened,
): Promise<Rest | { kind: 'whole'; response: Response } | 'at_end' | null> {
  if (validator === null || unpack === 'tarGz' || format.kind === 'json') return null
  let head: Buffer | null = null
  if (headBytes > 0) {
    const response = await opened.ask({ range: `bytes=0-${headBytes - 1}`, 'if-range': validator })
    if (response.statusCode !== 206) return { kind: 'whole', response }
    const pieces: Buffer[] = []
    for await (const piece of streamBody(response, { limitBytes: headBytes })) pieces.push(piece)
    head = Buffer.concat(pieces)
  }
  const response = await opened.ask({ range: `bytes=${bytes}-`, 'if-range': validator })
  const range = String(response.headers['content-range'] ?? '')
  if (response.statusCode === 416 && range === `bytes */${bytes}`) return 'at_end'
  if (response.statusCode === 206 && !range.startsWith(`bytes ${bytes}-`))
    throw new FileError('malformed', 'The server sent another part of the file than was asked for.')
  return response.statusCode === 206 ? { kind: 'rest', response, head } : { kind: 'whole', response }
}

async function* readRest(form: FileForm, from: Position, { response, head }: Rest): AsyncGenerator<Block, void> {
  const { limits, format } = form
  const reader = readRecords(format, {
    maxRecordBytes: limits.recordLength,
    first: from.records,
    decode: decoderOf(response),
  })
  if (head) reader.read(head)
  const source = streamBody(response, { limitBytes: Math.max(limits.bytes - from.bytes, 1) })
  yield* withPositions(form, recordsIn(source, reader), {
    from,
    hash: null,
    reader: () => reader,
    validator: validatorOf(response),
  })
}

async function* readWhole(form: FileForm, from: Position | null, response: Response): AsyncGenerator<Block, void> {
  const { format, unpack, limits } = form
  const { bytes: limitBytes } = limits
  const decode = decoderOf(response)
  const { isGzip, source } = await sniffed(streamBody(response, { limitBytes }))
  const plain = isGzip ? gunzip(source, limitBytes) : source
  const isPlain = !isGzip && response.headers['content-encoding'] === undefined
  const validator = isPlain ? validatorOf(response) : null
  const hash = createHash('sha256')
  const reading = (first: number) => ({ maxRecordBytes: limits.recordLength, first, decode })
  const isSame = () => {
    if (from === null) return true
    return from.sum === null ? validator !== null && validator === from.validator : sumOf(hash) === from.sum
  }

  if (unpack === 'tarGz' || format.kind === 'json') {
    let reader: RecordReader | undefined
    let count = 0
    const documents = unpack === 'tarGz' ? unpacked(plain) : [plain]
    const records = (async function* () {
      for await (const document of documents) {
        reader = readRecords(format, reading(count))
        for await (const some of recordsIn(document, reader)) {
          count += some.records.length
          yield some
        }
      }
    })()
    const start = { records: 0, bytes: 0, headBytes: 0 }
    return yield* withPositions(form, from ? skipRecords(records, from, { hash, isSame }) : records, {
      from: from ?? start,
      hash,
      reader: () => null,
      validator: null,
    })
  }

  const reader = readRecords(format, reading(from?.records ?? 0))
  const rest = from ? skipBytes(plain, from, { hash, reader, isSame }) : plain
  yield* withPositions(form, recordsIn(rest, reader), {
    from: from ?? { records: 0, bytes: 0, headBytes: 0 },
    hash,
    reader: () => reader,
    validator,
  })
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
    const headBytes = given.reader()?.headBytes() ?? 0
    yield {
      records,
      position: { records: count, bytes, headBytes, sum: sumOf(given.hash), validator: given.validator },
    }
  }
}

/** Reads past the beginning of a file of lines, and compares it with what was read before. */
async function* skipBytes(
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
async function* skipRecords(
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

function sumOf(hash: Hash | null): string | null {
  return hash === null ? null : hash.copy().digest('base64url').slice(0, 22)
}

const maxValidatorLength = 200

/** Returns what `If-Range` may name: a strong entity tag, else the time of the last change. */
function validatorOf({ headers }: Response): string | null {
  const { etag, 'last-modified': changedAt } = headers
  const validator = typeof etag === 'string' && etag.startsWith('"') ? etag : changedAt
  return typeof validator === 'string' && validator.length <= maxValidatorLength ? validator : null
}

function decoderOf({ headers }: Response): (bytes: Buffer) => string {
  const charset = namedCharset(headers)
  if (charset.startsWith('utf-16')) throw new FileError('malformed', `The file is in ${charset}, which isn’t read.`)
  if (charset === 'utf-8') return (bytes) => bytes.toString('utf8')
  const decoder = new TextDecoder(charset)
  return (bytes) => decoder.decode(bytes)
}

/** Looks at the first two bytes, because neither a name nor a header says for sure that a file is packed. */
async function sniffed(source: AsyncGenerator<Buffer>): Promise<{ isGzip: boolean; source: AsyncIterable<Buffer> }> {
  const pieces: Buffer[] = []
  let size = 0
  while (size < 2) {
    const { value, done } = await source.next()
    if (done) break
    pieces.push(value)
    size += value.length
  }
  const start = Buffer.concat(pieces)
  return {
    isGzip: start[0] === 0x1f && start[1] === 0x8b,
    source: (async function* () {
      if (start.length > 0) yield start
      yield* source
    })(),
  }
}

/** Yields the files of an archive, one after the other. Each has to be read before the next. */
async function* unpacked(source: AsyncIterable<Buffer>): AsyncGenerator<AsyncIterable<Buffer>> {
  const archive = extract()
  let failure: unknown
  const filled = pipeline(Readable.from(source, { objectMode: false, highWaterMark: 65_536 }), archive).catch(
    (error) => {
      failure = error
    },
  )
  try {
    for await (const entry of archive) {
      if (entry.header.type === 'file') yield entry as AsyncIterable<Buffer>
      else entry.resume()
    }
    await filled
    if (failure) throw failure
  } catch (error) {
    const cause = failure ?? error
    if (cause instanceof BodyError || cause instanceof FileError || isOfConnection(cause)) throw cause
    throw new FileError('malformed', 'The file isn’t a tar archive from beginning to end.', cause)
  }
}

/** An error of the connection has a code. tar-stream's have none. */
function isOfConnection(error: unknown): boolean {
  return error instanceof Error && 'code' in error
}
