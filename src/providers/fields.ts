// Owns reading single fields of a vendor's answer: tolerantly, and into values that Postgres can store. An unreadable
// field that is only shown becomes null, since `body` keeps it. An unreadable count or list of rows fails the answer,
// because they decide between succeeded and partial.
import { z } from 'zod'
import { decimalOf, isRawNumber } from '../base/json.ts'
import { storableText } from '../base/storable-text.ts'
import type { ReportedState } from '../model/reported-state.ts'

/** A number of rows: a whole number or its decimal text. Null: absent, null or "". */
export const count = field((value, fail) => {
  const number = readCount(value)
  return number === undefined ? fail(unreadableCount, { unreadable: 'count' }) : number
})

/** What a count must be, to follow the name of its field. */
export const unreadableCount = `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`

/** Returns true if the issue is an unreadable count or list of rows. */
export function isUnreadableField(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'custom' && issue.params?.unreadable !== undefined
}

/** A number of rows that decides nothing. Unreadable values are null, too, such as -1 for "not known yet". */
export const shownCount = field((value) => {
  const number = readInteger(value) ?? null
  return number !== null && number >= 0 ? number : null
})

/** A percentage as a fraction of 0 to 1. Null: unreadable. */
export const percentage = field((value) => {
  const number = readNumber(value)
  return number === null ? null : toFraction(number, 100)
})

/** A field that `readText` reads. */
export const text = field(readText)

/**
 * A date and time within the years 100 to 9999. Reads ISO 8601 (UTC without an offset), also with the zone's name in
 * brackets (RFC 9557), and seconds or milliseconds since 1970. Null: anything else.
 */
export const timestamp = field(readTime)

/** Reads what `timestamp` describes. */
export function readTime(value: unknown): Date | null {
  return readEpoch(value) ?? readTimestamp(value)
}

/**
 * A list of rows; null if absent. A function reads each row: an answer may hold a hundred thousand, and a schema would
 * make several objects for each.
 */
export function rows<Row>(read: (row: Readonly<Record<string, unknown>> | null) => Row) {
  return field((value, fail): Row[] | null => {
    if (value === undefined || value === null) return null
    if (!Array.isArray(value) || !value.every(isRow)) return fail('must be a list of objects', { unreadable: 'list' })
    return value.map((row) => read(row ?? null))
  })
}

/** A list of rows whose absence fails the answer. */
export function requiredRows<Row>(read: (row: Readonly<Record<string, unknown>> | null) => Row) {
  return rows(read).transform((list, context) => {
    if (list !== null) return list
    context.addIssue('must be a list of objects')
    return z.NEVER
  })
}

function isRow(value: unknown): value is Record<string, unknown> | null | undefined {
  return value === null || value === undefined || isObject(value)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
}

/** Reads a line or column of a file. An unreadable one is null, so that one odd line doesn't cost its whole page. */
export function readPosition(value: unknown): number | null {
  return readInteger(value) ?? null
}

/** A field that `readFlag` reads. */
export const flag = field(readFlag)

/** Reads true, false and their texts. Anything else is null. */
export function readFlag(value: unknown): boolean | null {
  if (value === true || value === 'true') return true
  return value === false || value === 'false' ? false : null
}

/**
 * Returns the state that a published status means, ignoring case and surrounding blanks. An unpublished status is
 * `unmapped`.
 */
export function stateOf(published: Readonly<Record<string, ReportedState>>, status: string | null): ReportedState {
  const word = status?.trim().toUpperCase()
  return Object.entries(published).find(([known]) => known.toUpperCase() === word)?.[1] ?? 'unmapped'
}

/** Returns `part` of `whole` as a fraction of 0 to 1. Returns null if either is unknown or `whole` is 0. */
export function fractionOf(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole <= 0 ? null : toFraction(part, whole)
}

/** The longest text that an import shows. It goes into lists, log lines and webhook bodies, all of them bounded. */
const maxShownLength = 2_000

