// Owns masking a connection's secrets in stored texts of a vendor.
import { storableText } from '../base/storable-text.ts'

const maskText = '***'
const excerptBytes = 2_048
const windowLength = 65_536
/** Shorter values inside a JSON credential (a token's `token_type`) are words, not secrets. */
const minNestedLength = 8

/**
 * Returns a function that replaces every credential in a text: plain, in base64 (as headers carry it), percent-encoded,
 * and escaped in JSON. If a credential is itself JSON, such as Zilliant's, the texts inside it count as well.
 */
export function createMask(credentials: unknown): (text: string) => string {
  const secrets = [...new Set(textsIn(credentials).flatMap(formsOf))].sort((a, b) => b.length - a.length)
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, maskText), text)
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
