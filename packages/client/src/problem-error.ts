// Owns the error of every call: a refusal of the service, or no answer of it at all.
import type * as Schemas from './schema.ts'

/**
 * The service's codes, and two of the client:
 * - `unreachable`: the connection failed or broke, or the answer took too long.
 * - `unexpected_answer`: an answer that isn't the service's, such as a proxy's page.
 */
export type ProblemCode = Schemas.Problem['code'] | 'unreachable' | 'unexpected_answer'

/** A wrong field of the request. `field` is its path, such as `limits.maxInFlight`. */
export interface FieldError {
  field: string
  message: string
}

/** Decide by `code`; the message is the problem's detail, for people. */
export class ProblemError extends Error {
  override name = 'ProblemError'
  readonly code: ProblemCode
  /** The HTTP status. Null: there was no answer. */
  readonly status: number | null
  readonly errors: readonly FieldError[]
  /** What the service's log knows the request by. */
  readonly requestId: string | null
  /** When the service wants to be asked again, in milliseconds from now. Null: it doesn't say. */
  readonly retryAfterMs: number | null

  constructor(
    code: ProblemCode,
    detail: string,
    {
      status = null,
      errors = [],
      requestId = null,
      retryAfterMs = null,
      cause,
    }: {
      status?: number | null
      errors?: readonly FieldError[]
      requestId?: string | null
      retryAfterMs?: number | null
      cause?: unknown
    } = {},
  ) {
    super(detail, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = status
    this.errors = errors
    this.requestId = requestId
    this.retryAfterMs = retryAfterMs
  }
}

/** Reads a refusal. Its body counts as a problem document only if it looks like one. @internal */
export async function readProblem(response: Response, now: number): Promise<ProblemError> {
  const { status, headers } = response
  const about = {
    status,
    requestId: headers.get('x-request-id'),
    retryAfterMs: retryAfterMs(headers.get('retry-after'), dateOf(headers.get('date')) ?? now),
  }
  const problem = parse(await response.text())
  if (problem === null)
    return new ProblemError('unexpected_answer', `The answer was ${status}, without a reason.`, about)
  const { code, detail, errors, requestId } = problem
  return new ProblemError(code, detail, { ...about, errors, requestId: requestId ?? about.requestId })
}

/** Returns true if the same request may be answered better a little later. @internal */
export function mayPass({ code, status }: ProblemError): boolean {
  return code === 'unreachable' || status === 408 || status === 429 || (status !== null && status >= 500)
}

function parse(text: string): Schemas.Problem | null {
  try {
    const problem = JSON.parse(text)
    return typeof problem?.code === 'string' && typeof problem.detail === 'string'
      ? { ...problem, errors: Array.isArray(problem.errors) ? problem.errors : [] }
      : null
  } catch {
    return null
  }
}

/** Seconds, or a date, by the clock of the answer (RFC 9110). */
function retryAfterMs(text: string | null, now: number): number | null {
  if (text !== null && /^\d+$/.test(text)) return Number(text) * 1_000
  const at = dateOf(text)
  return at === null ? null : Math.max(0, at - now)
}

/** Date.parse alone makes a date of `-5`, too. */
function dateOf(text: string | null): number | null {
  const at = text !== null && / GMT$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? null : at
}
