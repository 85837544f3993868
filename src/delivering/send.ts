// Owns the request of one attempt: what goes out, how long it may take, and how much of the answer is kept.
import type { Dispatcher } from 'undici'
import type { Clock } from '../base/clock.ts'
import { storableText } from '../base/storable-text.ts'
import type { Agents, EgressTimeouts } from '../egress/agents.ts'
import { BodyError, type Response, readBody } from '../egress/body.ts'
import type { ErrorCode } from '../egress/error-codes.ts'
import { classifyNetworkError, errorCodeOf } from '../egress/errors.ts'
import { readRetryAfter } from '../egress/retry-after.ts'
import { outcomeOfError, outcomeOfStatus } from '../webhooks/outcome.ts'
import type { AttemptResult } from './judge.ts'

export interface SendDeps {
  agents: Agents
  clock: Clock
  /** For everything from the name's resolution to the end of the answer; 20 s. */
  totalMs?: number
  /** For reading the answer's body, whose outcome is known by then: 2 s. */
  bodyMs?: number
}

export interface WebhookRequest {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
}

export interface SendResult extends AttemptResult {
  /** The first 4 KiB of the answer, as text that Postgres can store. */
  responseSnippet: string | null
  /** Why there was no answer; null: there was one. */
  errorCode: ErrorCode | null
  /** The same in the system's own words, for the log alone: it may name addresses. */
  error: unknown
}

/** What the agents that webhooks are sent through should be made with. */
export const webhookTimeouts: EgressTimeouts = { dnsMs: 3_000, connectMs: 5_000, headersMs: 15_000, bodyMs: 15_000 }

const maxReadBytes = 16 * 1_024
const maxKeptBytes = 4 * 1_024
const defaultTotalMs = 20_000
const defaultBodyMs = 2_000

/** Sends it once; `aborted` when the signal ended it before there was an answer. Never throws for what the receiver does. */
export async function send(
  deps: SendDeps,
  request: WebhookRequest,
  signal: AbortSignal,
): Promise<SendResult | 'aborted'> {
  const limit = new AbortController()
  const stop = () => limit.abort(signal.reason)
  const timer = setTimeout(
    () => limit.abort(new DOMException('The attempt took too long.', 'TimeoutError')),
    deps.totalMs ?? defaultTotalMs, // one limit for all of it: a body that drips outlives every other one
  )
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    const answer = await unlessAborted(post(deps.agents, request, limit.signal), limit.signal)
    return await read(answer, deps)
  } catch (error) {
    const kind = classifyNetworkError(error)
    if (kind === 'aborted' || signal.aborted) return 'aborted'
    return {
      outcome: outcomeOfError(kind),
      status: null,
      retryAfterMs: null,
      responseSnippet: null,
      errorCode: errorCodeOf(error),
      error,
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

function post(agents: Agents, request: WebhookRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(request.url)
  return agents.for(origin).request({
    method: 'POST',
    path: pathname + search,
    headers: {
      ...request.headers,
      'content-type': 'application/json',
      'user-agent': 'ImportTracker-Webhooks/1',
      'accept-encoding': 'identity',
    },
    body: request.body,
    signal,
  })
}

/** What comes, or the reason as soon as it is over: undici itself waits for a connection to abort the request on. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const over = Promise.withResolvers<never>()
  const stop = () => over.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await Promise.race([promise, over.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** The headers decide; whatever the body does afterwards changes nothing. */
async function read(
  response: Dispatcher.ResponseData,
  { clock, bodyMs = defaultBodyMs }: SendDeps,
): Promise<SendResult> {
  const { statusCode, headers } = response
  return {
    outcome: outcomeOfStatus(statusCode),
    status: statusCode,
    retryAfterMs: readRetryAfter(headers, clock.now()),
    responseSnippet: await readSnippet(response, bodyMs),
    errorCode: null,
    error: null,
  }
}

/** What came is kept, though it was reset, too slow or stopped. */
async function readSnippet(response: Response, bodyMs: number): Promise<string | null> {
  const timer = setTimeout(() => response.body.destroy(), bodyMs) // a body that drips mustn't take a place among first attempts
  const { bytes, failure } = await readBody(response, { limitBytes: maxReadBytes })
  clearTimeout(timer)
  if (failure instanceof BodyError && failure.kind === 'unknown_encoding') return failure.message
  const kept = bytes.subarray(0, maxKeptBytes)
  return kept.length === 0 ? null : storableText(new TextDecoder().decode(kept, { stream: true }))
}
