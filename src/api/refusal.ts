// Owns the error that the API shows. Codes are for programs, details are for people.
// Errors at a provider are `ProviderError` (providers/error.ts), which never leaves the workers.

/** Every `code` that a problem document can carry, with its HTTP status. */
export const problemStatus = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
} as const

export type ProblemCode = keyof typeof problemStatus

/** One field that was wrong: `field` is its path in the body, query or path (`limits.maxInFlight`). */
export interface FieldError {
  field: string
  message: string
}

/**
 * Limits on a refusal, in errors and characters: enough to mend the request, never megabytes in answer to megabytes.
 */
const maxLengths = { errors: 10, field: 200, message: 300, detail: 1_000 }

/** An expected refusal, answered as an RFC 9457 problem document. */
export class AppError extends Error {
  override name = 'AppError'
  readonly code: ProblemCode
  /** The wrong fields; of many, only the first ones. */
  readonly errors: FieldError[]
  /** When to try again, in seconds. Null: the refusal doesn't say. */
  readonly retryAfterS: number | null

  constructor(
    code: ProblemCode,
    detail: string,
    errors: readonly FieldError[] = [],
    { retryAfterS = null }: { retryAfterS?: number | null } = {},
  ) {
    super(cut(detail, maxLengths.detail))
    this.code = code
    this.errors = errors.slice(0, maxLengths.errors).map(({ field, message }) => ({
      field: cut(field, maxLengths.field),
      message: cut(message, maxLengths.message),
    }))
    this.retryAfterS = retryAfterS
  }

  get status(): number {
    return problemStatus[this.code]
  }
}

export function notFound(what: string): AppError {
  return new AppError('not_found', `No such ${what}.`)
}

export function invalid(field: string, message: string): AppError {
  return new AppError('invalid_request', `${field} ${message}`, [{ field, message }])
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`
}
