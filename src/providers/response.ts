// Owns reading a vendor's answer: a limited number of bytes, as JSON, in the charset that the answer names or in UTF-8.

import { parseJsonAsWritten } from '../base/json.ts'
import { BodyError, discard, type Reading, type Response, readBody } from '../egress/body.ts'
import { ProviderError } from './error.ts'

/** The limit on an error's body. */
const errorBodyLimitBytes = 64 * 1024

/**
 * Reads the whole body as text.
 * @throws {ProviderError} `response_too_large` as soon as the size is known, or `invalid_response` if the body can't be
 * decoded.
 * @throws the error that broke the connection.
 */
export async function readText(response: Response, reading: Required<Reading>): Promise<string> {
  const { headers, body, statusCode: status } = response
  const announced = Number(headers['content-length'] ?? Number.NaN)
  if (announced > reading.limitBytes) {
    discard(body)
    throw tooLarge(status, reading)
  }
  if (headers['content-encoding'] === undefined && announced <= reading.beforeLarge.freeBytes)
    return decode(await body.bytes(), headers) // the quick way for nearly all answers
  const { bytes, failure } = await readBody(response, reading)
  if (failure === null) return decode(bytes, headers)
  if (!(failure instanceof BodyError)) throw failure
  if (failure.kind === 'too_large') throw tooLarge(status, reading)
  throw new ProviderError('invalid_response', `The provider answered ${status}: ${failure.message}`, { status })
}

/** Reads the start of an error's body, for a message. */
export async function readErrorText(response: Response): Promise<string> {
  const { bytes, failure } = await readBody(response, { limitBytes: errorBodyLimitBytes })
  return failure instanceof BodyError && failure.kind === 'unknown_encoding'
    ? failure.message
    : decode(bytes, response.headers)
}

function tooLarge(status: number, { limitBytes }: Reading): ProviderError {
  const message = `The provider's answer is larger than the limit of ${limitBytes} bytes.`
  return new ProviderError('response_too_large', message, { status })
}

/**
 * Parses JSON, with its numbers as the vendor wrote them. NaN and the infinities, which some vendors send although JSON
 * has none, become null. Returns undefined if the text isn't JSON.
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
    return undefined // not JSON, or nested more deeply than any vendor's answer
  }
}

/**
 * Decodes the bytes and drops a byte order mark. Wrong bytes become U+FFFD: a message in the wrong charset is no reason
 * to lose the report.
 */
function decode(bytes: Uint8Array, headers: Response['headers']): string {
  const charset = markedCharset(bytes) ?? namedCharset(headers)
  return charset === 'utf-8' ? utf8.decode(bytes) : new TextDecoder(charset).decode(bytes)
}

const utf8 = new TextDecoder()

/** A byte order mark takes precedence over a header (WHATWG Encoding, "decode"). */
function markedCharset([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}

/** Returns the charset that `Content-Type` names, if it exists. Otherwise returns UTF-8, JSON's own. */
export function namedCharset({ 'content-type': contentType }: Response['headers']): string {
  const [, label] = /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec([contentType ?? ''].flat().join(';')) ?? []
  if (label === undefined) return 'utf-8'
  try {
    return new TextDecoder(label).encoding
  } catch {
    return 'utf-8'
  }
}
