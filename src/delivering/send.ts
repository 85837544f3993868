// Owns the request of one attempt: its content, its time limits, and how much of the answer is stored.
import type { Dispatcher } from 'undici'
import type { Clock } from '../base/clock.ts'
import { storableText } from '../base/storable-text.ts'
import type { Agents, EgressTimeouts } from '../egress/agents.ts'
import { BodyError, type Response, readBody } from '../egress/body.ts'
import type { ErrorCode } from '../egress/error-codes.ts'
import { classifyNetworkError, errorCodeOf } from '../egress/errors.ts'
import { readRetryAfter } from '../egress/retry-after.ts'
import { attemptMs, outcomeOfError, outcomeOfStatus } from '../webhooks/outcome.ts'
import { constantHeaders } from '../webhooks/signing.ts'
import type { AttemptResult } from './judge.ts'

export interface SendDeps {
  agents: Agents
  clock: Clock
  /** The limit on everything from resolving the name to the end of the answer. Absent: 20 s. */
  totalMs?: number
  /** The limit on reading the answer's body, when the outcome is known already. Absent: 2 s. */
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
  /** Why there was no answer. Null: there was one. */
  errorCode: ErrorCode | null
  /** The error itself, for the log alone: it may name addresses. */
  error: unknown
}

/** The timeouts for the agents that send webhooks. */
export const webhookTimeouts: EgressTimeouts = { dnsMs: 3_000, connectMs: 5_000, headersMs: 15_000, bodyMs: 15_000 }

const maxReadBytes = 16 * 1_024
const maxKeptBytes = 4 * 1_024
const defaultBodyMs = 2_000

/**
 * Sends the request once. Returns `aborted` if the signal ended it before an answer. Never throws for what the receiver
 * does.
 */
export async function send(
  deps: SendDeps,
  request: WebhookRequest,
  signal: AbortSignal,
): Promise<SendResult | 'aborted'> {
  const limit = new AbortController()
  const stop = () => limit.abort(signal.reason)
  const timer = setTimeout(
    () => limit.abort(new DOMException('The attempt took too long.', 'TimeoutError')),
    deps.totalMs ?? attemptMs, // one limit for all of it, because a dripping body outlives every other limit
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
      ...constantHeaders,
    },
    body: request.body,
    signal,
  })
}

/**
 * Settles as the promise does, or rejects as soon as the signal aborts. undici alone would wait for a connection before
 * it aborts.
 */
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

/** The headers decide. The body changes nothing about the outcome. */
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

/** Keeps the bytes that came, even if the body was reset, too slow or stopped. */
async function readSnippet(response: Response, bodyMs: number): Promise<string | null> {
  // a dripping body must not occupy a place of first attempts
  const timer = setTimeout(() => response.body.destroy(), bodyMs)
  const { bytes, failure } = await readBody(response, { limitBytes: maxReadBytes })
  clearTimeout(timer)
  if (failure instanceof BodyError && failure.kind === 'unknown_encoding') return failure.message
  const kept = bytes.subarray(0, maxKeptBytes)
  return kept.length === 0 ? null : storableText(new TextDecoder().decode(kept, { stream: true }))
}
