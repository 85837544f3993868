// Owns reading an answer's body: it undoes content encodings, and never reads past the limit, encoded or decoded.
// Requests ask for no encoding (`identity`), but not every server or cache heeds that.
import { pipeline, type Readable, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'

/** undici's answer with its body still unread. */
export interface Response {
  statusCode: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Readable & { bytes(): Promise<Uint8Array> }
}

/**
 * - `too_large`: the body exceeds the limit, before or after decoding.
 * - `unknown_encoding`: no decoder here knows the content encoding.
 * - `undecodable`: the body doesn't match its content encoding, or ends too early for it.
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
  /** The decoded body, up to the limit. */
  bytes: Buffer
  /** Why the body is incomplete: a {@link BodyError}, or the connection's error. Null: it is complete. */
  failure: unknown
}

export interface Reading {
  /** The limit on the decoded body, and on the output of each decoding step. */
  limitBytes: number
  /**
   * Called before more than `freeBytes` are kept. The server has to wait until the call settles, and its error ends the
   * reading.
   */
  beforeLarge?: { freeBytes: number; wait(): Promise<void> }
}

/**
 * Reads the body to its end or to the limit. If a rest remains, it is discarded and its connection can't be used again.
 */
export async function readBody(response: Response, { limitBytes, beforeLarge }: Reading): Promise<ReadBody> {
  const { body, headers } = response
  const freeBytes = beforeLarge?.freeBytes ?? limitBytes
  const pieces: Buffer[] = []
  let size = 0
  let failure: unknown = null
  body.on('error', () => {}) // leaving the body early is an error to undici
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

/**
 * Yields a long body, decoded, up to the limit. Whoever stops early has to discard the body.
 * @throws {BodyError}
 */
export async function* streamBody(
  { body, headers }: Response,
  { limitBytes }: { limitBytes: number },
): AsyncGenerator<Buffer> {
  body.on('error', () => {}) // leaving the body early is an error to undici
  try {
    yield* decoded(body, readCodings(headers['content-encoding']), limitBytes)
  } catch (error) {
    throw isDecoderError(error) ? new BodyError('undecodable', undecodable(headers), error) : error
  }
}

/**
 * Yields what gzip has packed, up to the limit.
 * @throws {BodyError}
 */
export async function* gunzip(source: AsyncIterable<Buffer>, limitBytes: number): AsyncGenerator<Buffer> {
  try {
    yield* limited(undone(source, 'gzip'), limitBytes)
  } catch (error) {
    throw isDecoderError(error) ? new BodyError('undecodable', 'It isn’t gzip from beginning to end.', error) : error
  }
}

/** Discards a body that nobody reads. Its connection can't be used again. */
export function discard(body: Readable): void {
  body.on('error', () => {}) // destroying it early is an error to undici
  body.destroy()
}

const decoders: Readonly<Record<string, (firstByte: number) => Transform>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  // RFC 9110 means the zlib format; some servers send the raw deflate stream inside it.
  deflate: (firstByte) => ((firstByte & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw()),
  br: () => zlib.createBrotliDecompress(),
  // The window of a browser (RFC 9659), which bounds memory.
  zstd: () => zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 } }),
}

/** No honest server needs more; each one costs memory and time. */
const maxCodings = 3

/** Returns the content encodings in the order to undo them. @throws {BodyError} `unknown_encoding` */
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

/** Yields bytes up to the limit, then throws `too_large`. */
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

/** An empty body decodes to an empty body, whatever its content encoding. */
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

/** Recognises the codes of zlib, Brotli and Zstandard, in this order. */
function isDecoderError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(Z_|ERR__ERROR_|ZSTD_)/.test(String(error.code))
}

function tooLarge(limitBytes: number): BodyError {
  return new BodyError('too_large', `The body is larger than ${limitBytes} bytes.`)
}

function undecodable(headers: Response['headers']): string {
  return `The body isn't in the content encoding ${named(headers['content-encoding'])} from beginning to end.`
}

/** Returns the header cut to a length and to characters that are safe to show. */
function named(header: string | string[] | undefined): string {
  return String(header)
    .replace(/[^\w,. *+-]/g, '?')
    .slice(0, 60)
}
