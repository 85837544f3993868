// Owns reading a vendor's answer: at most so many bytes of it, as JSON in UTF-8.
import type { Readable } from 'node:stream'
import { ProviderError } from './error.ts'

/** An answer whose body is still to be read: undici's. */
export interface Response {
  statusCode: number
  headers: Record<string, string | string[] | undefined>
  body: Readable & { text(): Promise<string> }
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
  if (announced <= limitBytes) return body.text() // undici holds the server to it
  const { text, isCut } = announced > limitBytes ? await cut(body) : await readStart(body, limitBytes)
  if (!isCut) return text
  const message = `The provider's answer is larger than the limit of ${limitBytes} bytes.`
  throw new ProviderError('response_too_large', message, { status: statusCode })
}

/** The start of an error's body: what can be read of it, for a message. */
export async function readErrorText({ body }: Response): Promise<string> {
  return (await readStart(body, errorBodyLimitBytes)).text
}

/** Lets go of a body that nobody reads. Its connection can't be used again. */
export function discard(body: Body): void {
  body.on('error', () => {}) // destroying it early is an error to undici
  body.destroy()
}

/** Undefined: it isn't JSON. (JSON has no undefined.) */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

async function cut(body: Body): Promise<{ text: string; isCut: boolean }> {
  discard(body)
  return { text: '', isCut: true }
}

async function readStart(body: Body, limitBytes: number): Promise<{ text: string; isCut: boolean }> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    chunks.push(chunk)
    if (size > limitBytes) break // which destroys the body
  }
  const bytes = Buffer.concat(chunks)
  return { text: decode(bytes.subarray(0, limitBytes)), isCut: size > limitBytes }
}

/** Wrong bytes become U+FFFD: a message in Latin-1 is no reason to lose the report. */
function decode(bytes: Buffer): string {
  return new TextDecoder().decode(bytes)
}
