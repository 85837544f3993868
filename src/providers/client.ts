// Owns sending one request to a provider, in bounded time and space, and turning it into an answer or one
// ProviderError. Adapters own requests and the meaning of answers. polling/ owns when to ask, and how to react to
// errors.
import { ZodError } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { Agents, EgressTimeouts } from '../egress/agents.ts'
import { discard, type Response } from '../egress/body.ts'
import { readDate, readRetryAfter } from '../egress/retry-after.ts'
import { startCall } from './call.ts'
import type { AnswerHead, Provider, ProviderRequest } from './contract.ts'
import { ProviderError } from './error.ts'
import { contentError, networkError, statusError } from './failure.ts'
import { createLargeBodies, freeBytes, type LargeBodies } from './large-bodies.ts'
import { createMask, excerptOf } from './mask.ts'
import { parseAnswer, readText } from './response.ts'

export { ProviderError, type ProviderErrorKind } from './error.ts'

/** The timeouts for the agents that ask providers. */
export const providerTimeouts: EgressTimeouts = { dnsMs: 3_000, connectMs: 5_000, headersMs: 15_000, bodyMs: 30_000 }

const defaultTotalMs = 45_000
const defaultBodyLimitBytes = 32 * 1024 * 1024

export interface Asking<Value> {
  /** Aborts the call: kind `aborted`. */
  signal: AbortSignal
  /** The connection's credentials, masked in stored excerpts of answers. */
  credentials: unknown
  /** Reads the JSON of a 2xx. If it throws a ZodError, the answer is `invalid_response`. */
  read(body: unknown, head: AnswerHead): Value
  readError: Provider['readError']
  classify?: Provider['classify'] | undefined
  readsEmptyBodies?: boolean | undefined
  /** The connection's, for what reads the answer. */
  settings?: unknown
}

export interface Answer<Value> {
  value: Value
  /** From `Retry-After`, which also comes with answers that say "not yet". Null: absent. */
  retryAfterMs: number | null
  /**
   * The answer's own `Date`: the vendor's clock, against which its absolute times are read. Null: absent or unreadable.
   */
  date: Date | null
}

export interface ProviderClient {
  clock: Clock
  /**
   * Sends one request below the base URL, to its origin alone.
   * @throws {ProviderError}
   */
  send<Value>(baseUrl: string, request: ProviderRequest, asking: Asking<Value>): Promise<Answer<Value>>
  /**
   * Asks for a file, and leaves its body to the caller, who has to read or discard it. The answer is a 2xx or a 416.
   * @throws {ProviderError}
   */
  open(wanted: WantedFile, asking: Omit<Asking<unknown>, 'read' | 'readsEmptyBodies'>): Promise<Response>
}

/** A file at an origin of any kind. Redirects aren't followed. */
export interface WantedFile {
  origin: string
  /** With its query. */
  path: string
  method?: 'GET' | 'POST' | undefined
  headers: Record<string, string>
  body?: string | undefined
}

