// Owns the headers that an endpoint's owner adds to each webhook: which ones are allowed, and how they are stored and
// shown.
import { z } from 'zod'
import type { Encryption } from '../../base/encryption.ts'
import { openSecret, sealSecret } from './secrets.ts'

export type CustomHeaders = Readonly<Record<string, string>>

/** The API shows this instead of every value. */
export const maskedValue = '********'

const maxHeaders = 10
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/
const printable = /^[\x20-\x7e]{0,2048}$/

/**
 * Our own headers, and headers about the connection (RFC 9110, 7.6.1). An owner who sets these could forge or break the
 * request.
 */
const reserved =
  /^(host|user-agent|accept-encoding|expect|date|connection|keep-alive|proxy-.*|te|trailers?|transfer-encoding|upgrade|http2-settings|content-.*|webhook-.*)$/i

export const headersSchema = z.record(z.string(), z.string()).superRefine((headers, context) => {
  const names = Object.keys(headers)
  if (names.length > maxHeaders) context.addIssue(`must have at most ${maxHeaders} headers`)
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(headers)) {
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: [name], message })
    if (!token.test(name)) refuse('must be the name of a header')
    else if (reserved.test(name)) refuse('is reserved')
    else if (seen.has(name.toLowerCase())) refuse('is there twice')
    if (!printable.test(value)) refuse('must be up to 2048 printable ASCII characters')
    if (value === maskedValue) refuse('must be given again, because it is never shown')
    seen.add(name.toLowerCase())
  }
})

/** Returns null if there are none. */
export function sealHeaders(encryption: Encryption, endpointId: string, headers: CustomHeaders): string | null {
  return Object.keys(headers).length === 0 ? null : sealSecret(encryption, endpointId, JSON.stringify(headers))
}

/** @throws {DecryptionError} */
export function openHeaders(encryption: Encryption, stored: { id: string; headers: string | null }): CustomHeaders {
  return stored.headers === null ? {} : (JSON.parse(openSecret(encryption, stored.id, stored.headers)) as CustomHeaders)
}
