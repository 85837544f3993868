// Owns sending an answer over the wire, broken ones included. A slow body pauses in real time, not by the clock.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Readable, type Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { createBrotliCompress, createDeflate, createGzip, createZstdCompress } from 'node:zlib'
import { pack } from 'tar-stream'
import type { TransportFault, WritingFault } from './faults.ts'
import { isJsonObject, type Json, jsonChunks, RawText, RowList, TarGz } from './json.ts'
import type { Answer } from './vendor.ts'

/** Returns the status that the client sees. Returns null if it sees none. */
export function sentStatus(answer: Answer, transport: TransportFault | null): number | null {
  switch (transport?.kind) {
    case 'timeout':
    case 'reset':
      return null
    case 'redirect':
      return 302
    case 'garbage':
    case 'wrong_shape':
      return 200
    default:
      return answer.status
  }
}

/**
 * Sends the answer, and resolves when it is sent. `timeout` resolves at once and leaves the request open. Rejects if
 * the client leaves.
 */
export async function send(
  response: ServerResponse,
  answer: Answer,
  transport: TransportFault | null = null,
  writing: readonly WritingFault[] = [],
): Promise<void> {
  switch (transport?.kind) {
    case undefined:
      return sendWhole(response, answer, writing)
    case 'timeout':
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'reset_after_answer':
      response.once('finish', () => response.socket?.resetAndDestroy())
      return sendWhole(response, answer, writing)
    case 'truncated':
      return sendHalf(response, answer, writing)
    case 'slow_body':
      return sendSlowly(response, answer, writing, transport.overMs)
    case 'invalid_http':
      return sendInvalid(response, answer, writing)
    case 'too_large':
      return sendWhole(response, { ...answer, body: padded(answer.body, transport.bytes) }, writing)
    case 'garbage': {
      const body = new RawText('<html><body>Be right back!</body></html>')
      return sendWhole(response, { status: 200, headers: { 'content-type': 'text/html' }, body }, writing)
    }
    case 'wrong_shape':
      return sendWhole(response, { status: 200, headers: {}, body: [] }, writing)
    case 'redirect':
      return sendWhole(response, { status: 302, headers: { location: '/moved' }, body: new RawText('') }, writing)
  }
}

/** Sends a body of more than one piece in chunks, as fast as the client reads. */
async function sendWhole(response: ServerResponse, answer: Answer, writing: readonly WritingFault[]): Promise<void> {
  writeHead(response, answer, writing)
  await pipeline([bytesOf(answer.body, writing), ...compressors(writing), response])
}

async function sendHalf(response: ServerResponse, answer: Answer, writing: readonly WritingFault[]): Promise<void> {
  const bytes = await allBytes(answer.body, writing)
  writeHead(response, answer, writing, { 'content-length': bytes.length })
  // Destroys the response only once the half is sent. Otherwise the client would see no answer at all.
  await new Promise<void>((resolve) => response.write(bytes.subarray(0, bytes.length / 2), () => resolve()))
  response.destroy()
}

const slowPieces = 20

async function sendSlowly(
  response: ServerResponse,
  answer: Answer,
  writing: readonly WritingFault[],
  overMs: number,
): Promise<void> {
  const bytes = await allBytes(answer.body, writing)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  writeHead(response, answer, writing)
  response.flushHeaders()
  const length = Math.ceil(bytes.length / slowPieces)
  for (let start = 0; start < bytes.length; start += length) {
    await pause(overMs / slowPieces, undefined, { signal: gone.signal })
    response.write(bytes.subarray(start, start + length))
  }
  response.end()
}

/** Sends what lenient servers write: lines that end without a carriage return. */
async function sendInvalid(response: ServerResponse, answer: Answer, writing: readonly WritingFault[]): Promise<void> {
  const bytes = await allBytes(answer.body, writing)
  const headers = { ...headersOf(answer, writing), 'content-length': bytes.length }
  const lines = Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((one) => `${name}: ${one}`))
  response.socket?.end(
    Buffer.concat([Buffer.from([`HTTP/1.1 ${answer.status} OK`, ...lines, '', ''].join('\n')), bytes]),
  )
}

function writeHead(
  response: ServerResponse,
  answer: Answer,
  writing: readonly WritingFault[],
  more: OutgoingHttpHeaders = {},
): void {
  if (answer.headers.date === null) response.sendDate = false
  response.writeHead(answer.status, { ...headersOf(answer, writing), ...more })
}

const cookieLength = 4_096

function headersOf(answer: Answer, writing: readonly WritingFault[]): OutgoingHttpHeaders {
  const given = { 'content-type': 'application/json', ...answer.headers }
  const headers: OutgoingHttpHeaders = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
  for (const fault of writing) {
    if (fault.kind === 'compressed') headers['content-encoding'] = fault.encoding
    if (fault.kind === 'charset' && fault.declared) {
      headers['content-type'] = `${headers['content-type'] ?? 'application/json'}; charset=${fault.charset}`
    }
    if (fault.kind === 'large_headers') {
      const cookies = Array.from({ length: Math.ceil(fault.bytes / cookieLength) }, (_, index) =>
        `filler-${index}=`.padEnd(Math.min(cookieLength, fault.bytes), 'x'),
      )
      headers['set-cookie'] = [headers['set-cookie'] ?? []].flat().map(String).concat(cookies)
    }
  }
  return headers
}

function bytesOf(body: Json, writing: readonly WritingFault[]): Readable {
  if (body instanceof TarGz) return Readable.from(tarOf(body)).compose(createGzip())
  const charset = writing.find((fault) => fault.kind === 'charset')?.charset
  const encoding = charset === undefined ? 'utf8' : bufferEncodings[charset]
  return Readable.from(encoded(jsonChunks(body), encoding))
}

/** Makes one file at a time, because its length stands before it. */
async function* tarOf(archive: TarGz): AsyncGenerator<Buffer> {
  const tar = pack()
  const written = (async () => {
    for (let index = 0; index < archive.length; index++) {
      const { name, body } = archive.at(index)
      const bytes = Buffer.from([...jsonChunks(body)].join(''))
      await new Promise<void>((resolve, reject) => {
        tar.entry({ name, size: bytes.length }, (error) => (error ? reject(error) : resolve())).end(bytes)
      })
    }
    tar.finalize()
  })()
  written.catch((error: Error) => tar.destroy(error))
  yield* tar as AsyncIterable<Buffer>
}

function* encoded(texts: Iterable<string>, encoding: BufferEncoding): Generator<Buffer> {
  for (const text of texts) yield Buffer.from(text, encoding)
}

const bufferEncodings = { 'iso-8859-1': 'latin1', 'utf-16le': 'utf16le' } as const

const createCompressor = {
  gzip: createGzip,
  br: createBrotliCompress,
  deflate: createDeflate,
  zstd: createZstdCompress,
} as const

function compressors(writing: readonly WritingFault[]): Transform[] {
  return writing.filter((fault) => fault.kind === 'compressed').map(({ encoding }) => createCompressor[encoding]())
}

async function allBytes(body: Json, writing: readonly WritingFault[]): Promise<Buffer> {
  let bytes: Readable = bytesOf(body, writing)
  for (const compressor of compressors(writing)) bytes = bytes.compose(compressor)
  return buffer(bytes)
}

const padLength = 65_536

/** Returns the same answer with a field of padding, still well-formed. */
function padded(body: Json, bytes: number): Json {
  const padding = new RowList(Math.ceil(bytes / padLength), () => 'x'.repeat(padLength))
  return { ...(isJsonObject(body) ? body : {}), padding }
}
