// Owns comparing JSON values by what they say: the order of keys says nothing. Numbers that keep their digits count by them.
import { isRawNumber } from './json.ts'

/** The JSON of a value with its keys in order. */
export function stableJson(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? 'undefined'
}

export function isSame(one: unknown, other: unknown): boolean {
  return stableJson(one) === stableJson(other)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return value
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}
