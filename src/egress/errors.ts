// Owns how requests fail before there is an answer, in a handful of kinds that can be shown to anybody:
// messages never carry an internal address.

/**
 * - `blocked_address`: the name resolves to an address that the guard refuses, or is one.
 * - `dns_error`: the name doesn't resolve, or not in time.
 * - `connect_error`: no checked address took the connection.
 * - `tls_error`: the TLS handshake failed, such as by its certificate.
 * - `timeout`: connecting took too long.
 */
export type EgressErrorKind = 'blocked_address' | 'dns_error' | 'connect_error' | 'tls_error' | 'timeout'

/** A connection that could not be made. */
export class EgressError extends Error {
  override name = 'EgressError'
  readonly kind: EgressErrorKind

  constructor(kind: EgressErrorKind, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

/**
 * Beyond the ones of {@link EgressErrorKind}:
 * - `reset`: the connection ended before the answer did.
 * - `invalid_response`: what came isn't HTTP.
 * - `headers_too_large`: the answer's headers are larger than anybody reads (see agents.ts).
 * - `aborted`: we gave up ourselves, other than by time.
 * - `unknown`: anything else, most likely a bug.
 */
export type NetworkErrorKind =
  | EgressErrorKind
  | 'reset'
  | 'invalid_response'
  | 'headers_too_large'
  | 'aborted'
  | 'unknown'

const kindByCode: Record<string, NetworkErrorKind> = {
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_INFO: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_HEADERS_OVERFLOW: 'headers_too_large',
  UND_ERR_ABORTED: 'aborted',
  UND_ERR_CLOSED: 'aborted',
  UND_ERR_DESTROYED: 'aborted',
}

/** What went wrong with a request through {@link Agents}, decided by type and code, never by message. */
export function classifyNetworkError(error: unknown): NetworkErrorKind {
  if (error instanceof EgressError) return error.kind
  if (!(error instanceof Error)) return 'unknown'
  if (error.name === 'TimeoutError') return 'timeout'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error.name === 'HTTPParserError') return 'invalid_response'
  return kindByCode[code] ?? (error.name === 'AbortError' ? 'aborted' : 'unknown')
}
