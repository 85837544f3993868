// Owns undoing what a file is packed in, down to the UTF-8 of its records: gzip, an archive, another charset.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import { BodyError, gunzip } from '../../egress/body.ts'
import { FileError } from './file-error.ts'

export interface Plain {
  /** True: the bytes are those that came. */
  isAsSent: boolean
  source: AsyncIterable<Buffer>
}

/** Undoes gzip, if the first two bytes say so: neither a name nor a header says for sure that a file is packed. */
export async function ungzipped(source: AsyncGenerator<Buffer>, limitBytes: number): Promise<Plain> {
  const { start, whole } = await peek(source)
  const isGzip = start[0] === 0x1f && (start[1] ?? 0x8b) === 0x8b
  return isGzip ? { isAsSent: false, source: gunzip(whole, limitBytes) } : { isAsSent: true, source: whole }
}

/** Makes UTF-8 of any charset. Two bytes at the beginning tell UTF-16, whatever `charset` the headers name. */
export async function inUtf8(source: AsyncIterable<Buffer>, charset: string): Promise<Plain> {
  const { start, whole } = await peek(source[Symbol.asyncIterator]())
  const from = markedUtf16(start) ?? charset
  return from === 'utf-8' ? { isAsSent: true, source: whole } : { isAsSent: false, source: recoded(whole, from) }
}

function markedUtf16([first, second]: Buffer): string | null {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : null
}

async function* recoded(source: AsyncIterable<Buffer>, charset: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(charset)
  for await (const bytes of source) {
    const text = decoder.decode(bytes, { stream: true })
    if (text !== '') yield Buffer.from(text)
  }
  const rest = decoder.decode()
  if (rest !== '') yield Buffer.from(rest)
}

/** Returns the first two bytes, if there are so many, and all of them again. */
async function peek(source: AsyncIterator<Buffer>): Promise<{ start: Buffer; whole: AsyncGenerator<Buffer> }> {
  const pieces: Buffer[] = []
  let size = 0
  while (size < 2) {
    const { value, done } = await source.next()
    if (done) break
    pieces.push(value)
    size += value.length
  }
  const start = Buffer.concat(pieces)
  const whole = (async function* () {
    if (start.length > 0) yield start
    yield* { [Symbol.asyncIterator]: () => source }
  })()
  return { start, whole }
}

/** Yields the files of an archive, one after the other. Each has to be read before the next. */
export async function* unpacked(source: AsyncIterable<Buffer>): AsyncGenerator<AsyncIterable<Buffer>> {
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