export function createProviderClient(options: {
  agents: Agents
  clock: Clock
  /** The limit on the body of a 2xx. */
  bodyLimitBytes?: number
  /** The limit on the whole call, from waiting for a connection to the end of the body. */
  totalMs?: number
  largeBodies?: LargeBodies
}): ProviderClient {
  const { agents, clock, bodyLimitBytes = defaultBodyLimitBytes, totalMs = defaultTotalMs } = options
  const largeBodies = options.largeBodies ?? createLargeBodies()

  return {
    clock,
    async send(baseUrl, request, asking) {
      const call = startCall(asking.signal, totalMs)
      const base = new URL(baseUrl)
      const turn = largeBodies.turn(base.origin, call.signal)
      try {
        const response = await call.unlessOver(dispatch(agents, base, request, call.signal))
        const retryAfterMs = readRetryAfter(response.headers, clock.now())
        if (response.statusCode < 200 || response.statusCode > 299)
          throw await statusError(response, retryAfterMs, { ...asking, now: clock.now() })
        const beforeLarge = { freeBytes, wait: turn.take }
        const text = await readText(response, { limitBytes: bodyLimitBytes, beforeLarge })
        const value = await turn.work(() => readAnswer(text, response, { asking, retryAfterMs, now: clock.now() }))
        return { value, retryAfterMs, date: readDate(response.headers) }
      } catch (error) {
        // An error that the provider answered counts, even if its body then took too long.
        throw error instanceof ProviderError ? error : (call.reason() ?? networkError(error))
      } finally {
        turn.giveBack()
        call.end()
      }
    },

    async open({ origin, path, method = 'GET', headers, body }, asking) {
      const call = startCall(asking.signal, totalMs)
      let response: Response | undefined
      try {
        const sent = { ...requestHeaders, accept: '*/*', ...headers }
        // The caller's signal: a file may take longer than any other answer.
        response = await call.unlessOver(
          agents.for(origin).request({
            origin,
            path,
            method,
            headers: sent,
            signal: asking.signal,
            ...(body !== undefined && { body }),
          }),
        )
        const { statusCode: status } = response
        if ((status >= 200 && status <= 299) || status === 416) return response
        const retryAfterMs = readRetryAfter(response.headers, clock.now())
        throw await call.unlessOver(statusError(response, retryAfterMs, { ...asking, now: clock.now() }))
      } catch (error) {
        if (response && call.reason()) discard(response.body)
        throw error instanceof ProviderError ? error : (call.reason() ?? networkError(error))
      } finally {
        call.end()
      }
    },
  }
}

const requestHeaders = {
  accept: 'application/json',
  'accept-encoding': 'identity',
  'cache-control': 'no-cache', // a cache in between may hold an old status
  'user-agent': 'ImportTracker/1',
}

/** Returns the path and query of a request below a base URL. */
export function pathBelow(base: URL, { path, query }: Pick<ProviderRequest, 'path' | 'query'>): string {
  // A space becomes %20, which every server reads; only forms read `+` as a space.
  const search = new URLSearchParams(query).toString().replaceAll('+', '%20')
  // The path is joined as text. Parsing it again would resolve what job ids have percent-encoded.
  return `${base.pathname.replace(/\/+$/, '')}${path}${search && `?${search}`}`
}

function dispatch(agents: Agents, base: URL, request: ProviderRequest, signal: AbortSignal) {
  const path = pathBelow(base, request)
  const headers = { ...requestHeaders, ...request.headers }
  return agents.for(base.origin).request({
    origin: base.origin,
    path,
    method: request.method ?? 'GET',
    headers,
    signal,
    ...(request.body !== undefined && { body: request.body }),
  })
}

function readAnswer<Value>(
  text: string,
  { statusCode, headers }: Response,
  { asking, retryAfterMs, now }: { asking: Asking<Value>; retryAfterMs: number | null; now: Date },
): Value {
  const invalid = (message: string, cause?: unknown) =>
    new ProviderError('invalid_response', message, {
      status: statusCode,
      body: excerptOf(text, createMask(asking.credentials)),
      cause,
    })
  const json = asking.readsEmptyBodies && text.trim() === '' ? null : parseAnswer(text)
  if (json === undefined) throw invalid(`The provider answered ${statusCode} with something that isn't JSON.`)
  const head = { status: statusCode, headers, settings: asking.settings }
  const classified = asking.classify?.(head, json, now)
  if (classified?.kind) throw contentError(json, { ...asking, status: statusCode, retryAfterMs, classified })
  try {
    return asking.read(json, head)
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    const issue = error.issues[0]
    const where = issue?.path.length
      ? ` (${issue.path.join('.')}: ${issue.message})`
      : issue
        ? ` (${issue.message})`
        : ''
    throw invalid(`The provider's answer isn't of the published form${where}.`, error)
  }
}
