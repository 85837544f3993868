// Owns sending requests: the token, the time limit of an attempt, and asking again after failures that may pass.
import { pause, unlessAborted } from './pause.ts'
import { mayPass, ProblemError, readProblem } from './problem-error.ts'

export interface TransportOptions {
  /** Where the service is, with its base path if it has one. */
  url: string
  token: string
  /** The function that makes requests. Absent: the global one. */
  fetch?: typeof fetch
}

/** @internal */
export interface Sending {
  method: string
  /** `/v1/…` */
  path: string
  query?: Readonly<Record<string, unknown>>
  body?: unknown
  signal?: AbortSignal | undefined
}

/** @internal */
export interface Transport {
  /** Returns the answer's JSON, or undefined if it has none. @throws {ProblemError} */
  call(sending: Sending): Promise<unknown>
  /** As `call`, and asks again until there is an answer or a refusal that won't pass. */
  insist(sending: Sending): Promise<unknown>
  /** Returns the answer as soon as it begins. `end` cuts it off. One attempt. @throws {ProblemError} */
  open(sending: Sending, accept: string): Promise<{ response: Response; end(): void }>
  /** Sends anything, with the token, once. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

const retries = 3
const attemptMs = 30_000
/** The longest pause that a caller without patience makes. */
const longestRetryAfterMs = 60_000
const aDayMs = 86_400_000
const longestPauseMs = 5_000

/** @internal */
export function createTransport({ url, token, fetch: ask = globalThis.fetch }: TransportOptions): Transport {
  checkUrl(url)
  // The error of a header would say the token, and look like a service that is away.
  if (!/^[!-~]*$/.test(token)) throw new TypeError('The token must be visible ASCII without spaces.')
  const base = url.replace(/\/+$/, '')

  function fetchWithToken(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${token}`)
    return ask(`${base}${path}`, { ...init, headers })
  }

  /** Begins an attempt. `end` cuts it off; it is limited in time until `unlimited` or `done`. */
  async function open({ method, path, query, body, signal }: Sending, accept: string, limitMs = attemptMs) {
    signal?.throwIfAborted()
    // What can't be written is the caller's mistake, and no failure of the service.
    const target = path + search(query)
    const text = body === undefined ? undefined : JSON.stringify(body)
    const attempt = new AbortController()
    const end = () => attempt.abort()
    const limit = setTimeout(end, limitMs)
    signal?.addEventListener('abort', end, { once: true })
    const unlimited = () => clearTimeout(limit)
    const done = () => {
      unlimited()
      signal?.removeEventListener('abort', end)
    }
    const headers: Record<string, string> = { accept }
    if (text !== undefined) headers['content-type'] = 'application/json'
    try {
      const { signal: ending } = attempt
      const asked = fetchWithToken(target, {
        method,
        headers,
        redirect: 'manual', // fetch would make a GET of a POST, and leave the token out at another origin
        signal: ending,
        ...(text !== undefined && { body: text }),
      })
      const response = await unlessAborted(asked, signal)
      if (isRedirect(response)) throw redirected(response)
      if (!response.ok) throw await readProblem(response, Date.now())
      return { response, end, unlimited, done }
    } catch (error) {
      done()
      throw failure(error, signal)
    }
  }

  async function once(sending: Sending): Promise<unknown> {
    const waitMs = Number(sending.query?.waitMs ?? 0)
    const { response, done } = await open(sending, 'application/json', attemptMs + waitMs)
    try {
      const text = await unlessAborted(response.text(), sending.signal)
      const answer = text === '' ? undefined : JSON.parse(text)
      if (sending.method !== 'DELETE' && (typeof answer !== 'object' || answer === null || Array.isArray(answer)))
        throw new ProblemError('unexpected_answer', 'The answer was not the service’s.', { status: response.status })
      return answer
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new ProblemError('unexpected_answer', 'The answer was not JSON.', {
          status: response.status,
          cause: error,
        })
      throw failure(error, sending.signal)
    } finally {
      done()
    }
  }

  async function repeat(sending: Sending, times: number): Promise<unknown> {
    for (let failures = 0; ; failures++)
      try {
        return await once(sending)
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error
        // An earlier attempt whose answer was lost has deleted it.
        if (sending.method === 'DELETE' && failures > 0 && error.status === 404) return undefined
        if (!mayPass(error) || failures >= times) throw error
        await pause(pauseMs(error, failures, { isPatient: times === Number.POSITIVE_INFINITY }), sending.signal)
      }
  }

  return {
    call: (sending) => repeat(sending, isRepeatable(sending) ? retries : 0),
    insist: (sending) => repeat(sending, Number.POSITIVE_INFINITY),
    async open(sending, accept) {
      const { response, end, unlimited, done } = await open(sending, accept)
      unlimited()
      return {
        response,
        end() {
          done()
          end()
        },
      }
    },
    fetch: fetchWithToken,
  }
}

/** A wrong one never answers, and who waits for an import would wait for ever. In a browser it may be a path. */
function checkUrl(text: string): void {
  const { location } = globalThis as { location?: { href: string } }
  let url: URL | undefined
  try {
    url = new URL(text, location?.href)
  } catch {}
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || /[?#]/.test(text))
    throw new TypeError('The URL of the service must be an http:// or https:// URL without user and query.')
}

/**
 * Returns how long to wait after a failure: as long as the service says, otherwise longer each time. Who asks for ever
 * waits that long at least, even if the service says 0.
 * @throws {ProblemError} the failure itself, if the service wants a longer pause than a caller without patience makes.
 * @internal
 */
export function pauseMs(problem: ProblemError, failures: number, { isPatient = false } = {}): number {
  const { retryAfterMs } = problem
  if (retryAfterMs !== null && retryAfterMs > longestRetryAfterMs && !isPatient) throw problem
  const usualMs = Math.min(longestPauseMs, 250 * 2 ** failures) * (0.5 + Math.random() / 2)
  return retryAfterMs === null ? usualMs : Math.min(Math.max(retryAfterMs, isPatient ? usualMs : 0), aDayMs)
}

/**
 * Returns true if it is the same to send the request once or twice. Registering is: a job that is registered already is
 * answered with its import. Without a job id each registration would make an import.
 */
function isRepeatable({ method, path, body }: Sending): boolean {
  if (method === 'POST' && path === '/v1/imports') return hasJobId(body)
  if (method === 'POST' && path === '/v1/imports/batch') return ((body as Batch).imports ?? []).every(hasJobId)
  return method === 'GET' || method === 'PUT' || method === 'DELETE'
}

interface Batch {
  imports?: unknown[]
}

function hasJobId(registration: unknown): boolean {
  return typeof (registration as { jobId?: unknown } | null)?.jobId === 'string'
}

/** Browsers hide what it was. */
function isRedirect({ type, status }: Response): boolean {
  return type === 'opaqueredirect' || (status >= 300 && status < 400)
}

function redirected(response: Response): ProblemError {
  response.body?.cancel().catch(() => {})
  const to = response.headers.get('location')
  const detail = `The answer was a redirect${to ? ` to ${to}` : ''}. The URL must be the service’s own.`
  return new ProblemError('unexpected_answer', detail, { status: response.status || null })
}

/** The caller's abort stays what it is. Whatever else isn't a refusal means that there was no answer. */
function failure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof ProblemError) return error
  return new ProblemError('unreachable', 'The service gave no answer.', { cause: error })
}

/** Lists are joined by commas. The keys of an object follow the name: `metadata.team=data`. */
function search(query: Readonly<Record<string, unknown>> = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (Array.isArray(value)) parameters.set(name, value.join(','))
    else if (value instanceof Date) parameters.set(name, value.toISOString())
    else if (typeof value === 'object' && value !== null)
      for (const [key, text] of Object.entries(value)) parameters.set(`${name}.${key}`, String(text))
    else if (value !== undefined && value !== null) parameters.set(name, String(value))
  return parameters.size === 0 ? '' : `?${parameters}`
}
