// Owns the error that the API shows. Codes are for programs, details are for people.
// Errors at a provider are `ProviderError` (providers/client.ts), which never leaves the workers.

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
  internal: 500,
  unavailable: 503,
} as const

export type ProblemCode = keyof typeof problemStatus

/** One field that was wrong: `field` is its path in the body, query or path (`limits.maxInFlight`). */
export interface FieldError {
  field: string
  message: string
}

/** An expected refusal, answered as an RFC 9457 problem document. */
export class AppError extends Error {
  override name = 'AppError'
  readonly code: ProblemCode
  readonly errors: FieldError[]

  constructor(code: ProblemCode, detail: string, errors: FieldError[] = []) {
    super(detail)
    this.code = code
    this.errors = errors
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
