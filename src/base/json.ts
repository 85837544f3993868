// Owns JSON whose numbers keep their digits. A number that a double would change stays as it was written: a `RawNumber`
// (JSON.rawJSON), which JSON.stringify writes as it is. Whoever reckons with numbers reads them elsewhere.
import { randomUUID } from 'node:crypto'

/** A number as it was written. It isn't an object of anybody's, although `typeof` calls it one. */
export interface RawNumber {
  readonly rawJSON: string
}

interface ExactJson {
  parse(text: string, revive: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): RawNumber
  isRawJSON(value: unknown): value is RawNumber
}

/** TypeScript doesn't know these parts of JSON yet. */
const exact = JSON as unknown as ExactJson

export function isRawNumber(value: unknown): value is RawNumber {
  return exact.isRawJSON(value)
}

/**
 * The JSON, in which a number stays a {@link RawNumber} where a double has another value, or would be written with an exponent.
 * @throws {SyntaxError}
 */
export function parseJson(text: string): unknown {
  return mayLoseDigits.test(text) ? parseKeeping(text, hasOtherValue) : JSON.parse(text)
}

/**
 * As `parseJson`, but a number stays a {@link RawNumber} also where it would only be written differently (`1.0`): it
 * may be an id or a cursor, and those are texts.
 * @throws {SyntaxError}
 */
export function parseJsonAsWritten(text: string): unknown {
  return mayLookDifferent.test(text) ? parseKeeping(text, looksDifferent) : JSON.parse(text)
}

/**
 * Whether there may be such a number, which there nearly never is: every double has all numbers of 15 digits. Texts
 * that look like one cost a slower parse and no more.
 */
const mayLoseDigits = /(?:^|[:,[\s])-?(?:\d[\d.]*[eE]|[\d.]{16})/
const mayLookDifferent = /(?:^|[:,[\s])-?(?:\d[\d.]*[eE]|[\d.]{16}|\d+\.\d*0(?:[,\]}\s]|$)|0\.000000)/

type IsKept = (source: string, value: number) => boolean

/** Numbers are marked in the text, which is several times faster than a reviver; a text that looks like one undoes it. */
function parseKeeping(text: string, isKept: IsKept): unknown {
  try {
    return unmarked(
      JSON.parse(text.replace(numbers, (source) => (isKept(source, Number(source)) ? marked(source) : source))),
    )
  } catch {
    return parseReviving(text, isKept)
  }
}

/** As the grammar of JSON has them. Within a text, such a thing would end it with its mark, and what followed be no JSON. */
const numbers = /(?<=^|[:,[\s])-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[,\]}\s]|$)/g
/** Nobody else can know it. */
const mark = `\0${randomUUID()}`

function marked(source: string): string {
  return `"\\u0000${mark.slice(1)}${source}"`
}

/** The value, in which each text with a mark is the number that it was. */
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
      // A plain assignment to `__proto__` would make no field of it.
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

/** A whole number that is written out stays so, too: String has exponents from 10²¹ on. */
function hasOtherValue(source: string, value: number): boolean {
  if (!looksDifferent(source, value)) return false
  return /^-?[1-9]\d*$/.test(source) || decimalOf(source) !== decimalOf(String(value))
}

/** A number in one spelling for each value, such as `-123e-2`; infinity, which JSON can't say, as it is. */
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

/** What Postgres' `numeric`, in which `jsonb` keeps numbers, has before and after the point. */
const maxWholeDigits = 131_072
const maxFractionDigits = 16_383

/** Whether Postgres can keep the number in `jsonb`. */
export function isStorableNumber({ rawJSON }: RawNumber): boolean {
  const [, , whole = '', fraction = '', exponent = '0'] = decimal.exec(rawJSON) ?? []
  const shift = Number(exponent)
  return whole.length + shift <= maxWholeDigits && fraction.length - shift <= maxFractionDigits
}

/** How many bytes the value has as Postgres keeps it in `jsonb`, at least: numbers are written out there. */
export function sizeOfJson(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + addedDigits(value)
}

function addedDigits(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (isRawNumber(value)) return Math.max(writtenOutLength(value) - value.rawJSON.length, 0)
  return Object.values(value).reduce<number>((sum, inner) => sum + addedDigits(inner), 0)
}

/** How long the number is where Postgres has written it out: it knows no exponents. */
export function writtenOutLength({ rawJSON }: RawNumber): number {
  const [, , whole = '', fraction = '', exponent = '0'] = decimal.exec(rawJSON) ?? []
  const shift = Number(exponent)
  return Math.max(whole.length + shift, 1) + Math.max(fraction.length - shift, 0) + 2
}