/** Cuts a message or status that a vendor made too long. `body` keeps the whole text. */
export function shortened(shown: string | null): string | null {
  if (shown === null || shown.length <= maxShownLength) return shown
  return `${shown.slice(0, maxShownLength - 1).toWellFormed()}…`
}

function field<Value>(
  read: (value: unknown, fail: (message: string, params?: Record<string, unknown>) => never) => Value,
): z.ZodPipe<z.ZodOptional<z.ZodUnknown>, z.ZodTransform<Value, unknown>> {
  return z
    .unknown()
    .optional()
    .transform((value, context) =>
      read(value, (message, params = {}) => {
        context.addIssue({ code: 'custom', message, params })
        return z.NEVER
      }),
    )
}

/**
 * Reads text that Postgres can store, uncut. Numbers and booleans read as JSON writes them; "" and everything else is
 * null.
 */
export function readText(value: unknown): string | null {
  if (isRawNumber(value)) return value.rawJSON
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value !== '' ? storableText(value) : null
}

/** Reads a number of rows. Null: absent. Undefined: there is a value, but it is no number of rows. */
export function readCount(value: unknown): number | null | undefined {
  const number = readInteger(value)
  return number !== null && number !== undefined && number < 0 ? undefined : number
}

/**
 * Returns undefined if there is a value that can't be stored exactly as an integer. A number is what JSON says that it is,
 * with an exponent, too (`1E+3`). A text is plain digits.
 */
function readInteger(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null
  const written = typeof value === 'string' ? value.trim() : isRawNumber(value) ? value.rawJSON : value
  if (written === '') return null
  if (typeof value === 'string' && !/^[+-]?\d+(\.0+)?$/.test(value.trim())) return undefined
  const number = typeof written === 'string' ? Number(written) : written
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined
  if (isRawNumber(value) && decimalOf(value.rawJSON) !== decimalOf(String(number))) return undefined
  return number + 0 // turns -0 into 0
}

/** Reads a number or its text. Null: it is neither, or not finite. */
export function readNumber(given: unknown): number | null {
  const value = isRawNumber(given) ? given.rawJSON : given
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}

function toFraction(part: number, whole: number): number {
  return Math.min(1, Math.max(0, part / whole)) + 0
}

const isoTime =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?) ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?(?:\[[^\]]*\])*$/

function readTimestamp(value: unknown): Date | null {
  if (typeof value !== 'string') return null
  const [, year, month, day, clockTime = '00:00', offset = 'Z'] = isoTime.exec(value.trim()) ?? []
  if (year === undefined || !isCalendarDay(Number(year), Number(month), Number(day))) return null
  return inStoredYears(new Date(`${year}-${month}-${day}T${clockTime.replace(',', '.')}${normalOffset(offset)}`))
}

/** The numbers read as times, from 1973 to 2286. A smaller number is more likely a date in digits, or a sentinel. */
const firstEpochSecond = 100_000_000
const firstEpochMillisecond = firstEpochSecond * 1_000
const endOfEpoch = 10_000_000_000_000

/** Reads seconds or milliseconds since 1970, as a number or as its text. */
function readEpoch(value: unknown): Date | null {
  const number = readNumber(value)
  if (number === null || number < firstEpochSecond || number >= endOfEpoch) return null
  return new Date(number < firstEpochMillisecond ? number * 1_000 : number)
}

/** Earlier years are the zero values of date types. JavaScript also reads years of two digits back as 19xx. */
function inStoredYears(date: Date): Date | null {
  const year = date.getUTCFullYear() // NaN if the hour or the offset doesn't exist
  return year >= 100 && year <= 9999 ? date : null
}

/** Date alone would read the 30th of February as the 2nd of March. */
function isCalendarDay(year: number, month: number, day: number): boolean {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

function normalOffset(offset: string): string {
  const [, sign, hours, minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(offset) ?? []
  return sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`
}
