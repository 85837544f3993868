// Owns the function that consumers of webhooks call. It runs in the consumer, so it depends on nothing of the service,
// nor on any package.
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
  /** How far the signature's time may be from now, in seconds. Absent: 300. */
  toleranceS?: number
  /** The current time, for tests. */
  now?: Date
}

/**
 * Returns the event of a webhook whose signature proves that the service sent it. The comparison takes constant time.
 *
 * Delivery is at least once. `id` is the same on every attempt, so skip events that you have seen before. Ignore
 * unknown types, because there may be new ones.
 * @param rawBody the bytes as they came, before any parsing. A string counts as UTF-8.
 * @param secrets the endpoint's secret (`whsec_…`), or several during a rotation.
 * @throws {WebhookVerificationError} if the request isn't a webhook of the service. Answer 400.
 * @throws {TypeError} if there is no secret, or a malformed one: a mistake of the receiver.
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

/** The signature vouches for the rest: `data` is as the service wrote it. */
function isEvent(value: unknown): value is WebhookEvent {
  if (typeof value !== 'object' || value === null) return false
  const { type, timestamp, data } = value as Record<string, unknown>
  return typeof type === 'string' && typeof timestamp === 'string' && typeof data === 'object' && data !== null
}
