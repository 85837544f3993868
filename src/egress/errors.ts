// Owns the ways that a request fails before its answer: a handful of kinds that anybody may see. Messages never carry
// an internal address.

import { type ErrorCode, errorCodeOfSystem } from './error-codes.ts'

/**
 * - `blocked_address`: the host is, or resolves to, an address that the guard refuses.
 * - `dns_error`: the name doesn't resolve, or not in time.
 * - `connect_error`: no checked address accepted the connection.
 * - `tls_error`: the TLS handshake failed, for instance by its certificate.
 * - `timeout`: connecting took too long.
 */
export type EgressErrorKind = 'blocked_address' | 'dns_error' | 'connect_error' | 'tls_error' | 'timeout'

/** A connection that could not be made. */
export class EgressError extends Error {
  override name = 'EgressError'
  readonly kind: EgressErrorKind
  /** Null: the cause carries the code, or there is none. */
  readonly errorCode: ErrorCode | null

  constructor(
    kind: EgressErrorKind,
    message: string,
    { cause, code = null }: { cause?: unknown; code?: ErrorCode | null } = {},
  ) {
    super(message, { cause })
    this.kind = kind
    this.errorCode = code
  }
}

/**
 * Kinds beyond {@link EgressErrorKind}:
 * - `reset`: the connection ended before the answer did.
 * - `invalid_response`: the answer isn't HTTP.
 * - `headers_too_large`: the answer's headers exceed the limit (agents.ts).
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

/** Classifies the error of a request through {@link Agents} by type and code, never by message. */
export function classifyNetworkError(error: unknown): NetworkErrorKind {
  if (error instanceof EgressError) return error.kind
  if (!(error instanceof Error)) return 'unknown'
  if (error.name === 'TimeoutError') return 'timeout'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error.name === 'HTTPParserError') return 'invalid_response'
  return kindByCode[code] ?? (error.name === 'AbortError' ? 'aborted' : 'unknown')
}

/** The codes that each kind may carry. The first one stands if nothing more is known. */
const codesOfKind: Readonly<Record<Exclude<NetworkErrorKind, 'aborted'>, readonly [ErrorCode, ...ErrorCode[]]>> = {
  blocked_address: ['blocked_address'],
  dns_error: ['dns_failed', 'name_not_found', 'dns_timeout'],
  connect_error: ['connection_failed', 'connection_refused', 'host_unreachable', 'connect_timeout', 'connection_reset'],
  tls_error: ['tls_failed', 'certificate_expired', 'certificate_wrong_host', 'certificate_untrusted'],
  timeout: ['answer_timeout', 'connect_timeout'],
  reset: ['connection_reset'],
  headers_too_large: ['headers_too_large'],
  invalid_response: ['malformed_http'],
  unknown: ['connection_failed'],
}

/**
 * Returns why a request through {@link Agents} got no answer, by type and code. Returns null if we gave up ourselves.
 */
export function errorCodeOf(error: unknown): ErrorCode | null {
  const kind = classifyNetworkError(error)
  if (kind === 'aborted') return null
  const said = error instanceof EgressError ? error.errorCode : null
  const code = said ?? errorCodeOfSystem(systemCodeOf(error) ?? '')
  return code !== null && codesOfKind[kind].includes(code) ? code : codesOfKind[kind][0]
}

/**
 * Returns the system's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`, `HPE_…`), for logs alone. Returns null for anything
 * but an Error.
 */
export function systemCodeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const deepest = error.cause instanceof Error ? error.cause : error
  return 'code' in deepest && typeof deepest.code === 'string' ? deepest.code : deepest.name
}
