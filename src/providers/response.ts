// Owns reading a vendor's answer: at most so many bytes of it, as JSON, in the charset that it names or in UTF-8.
import type { Readable } from 'node:stream'
import { parseJsonAsWritten } from '../json.ts'
import { ProviderError } from './error.ts'

/** An answer whose body is still to be read: undici's. */
export interface Response {
  statusCode: number
  headers: Record<string, string | string[] | undefined>
  body: Readable & { bytes(): Promise<Uint8Array> }
}

type Body = Response['body']

/** Of an error's body. */
const errorBodyLimitBytes = 64 * 1024

/**
 * The whole body as text.
 * @throws {ProviderError} `response_too_large`, as soon as that is known.
 */
export async function readText({ body, headers, statusCode }: Response, limitBytes: number): Promise<string> {
  const announced = Number(headers['content-length'])
  if (announced <= limitBytes) return decode(await body.bytes(), headers) // undici holds the server to it
  const { bytes, isCut } = announced > limitBytes ? await cut(body) : await readStart(body, limitBytes)
  if (!isCut) return decode(bytes, headers)
  const message = `The provider's answer is larger than the limit of ${limitBytes} bytes.`
  throw new ProviderError('response_too_large', message, { status: statusCode })
}

/** The start of an error's body: what can be read of it, for a message. */
export async function readErrorText({ body, headers }: Response): Promise<string> {
  return decode((await readStart(body, errorBodyLimitBytes)).bytes, headers)
}

/** Lets go of a body that nobody reads. Its connection can't be used again. */
export function discard(body: Body): void {
  body.on('error', () => {}) // destroying it early is an error to undici
  body.destroy()
}

/**
 * The JSON with its numbers as they were written. NaN and the infinities, which JSON doesn't have and some vendors send,
 * are null. Undefined: it isn't JSON. (JSON has no undefined.)
 */
export function parseAnswer(text: string): unknown {
  const json = tryParse(text)
  if (json !== undefined || !noNumber.test(text)) return json
  return tryParse(text.replace(textOrNoNumber, nullForNoNumber))
}

const noNumber = /NaN|Infinity/
const textOrNoNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:NaN|Infinity)/gs

function nullForNoNumber(found: string): string {
  return found.startsWith('"') ? found : 'null'
}

function tryParse(text: string): unknown {
  try {
    return parseJsonAsWritten(text)
  } catch {
    return undefined // it isn't JSON, or is nested more deeply than anybody's answer
  }
}

interface Read {
  bytes: Uint8Array
  isCut: boolean
}

async function cut(body: Body): Promise<Read> {
  discard(body)
  return { bytes: new Uint8Array(), isCut: true }
}

async function readStart(body: Body, limitBytes: number): Promise<Read> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    chunks.push(chunk)
    if (size > limitBytes) break // which destroys the body
  }
  return { bytes: Buffer.concat(chunks).subarray(0, limitBytes), isCut: size > limitBytes }
}

/** Wrong bytes become U+FFFD: a message in the wrong charset is no reason to lose the report. A byte order mark goes. */
function decode(bytes: Uint8Array, headers: Response['headers']): string {
  return new TextDecoder(markedCharset(bytes) ?? namedCharset(headers)).decode(bytes)
}

/** A byte order mark says more than a header (WHATWG Encoding, "decode"). */
function markedCharset([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}

/** What `Content-Type` names, if there is such a charset; else UTF-8, which JSON is in. */
function namedCharset({ 'content-type': contentType }: Response['headers']): string {
  const [, label] = /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec([contentType ?? ''].flat().join(';')) ?? []
  try {
    return new TextDecoder(label).encoding
  } catch {
    return 'utf-8'
  }
}
