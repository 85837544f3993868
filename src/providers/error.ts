// Owns the one error type for calls to a provider. Code decides by `kind`; the message is for people.

/**
 * - `unauthorized`: 401. The credentials don't work, or no longer work.
 * - `forbidden`: 403 without a word of waiting. The refusal may concern this one job alone.
 * - `not_found`: 404 or 410, or a job id that no URL can carry.
 * - `rate_limited`: 429, or 403 with `Retry-After` or a quota's code.
 * - `bad_request`: any other 4xx.
 * - `server_error`: 5xx.
 * - `redirect`: 3xx. Redirects aren't followed, so that credentials stay at the base URL's origin.
 * - `timeout`: the connection, the headers, more of the body or the end of the call came too late.
 * - `dns_error`, `connect_error`, `tls_error`, `blocked_address`: there was no connection (see egress/errors.ts).
 * - `connection_reset`: the connection ended before the answer did.
 * - `headers_too_large`: the answer's headers are over the limit.
 * - `response_too_large`: the answer's body is over the limit.
 * - `invalid_response`: the answer isn't HTTP, isn't JSON, or isn't of the provider's form.
 * - `undecipherable_credentials`: no key decrypts the connection's credentials, so no request was sent.
 * - `aborted`: we aborted the call, for instance because the process ends.
 */
export type ProviderErrorKind =
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'rate_limited'
  | 'bad_request'
  | 'server_error'
  | 'redirect'
  | 'timeout'
  | 'dns_error'
  | 'connect_error'
  | 'tls_error'
  | 'blocked_address'
  | 'connection_reset'
  | 'headers_too_large'
  | 'response_too_large'
  | 'invalid_response'
  | 'undecipherable_credentials'
  | 'aborted'

export interface ProviderErrorDetails {
  /** The HTTP status; null: there was no answer. */
  status?: number | null
  /** The provider's own code for the error. */
  code?: string | null
  /** The wait from `Retry-After`, capped. */
  retryAfterMs?: number | null
  /** The start of an answer that could not be read, at most 2 KiB, with secrets masked. */
  body?: string | null
  cause?: unknown
}

/** A call to a provider that got no usable answer. */
export class ProviderError extends Error {
  override name = 'ProviderError'
  readonly kind: ProviderErrorKind
  readonly status: number | null
  readonly code: string | null
  readonly retryAfterMs: number | null
  readonly body: string | null

  constructor(kind: ProviderErrorKind, message: string, details: ProviderErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.kind = kind
    this.status = details.status ?? null
    this.code = details.code ?? null
    this.retryAfterMs = details.retryAfterMs ?? null
    this.body = details.body ?? null
  }
}

/** The error without what the answer said at length, which may hold a secret that nobody can mask. */
export function withoutBody({ kind, message, status, code, retryAfterMs, cause }: ProviderError): ProviderError {
  return new ProviderError(kind, message, { status, code, retryAfterMs, cause })
}
