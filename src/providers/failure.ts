// Owns turning a failed call into a ProviderError: by status or kind of network error, never by message.
import { maxHeaderBytes } from '../egress/agents.ts'
import { discard, type Response } from '../egress/body.ts'
import { classifyNetworkError } from '../egress/errors.ts'
import type { Classified, Provider } from './contract.ts'
import { ProviderError, type ProviderErrorKind } from './error.ts'
import { createMask, excerptOf } from './mask.ts'
import { saysQuota } from './quota.ts'
import { parseAnswer, readErrorText } from './response.ts'

interface Reading {
  credentials: unknown
  readError: Provider['readError']
}

/** Describes an answer other than a 2xx. Reads its body. */
export async function statusError(
  response: Response,
  retryAfterMs: number | null,
  reading: Reading & { classify?: Provider['classify'] | undefined; settings?: unknown; now: Date },
): Promise<ProviderError> {
  const { statusCode: status } = response
  if (kindOfStatus(status) === 'redirect') {
    discard(response.body)
    return new ProviderError('redirect', `The provider answered ${status}, a redirect, which is not followed.`, {
      status,
      retryAfterMs,
    })
  }
  const text = await readErrorText(response)
  const body = parseAnswer(text)
  const head = { status, headers: response.headers, settings: reading.settings }
  const classified = reading.classify?.(head, body, reading.now)
  const byStatus = status === 403 && (retryAfterMs !== null || saysQuota(body)) ? 'rate_limited' : kindOfStatus(status)
  const kind = classified?.kind ?? byStatus
  return described(kind, body, { ...reading, status, retryAfterMs: waitOf(kind, retryAfterMs, classified), text })
}

/** Describes a 2xx whose content is an error. */
export function contentError(
  body: unknown,
  said: Reading & { status: number; retryAfterMs: number | null; classified: Classified },
): ProviderError {
  const kind = said.classified.kind ?? 'server_error'
  return described(kind, body, { ...said, retryAfterMs: waitOf(kind, said.retryAfterMs, said.classified), text: '' })
}

/** Headers such as `RateLimit-Reset` come with every answer. Only a rate limit makes a wait of them. */
function waitOf(kind: ProviderErrorKind, retryAfterMs: number | null, classified: Classified | undefined) {
  const told = kind === 'rate_limited' ? (classified?.retryAfterMs ?? null) : null
  return retryAfterMs === null || told === null ? (retryAfterMs ?? told) : Math.max(retryAfterMs, told)
}

function described(
  kind: ProviderErrorKind,
  body: unknown,
  {
    credentials,
    readError,
    status,
    retryAfterMs,
    text,
  }: Reading & { status: number; retryAfterMs: number | null; text: string },
): ProviderError {
  const said = readError(body)
  const mask = createMask(credentials)
  const clean = (words: string | null | undefined) => (words ? excerptOf(words, mask) : null)
  const message = clean(said?.message)
  const code = clean(said?.code)
  const words = [message, code && (message ? `(${code})` : code)].filter(Boolean).join(' ')
  return new ProviderError(
    kind,
    words ? `The provider answered ${status}: ${words}` : `The provider answered ${status}.`,
    {
      status,
      code,
      retryAfterMs,
      body: said === null && text !== '' ? excerptOf(text, mask) : null,
    },
  )
}

const kindByStatus: Readonly<Record<number, ProviderErrorKind>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  410: 'not_found',
  429: 'rate_limited',
}

/** Returns the kind of error that an answer is without a word of its provider's. Returns null for a 2xx. */
export function kindOfAnswer(status: number, body: unknown): ProviderErrorKind | null {
  if (status >= 200 && status <= 299) return null
  return status === 403 && saysQuota(body) ? 'rate_limited' : kindOfStatus(status)
}

function kindOfStatus(status: number): ProviderErrorKind {
  if (status >= 500) return 'server_error'
  return status < 400 ? 'redirect' : (kindByStatus[status] ?? 'bad_request')
}

const networkMessages = {
  timeout: "The provider's server took too long.",
  dns_error: "The name of the provider's server could not be resolved.",
  connect_error: "The provider's server did not take the connection.",
  tls_error: "The TLS handshake with the provider's server failed.",
  blocked_address: "The provider's server has an address that may not be asked.",
  connection_reset: 'The connection ended before the answer did.',
  headers_too_large: `The provider's answer has more than ${maxHeaderBytes / 1_024} KiB of headers.`,
  invalid_response: "What the provider's server sent isn't HTTP.",
  aborted: 'The call was aborted.',
} as const

/**
 * Describes a call that got no answer, or only a part of one.
 * @throws the error itself if it is no network error, because that is a bug.
 */
export function networkError(error: unknown): ProviderError {
  const kind = classifyNetworkError(error)
  if (kind === 'unknown' && !isSystemError(error)) throw error
  const known = kind === 'reset' || kind === 'unknown' ? 'connection_reset' : kind
  return new ProviderError(known, networkMessages[known], { cause: error })
}

/**
 * Returns true for errors such as a TLS alert in the middle of the answer (`ERR_SSL_…`). undici's `UND_ERR_INVALID_ARG`
 * would be our bug.
 */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^E[A-Z]/.test(String(error.code))
}
