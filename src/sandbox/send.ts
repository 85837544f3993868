// Owns how an answer goes over the wire, broken ones included. The pauses of a slow body are real time, not the clock's.
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { TransportFault } from './faults.ts'
import { isJsonObject, type Json, jsonChunks, RowList } from './json.ts'
import type { Answer } from './vendor.ts'

/** The status that the client gets to see; null: none. */
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

/** Resolves when the answer is out; with `timeout` at once, the request being left open. Rejects where the client goes away. */
export async function send(response: ServerResponse, answer: Answer, transport: TransportFault | null): Promise<void> {
  switch (transport?.kind) {
    case undefined:
      return sendJson(response, answer.status, answer.headers, answer.body)
    case 'timeout':
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'truncated':
      return sendHalf(response, answer)
    case 'slow_body':
      return sendSlowly(response, answer, transport.overMs)
    case 'too_large':
      return sendJson(response, answer.status, answer.headers, padded(answer.body, transport.bytes))
    case 'garbage':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Be right back!</body></html>')
      return
    case 'wrong_shape':
      return sendJson(response, 200, {}, [])
    case 'redirect':
      response.writeHead(302, { location: '/moved' }).end()
      return
  }
}

/** A body of more than one piece is sent in chunks, as fast as the client reads. */
export async function sendJson(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: Json,
): Promise<void> {
  const chunks = jsonChunks(body)
  const first = chunks.next().value ?? ''
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  const second = chunks.next()
  if (second.done) {
    response.end(first)
    return
  }
  await pipeline(Readable.from(joined([first, second.value], chunks)), response)
}

async function sendHalf(response: ServerResponse, answer: Answer): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(answer.body))
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    ...answer.headers,
    'content-length': bytes.length,
  })
  // Destroyed only once the half is on its way, or the client would see no answer at all.
  await new Promise<void>((resolve) => response.write(bytes.subarray(0, bytes.length / 2), () => resolve()))
  response.destroy()
}

const slowPieces = 20

async function sendSlowly(response: ServerResponse, answer: Answer, overMs: number): Promise<void> {
  const text = JSON.stringify(answer.body)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
  response.flushHeaders()
  const length = Math.ceil(text.length / slowPieces)
  for (let start = 0; start < text.length; start += length) {
    await pause(overMs / slowPieces, undefined, { signal: gone.signal })
    response.write(text.slice(start, start + length))
  }
  response.end()
}

const padLength = 65_536

/** The same answer with a field of padding, still well-formed. */
function padded(body: Json, bytes: number): Json {
  const padding = new RowList(Math.ceil(bytes / padLength), () => 'x'.repeat(padLength))
  return { ...(isJsonObject(body) ? body : {}), padding }
}

function* joined(first: readonly string[], rest: Iterable<string>): Generator<string> {
  yield* first
  yield* rest
}
