// Owns the outcomes of an attempt.
import type { NetworkErrorKind } from '../egress/errors.ts'

/** How long an attempt takes at most, its answer included. */
export const attemptMs = 20_000

/**
 * - `delivered`: an answer of 2xx, whatever its body.
 * - `redirect`: an answer of 3xx. Redirects are never followed.
 * - `http_error`: any other answer.
 * - `invalid_http`: an answer that isn't HTTP, or whose headers exceed the limit.
 * - `timeout`: no answer in time.
 * - `dns_error`, `connect_error`, `tls_error`, `blocked_address`: no connection; see egress/errors.ts. A connection
 *   that was reset before the answer counts as `connect_error`.
 */
export const outcomes = [
  'delivered',
  'http_error',
  'invalid_http',
  'redirect',
  'timeout',
  'dns_error',
  'connect_error',
  'tls_error',
  'blocked_address',
] as const

export type Outcome = (typeof outcomes)[number]

/** The outcomes as they are stored. `in_flight` until the end is known, which after a crash is never. */
export const attemptOutcomes = [...outcomes, 'in_flight'] as const

export function outcomeOfStatus(status: number): Outcome {
  if (status >= 200 && status < 300) return 'delivered'
  return status >= 300 && status < 400 ? 'redirect' : 'http_error'
}

export function outcomeOfError(kind: Exclude<NetworkErrorKind, 'aborted'>): Outcome {
  if (kind === 'reset' || kind === 'unknown') return 'connect_error'
  return kind === 'invalid_response' || kind === 'headers_too_large' ? 'invalid_http' : kind
}
