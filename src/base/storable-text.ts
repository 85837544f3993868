// Owns making foreign JSON storable. Postgres rejects NUL, half a surrogate pair and numbers with too many digits.
// Vendors may send all of them.
import { isRawNumber, isStorableNumber, type RawNumber, writtenOutLength } from './json.ts'

const nul = /\0/g

export function storableText(text: string): string {
  return isStorableText(text) ? text : text.toWellFormed().replace(nul, '\uFFFD')
}

/**
 * Returns the JSON value with every text, keys included, and every number storable. A storable value, the usual case,
 * is returned as it is. An unstorable number becomes the text that it was written as.
 */
export function storableJson(value: unknown): unknown {
  return isStorableJson(value) ? value : replaced(value)
}

function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function isStorableJson(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  if (isRawNumber(value)) return isShortEnough(value)
  if (Array.isArray(value)) return value.every(isStorableJson)
  for (const key of Object.keys(value))
    if (!isStorableText(key) || !isStorableJson(value[key as keyof typeof value])) return false
  return true
}

/** Postgres writes numbers out. Numbers like 1e100000 would make an answer thousands of times as long. */
const maxAddedDigits = 1_000

function isShortEnough(number: RawNumber): boolean {
  return isStorableNumber(number) && writtenOutLength(number) <= number.rawJSON.length + maxAddedDigits
}

function replaced(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (Array.isArray(value)) return value.map(replaced)
  if (typeof value !== 'object' || value === null) return value
  if (isRawNumber(value)) return isShortEnough(value) ? value : value.rawJSON
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), replaced(item)]))
}
