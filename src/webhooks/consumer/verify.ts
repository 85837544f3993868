// Owns what a consumer of webhooks calls: `import { verifyWebhook } from 'import-tracker/webhooks'`.
// It runs where the consumer runs, so it depends on nothing of the service, nor on any package.
import type { WebhookEvent } from './event.ts'
import { isSigned } from './signature.ts'
import { WebhookVerificationError } from './verification-error.ts'

export type * from './event.ts'
export { type WebhookVerificationCode, WebhookVerificationError } from './verification-error.ts'

/** A plain object with names in any case, Node's `request.headers`, or a `Headers`. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>

export interface VerifyOptions {
  /** How many seconds ago, or from now, it may have been signed: 300. */
  toleranceS?: number
  /** What time it is, for tests. */
  now?: Date
}

/**
 * The event of a webhook that is proven to be from the service, in constant time.
 *
 * It is delivered at least once: `id` is the same on every attempt, so do nothing where you have seen it before. Ignore
 * types that you don't know, since there may be new ones.
 * @param rawBody the bytes that came, before anything parses them; a string is taken as UTF-8.
 * @param secrets the endpoint's (`whsec_…`); several while one is rotated.
 * @throws {WebhookVerificationError} where it isn't: answer 400.
 * @throws {TypeError} where there is no secret, or one that can't be: a mistake of the receiver.
 */
export function verifyWebhook(
  rawBody: string | Uint8Array,
  headers: WebhookHeaders,
  secrets: string | readonly string[],
  { toleranceS = 300, now = new Date() }: VerifyOptions = {},
): WebhookEvent {
  const id = readHeader(headers, 'webhook-id')
  const timestamp = readHeader(headers, 'webhook-timestamp')
  const signatures = readHeader(headers, 'webhook-signature')
  checkTime(timestamp, now, toleranceS)
  if (!isSigned({ id, timestamp, body: rawBody }, signatures, [secrets].flat()))
    throw new WebhookVerificationError('no_matching_signature', 'No signature is by this secret, over these bytes.')
  const event = parse(rawBody)
  return { ...event, sequence: event.sequence ?? null, id }
}

function readHeader(headers: WebhookHeaders, name: string): string {
  const value = [find(headers, name) ?? []].flat().join(' ')
  if (value === '') throw new WebhookVerificationError('missing_header', `There is no ${name} header.`)
  return value
}

function find(headers: WebhookHeaders, name: string): string | readonly string[] | null | undefined {
  if (isGettable(headers)) return headers.get(name)
  const own = Object.keys(headers).find((key) => key.toLowerCase() === name)
  return own === undefined ? undefined : headers[own]
}

function isGettable(headers: WebhookHeaders): headers is { get(name: string): string | null } {
  return typeof headers.get === 'function'
}

function checkTime(timestamp: string, now: Date, toleranceS: number): void {
  if (!/^\d{1,12}$/.test(timestamp))
    throw new WebhookVerificationError('invalid_timestamp', 'webhook-timestamp is no number of seconds.')
  const ageS = Math.floor(now.getTime() / 1_000) - Number(timestamp)
  if (ageS > toleranceS) throw new WebhookVerificationError('timestamp_too_old', `It was signed ${ageS} s ago.`)
  if (-ageS > toleranceS) throw new WebhookVerificationError('timestamp_too_new', `It is signed ${-ageS} s from now.`)
}

function parse(rawBody: string | Uint8Array): WebhookEvent {
  const text = typeof rawBody === 'string' ? rawBody : new TextDecoder().decode(rawBody)
  const event = parseJson(text)
  if (!isEvent(event)) throw new WebhookVerificationError('invalid_body', 'The body is not the JSON of an event.')
  return event
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The signature vouches for the rest: what is behind `data` is as the service wrote it. */
function isEvent(value: unknown): value is WebhookEvent {
  if (typeof value !== 'object' || value === null) return false
  const { type, timestamp, data } = value as Record<string, unknown>
  return typeof type === 'string' && typeof timestamp === 'string' && typeof data === 'object' && data !== null
}
