// Owns reading an answer's body: with its content encodings undone, and never more of it than asked for, whatever it
// would become. We ask for no encoding (`identity`), but not every server or cache in between heeds that.
import { pipeline, type Readable, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'

/** An answer whose body is still to be read: undici's. */
export interface Response {
  statusCode: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Readable & { bytes(): Promise<Uint8Array> }
}

/**
 * - `too_large`: there is more of it than the limit, before or after an encoding was undone.
 * - `unknown_encoding`: nobody here can undo its content encoding.
 * - `undecodable`: it isn't what its content encoding says, or ends too early for it.
 */
export class BodyError extends Error {
  override name = 'BodyError'
  readonly kind: 'too_large' | 'unknown_encoding' | 'undecodable'

  constructor(kind: BodyError['kind'], message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

export interface ReadBody {
  /** What came of it, at most as many bytes as the limit. */
  bytes: Buffer
  /** Why that isn't all of it, a {@link BodyError} or what broke the connection; null: it is. */
  failure: unknown
}

export interface Reading {
  /** Of the body with its encodings undone, and of each step on the way there. */
  limitBytes: number
  /** Called before more than `freeBytes` are kept; the server is held up until it settles. Its error ends the reading. */
  beforeLarge?: { freeBytes: number; wait(): Promise<void> }
}

/** Reads it to its end or to the limit, and lets go of the rest, with whose connection nothing more can be asked. */
export async function readBody(response: Response, { limitBytes, beforeLarge }: Reading): Promise<ReadBody> {
  const { body, headers } = response
  const freeBytes = beforeLarge?.freeBytes ?? limitBytes
  const pieces: Buffer[] = []
  let size = 0
  let failure: unknown = null
  body.on('error', () => {}) // leaving it early is an error to undici
  try {
    const codings = readCodings(headers['content-encoding'])
    for await (const piece of decoded(body, codings, limitBytes)) {
      if (size <= freeBytes && size + piece.length > freeBytes) await beforeLarge?.wait()
      pieces.push(piece)
      size += piece.length
    }
  } catch (error) {
    failure = isDecoderError(error) ? new BodyError('undecodable', undecodable(headers), error) : error
  } finally {
    if (!body.readableEnded) body.destroy()
  }
  return { bytes: Buffer.concat(pieces), failure }
}

/** Lets go of a body that nobody reads. Its connection can't be used again. */
export function discard(body: Readable): void {
  body.on('error', () => {}) // destroying it early is an error to undici
  body.destroy()
}

const decoders: Readonly<Record<string, (firstByte: number) => Transform>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  // RFC 9110 means zlib's format; some servers send what is inside it.
  deflate: (firstByte) => ((firstByte & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw()),
  br: () => zlib.createBrotliDecompress(),
  // As much memory as a browser would spend (RFC 9659).
  zstd: () => zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 } }),
}

/** Nobody needs more at once; each costs memory and time. */
const maxCodings = 3

/** In the order in which they are undone. @throws {BodyError} `unknown_encoding` */
function readCodings(header: string | string[] | undefined): string[] {
  if (header === undefined) return []
  const codings = [header]
    .flat()
    .flatMap((value) => value.split(','))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > maxCodings || !codings.every((coding) => Object.hasOwn(decoders, coding)))
    throw new BodyError('unknown_encoding', `The content encoding ${named(header)} can't be undone.`)
  return codings.reverse()
}

function decoded(body: Readable, codings: readonly string[], limitBytes: number): AsyncIterable<Buffer> {
  return codings.reduce(
    (source, coding) => limited(undone(source, coding), limitBytes),
    limited(body as AsyncIterable<Buffer>, limitBytes),
  )
}

/** What is up to the limit; then it fails as `too_large`. */
async function* limited(source: AsyncIterable<Buffer>, limitBytes: number): AsyncGenerator<Buffer> {
  let size = 0
  for await (const piece of source) {
    const room = limitBytes - size
    if (piece.length > room) {
      yield piece.subarray(0, room)
      throw tooLarge(limitBytes)
    }
    size += piece.length
    yield piece
  }
}

/** A body of no bytes is none, whatever it is said to be encoded as. */
async function* undone(source: AsyncIterable<Buffer>, coding: string): AsyncGenerator<Buffer> {
  const pieces = source[Symbol.asyncIterator]()
  const first = await pieces.next()
  if (first.done) return
  const decoder = decoders[coding]?.(first.value[0] ?? 0)
  if (decoder) yield* pipeline(rejoined(first.value, pieces), decoder, () => {}) as AsyncIterable<Buffer>
}

async function* rejoined(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* { [Symbol.asyncIterator]: () => rest }
}

/** By the codes of zlib, Brotli and Zstandard, in this order. */
function isDecoderError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(Z_|ERR__ERROR_|ZSTD_)/.test(String(error.code))
}

function tooLarge(limitBytes: number): BodyError {
  return new BodyError('too_large', `The body is larger than ${limitBytes} bytes.`)
}

function undecodable(headers: Response['headers']): string {
  return `The body isn't in the content encoding ${named(headers['content-encoding'])} from beginning to end.`
}

/** As much of a header as is a name. */
function named(header: string | string[] | undefined): string {
  return String(header)
    .replace(/[^\w,. *+-]/g, '?')
    .slice(0, 60)
}
