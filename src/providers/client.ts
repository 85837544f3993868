// Owns sending a request to a provider and getting an answer or one ProviderError out of it, in bounded time and space.
// What is asked, and what an answer means, is the adapters'; when to ask, and what follows from an error, polling's.
import { ZodError } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { Agents, EgressTimeouts } from '../egress/agents.ts'
import type { Response } from '../egress/body.ts'
import { readDate, readRetryAfter } from '../egress/retry-after.ts'
import { startCall } from './call.ts'
import type { Provider, ProviderRequest } from './contract.ts'
import { ProviderError } from './error.ts'
import { networkError, statusError } from './failure.ts'
import { createLargeBodies, freeBytes, type LargeBodies } from './large-bodies.ts'
import { createMask, excerptOf } from './mask.ts'
import { parseAnswer, readText } from './response.ts'

export { ProviderError, type ProviderErrorKind } from './error.ts'

/** What the agents that providers are asked through should be made with. */
export const providerTimeouts: EgressTimeouts = { dnsMs: 3_000, connectMs: 5_000, headersMs: 15_000, bodyMs: 30_000 }

const defaultTotalMs = 45_000
const defaultBodyLimitBytes = 32 * 1024 * 1024

export interface Asking<Value> {
  /** Aborts the call: kind `aborted`. */
  signal: AbortSignal
  /** The connection's: masked in what is kept of answers. */
  credentials: unknown
  /** Reads the JSON of a 2xx; a ZodError from it means `invalid_response`. */
  read(body: unknown): Value
  readError: Provider['readError']
}

export interface Answer<Value> {
  value: Value
  /** `Retry-After` comes with answers that say "not yet", too. */
  retryAfterMs: number | null
  /** The answer's own `Date`: what the vendor's clock said, against which its absolute times are read. Null: none to read. */
  date: Date | null
}

export interface ProviderClient {
  /**
   * One GET below the base URL, to its origin alone.
   * @throws {ProviderError}
   */
  send<Value>(baseUrl: string, request: ProviderRequest, asking: Asking<Value>): Promise<Answer<Value>>
}

export function createProviderClient(options: {
  agents: Agents
  clock: Clock
  /** Of a 2xx. */
  bodyLimitBytes?: number
  /** The whole call, from waiting for a connection to the body's end. */
  totalMs?: number
  largeBodies?: LargeBodies
}): ProviderClient {
  const { agents, clock, bodyLimitBytes = defaultBodyLimitBytes, totalMs = defaultTotalMs } = options
  const largeBodies = options.largeBodies ?? createLargeBodies()

  return {
    async send(baseUrl, request, asking) {
      const call = startCall(asking.signal, totalMs)
      const turn = largeBodies.turn(new URL(baseUrl).origin, call.signal)
      try {
        const response = await call.unlessOver(dispatch(agents, baseUrl, request, call.signal))
        const retryAfterMs = readRetryAfter(response.headers, clock.now())
        if (response.statusCode < 200 || response.statusCode > 299)
          throw await statusError(response, retryAfterMs, asking)
        const beforeLarge = { freeBytes, wait: turn.take }
        const text = await readText(response, { limitBytes: bodyLimitBytes, beforeLarge })
        const value = await turn.work(() => readAnswer(text, response, asking))
        return { value, retryAfterMs, date: readDate(response.headers) }
      } catch (error) {
        // An error that the provider did answer counts, even if its body took too long.
        throw error instanceof ProviderError ? error : (call.reason() ?? networkError(error))
      } finally {
        turn.giveBack()
        call.end()
      }
    },
  }
}

const requestHeaders = {
  accept: 'application/json',
  'accept-encoding': 'identity',
  'cache-control': 'no-cache', // a status from a cache in between may be old
  'user-agent': 'ImportTracker/1',
}

function dispatch(agents: Agents, baseUrl: string, request: ProviderRequest, signal: AbortSignal) {
  const base = new URL(baseUrl)
  // A space as %20, which every server reads; as +, only forms have it.
  const query = new URLSearchParams(request.query).toString().replaceAll('+', '%20')
  // The path is put together as text: parsing it again would resolve what job ids have percent-encoded.
  const path = `${base.pathname.replace(/\/+$/, '')}${request.path}${query && `?${query}`}`
  const headers = { ...requestHeaders, ...request.headers }
  return agents.for(base.origin).request({ origin: base.origin, path, method: 'GET', headers, signal })
}

function readAnswer<Value>(text: string, { statusCode }: Response, asking: Asking<Value>): Value {
  const invalid = (message: string, cause?: unknown) =>
    new ProviderError('invalid_response', message, {
      status: statusCode,
      body: excerptOf(text, createMask(asking.credentials)),
      cause,
    })
  const json = parseAnswer(text)
  if (json === undefined) throw invalid(`The provider answered ${statusCode} with something that isn't JSON.`)
  try {
    return asking.read(json)
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
