// Owns masking a connection's secrets in stored texts of a vendor.
import { storableText } from '../base/storable-text.ts'

const maskText = '***'
const excerptBytes = 2_048
const windowLength = 65_536
/** Shorter values inside a JSON credential (a token's `token_type`) are words, not secrets. */
const minNestedLength = 8
/** Shorter values are in many a text by chance, once it is decoded. */
const minEncodedLength = 4
const base64Run = /[A-Za-z0-9+/_-]{8,}={0,2}/g

/**
 * Returns a function that replaces every credential in a text: plain, in base64 (as headers carry it), percent-encoded,
 * and escaped in JSON. Base64 that holds one is replaced as a whole, such as a user and password of Basic (RFC 7617). If a
 * credential is itself JSON, such as Zilliant's, the texts inside it count as well.
 */
export function createMask(credentials: unknown): (text: string) => string {
  const secrets = [...new Set(textsIn(credentials).flatMap(formsOf))].sort((a, b) => b.length - a.length)
  const long = secrets.filter((secret) => secret.length >= minEncodedLength)
  // Letters right before it shift where base64 begins.
  const hides = (run: string) =>
    [0, 1, 2, 3].some((shift) => {
      const decoded = Buffer.from(run.slice(shift), 'base64').toString('utf8')
      return long.some((secret) => decoded.includes(secret))
    })
  return (text) => {
    const encoded = text.replaceAll(base64Run, (run) => (hides(run) ? maskText : run))
    return secrets.reduce((masked, secret) => masked.replaceAll(secret, maskText), encoded)
  }
}

/** Returns the first 2 KiB of a text (UTF-8), masked and storable. */
export function excerptOf(text: string, mask: (text: string) => string): string {
  const masked = storableText(mask(text.slice(0, windowLength)))
  const bytes = new Uint8Array(excerptBytes)
  const { read } = new TextEncoder().encodeInto(masked, bytes)
  return masked.slice(0, read)
}

function textsIn(value: unknown, minLength = 1): string[] {
  if (typeof value === 'string') return value.length < minLength ? [] : [value, ...textsInJson(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap((inner) => textsIn(inner, minLength))
}

function textsInJson(text: string): string[] {
  if (!text.trimStart().startsWith('{')) return []
  try {
    return textsIn(JSON.parse(text), minNestedLength)
  } catch {
    return []
  }
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  return [
    secret,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1),
  ]
}
