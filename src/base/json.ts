// Owns JSON whose numbers keep their digits. A number that a double would change stays a `RawNumber` (JSON.rawJSON),
// which JSON.stringify writes back unchanged. Code that calculates with numbers doesn't use it.
import { randomUUID } from 'node:crypto'

/** A number as the source wrote it. `typeof` says `object`, but it is no JSON object. */
export interface RawNumber {
  readonly rawJSON: string
}

interface ExactJson {
  parse(text: string, revive: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): RawNumber
  isRawJSON(value: unknown): value is RawNumber
}

/** TypeScript doesn't declare these parts of JSON yet. */
const exact = JSON as unknown as ExactJson

export function isRawNumber(value: unknown): value is RawNumber {
  return exact.isRawJSON(value)
}

/**
 * Parses JSON. A number stays a {@link RawNumber} if a double has another value, or would be written with an exponent.
 * @throws {SyntaxError}
 */
export function parseJson(text: string): unknown {
  return mayLoseDigits.test(text) ? parseKeeping(text, hasOtherValue) : JSON.parse(text)
}

/**
 * Parses JSON as `parseJson` does, but also keeps a number that a double would only write differently (`1.0`). Ids and
 * cursors are texts, so every character of theirs counts.
 * @throws {SyntaxError}
 */
export function parseJsonAsWritten(text: string): unknown {
  return mayLookDifferent.test(text) ? parseKeeping(text, looksDifferent) : JSON.parse(text)
}

/**
 * Matches if the text may hold such a number, which is rare: a double holds every number of 15 digits. A text that only
 * resembles such a number costs a slower parse.
 */
const mayLoseDigits = /(?:^|[:,[\s])-?(?:\d[\d.]*[eE]|[\d.]{16})/
const mayLookDifferent = /(?:^|[:,[\s])-?(?:\d[\d.]*[eE]|[\d.]{16}|\d+\.\d*0(?:[,\]}\s]|$)|0\.000000)/

type IsKept = (source: string, value: number) => boolean

/**
 * Marks numbers in the text, which is several times faster than a reviver. If a string looks like a number, the marked
 * text is no JSON, and the reviver takes over.
 */
function parseKeeping(text: string, isKept: IsKept): unknown {
  try {
    return unmarked(
      JSON.parse(text.replace(numbers, (source) => (isKept(source, Number(source)) ? marked(source) : source))),
    )
  } catch {
    return parseReviving(text, isKept)
  }
}

/**
 * Numbers by the grammar of JSON. A match inside a string would end the string at the mark's quote, and the rest would
 * be no JSON.
 */
const numbers = /(?<=^|[:,[\s])-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[,\]}\s]|$)/g
/** Random, so that no sender can know it. */
const mark = `\0${randomUUID()}`

function marked(source: string): string {
  return `"\\u0000${mark.slice(1)}${source}"`
}

/** Returns the value with each marked text turned back into its number. */
function unmarked(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(mark) ? exact.rawJSON(value.slice(mark.length)) : value
  if (typeof value === 'object' && value !== null) unmarkIn(value as Record<string, unknown>)
  return value
}

function unmarkIn(holder: Record<string, unknown>): void {
  for (const key in holder) {
    const inner = holder[key]
    if (typeof inner === 'object' && inner !== null) unmarkIn(inner as Record<string, unknown>)
    else if (typeof inner === 'string' && inner.startsWith(mark))
      // Assigning to `__proto__` would set the prototype instead of a field.
      Object.defineProperty(holder, key, {
        value: unmarked(inner),
        configurable: true,
        enumerable: true,
        writable: true,
      })
  }
}

function parseReviving(text: string, isKept: IsKept): unknown {
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && isKept(source, value) ? exact.rawJSON(source) : value,
  )
}

function looksDifferent(source: string, value: number): boolean {
  return source !== String(value)
}

/** Also keeps a whole number that is written without an exponent: String writes exponents from 10²¹ on. */
function hasOtherValue(source: string, value: number): boolean {
  if (!looksDifferent(source, value)) return false
  return /^-?[1-9]\d*$/.test(source) || decimalOf(source) !== decimalOf(String(value))
}

/** Returns one spelling for each value, such as `-123e-2`. `Infinity`, which JSON can't say, stays as it is. */
export function decimalOf(number: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] = decimal.exec(number) ?? []
  if (sign === undefined) return number
  const digits = `${whole}${fraction}`
  let start = 0
  let end = digits.length
  while (digits[start] === '0') start++
  while (end > start && digits[end - 1] === '0') end--
  if (start === end) return '0'
  return `${sign}${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** How many digits Postgres' `numeric`, which `jsonb` stores numbers as, has before and after the point. */
const maxWholeDigits = 131_072
const maxFractionDigits = 16_383

/** Returns true if Postgres can store the number in `jsonb`. */
export function isStorableNumber({ rawJSON }: RawNumber): boolean {
  const [, , whole = '', fraction = '', exponent = '0'] = decimal.exec(rawJSON) ?? []
  const shift = Number(exponent)
  return whole.length + shift <= maxWholeDigits && fraction.length - shift <= maxFractionDigits
}

/**
 * Returns the least number of bytes that the value takes in `jsonb`. Postgres writes numbers out, without exponents.
 */
export function sizeOfJson(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + addedDigits(value)
}

function addedDigits(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (isRawNumber(value)) return Math.max(writtenOutLength(value) - value.rawJSON.length, 0)
  return Object.values(value).reduce<number>((sum, inner) => sum + addedDigits(inner), 0)
}

/** Returns the length of the number once Postgres has written it out: Postgres uses no exponents. */
export function writtenOutLength({ rawJSON }: RawNumber): number {
  const [, , whole = '', fraction = '', exponent = '0'] = decimal.exec(rawJSON) ?? []
  const shift = Number(exponent)
  return Math.max(whole.length + shift, 1) + Math.max(fraction.length - shift, 0) + 2
}
