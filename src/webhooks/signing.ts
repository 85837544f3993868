// Owns signing webhooks by the Standard Webhooks specification:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
import { createHmac, randomBytes } from 'node:crypto'

const prefix = 'whsec_'
const secretBytes = 32

/** The headers that every webhook has, besides those of its signature and its endpoint's own. */
export const constantHeaders = {
  'content-type': 'application/json',
  'user-agent': 'ImportTracker-Webhooks/1',
  'accept-encoding': 'identity',
} as const

/** Returns a new signing secret: `whsec_` and 32 random bytes in base64. */
export function newSecret(): string {
  return prefix + randomBytes(secretBytes).toString('base64')
}

/** The content that a signature covers. */
export interface SignedContent {
  /** The event's id, the same on every attempt. */
  id: string
  /** When this attempt is made. */
  at: Date
  body: string
}

export type WebhookHeaders = Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>

/** Returns the headers that prove a webhook's origin, with a signature by each secret. A rotation has several. */
export function signatureHeaders(content: SignedContent, secrets: readonly string[]): WebhookHeaders {
  const timestamp = String(Math.floor(content.at.getTime() / 1_000))
  const signed = `${content.id}.${timestamp}.${content.body}`
  return {
    'webhook-id': content.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => sign(signed, secret)).join(' '),
  }
}

function sign(signed: string, secret: string): string {
  const key = Buffer.from(secret.slice(prefix.length), 'base64')
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
}
