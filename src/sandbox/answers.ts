// Owns the answers that a script gives word for word: which one is due, and filling its placeholders.
import { createHash, randomUUID } from 'node:crypto'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { z } from 'zod'
import { after } from '../base/clock.ts'
import { isJsonObject, type Json, type JsonObject, mapScalars, RawText } from './json.ts'
import type { HeaderValue } from './vendor.ts'

const headerSchema = z.union([z.string(), z.array(z.string()).max(100), z.null()])

/**
 * An answer that replaces the vendor's. It is due at the requests of its kind (`on`) with the numbers of `request`
 * (counted from 1: `3`, `"2-"`, `"1-2"`), `afterMs` after the first request for the job, and if `url` is part of the
 * request's URL. Of several due answers, the last one listed answers.
 */
export const answerSchema = z
  .strictObject({
    on: z.enum(['status', 'details', 'summary']).default('status'),
    request: z
      .union([z.int().min(1), z.string().regex(/^[1-9]\d{0,8}(-([1-9]\d{0,8})?)?$/)], {
        error: 'must be a number from 1, or a range such as "2-" or "1-2"',
      })
      .optional(),
    afterMs: z.int().min(0).default(0),
    url: z.string().min(1).optional(),
    status: z.int().min(200).max(599).default(200),
    /** A list is sent as that many headers. Null leaves out a header that would be sent by itself. */
    headers: z.record(z.string(), headerSchema).default({}),
    body: z.json().optional(),
    /** The body as literal text: text that isn't JSON, or that has digits that a double doesn't hold. */
    raw: z.string().optional(),
    /** Each answer has the body's keys in another order. */
    shuffled: z.boolean().default(false),
  })
  .superRefine((answer, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    const { body, raw } = answer
    if (body !== undefined && raw !== undefined) refuse(['raw'], 'must not be given beside body')
    if (body === undefined && raw === undefined && answer.status < 400) {
      refuse(['body'], 'must be given, or raw, unless status is 400 or above')
    }
    if (answer.shuffled && body === undefined) refuse(['shuffled'], 'needs a body')
    const [first, last] = requestRange(answer.request)
    if (first > last) refuse(['request'], 'must not end before it begins')
    for (const [name, value] of Object.entries(answer.headers)) {
      if (!isHeader(name, value)) refuse(['headers', name], 'must be a header that HTTP can carry')
      const unknown = unknownPlaceholder(JSON.stringify(value))
      if (unknown !== null) refuse(['headers', name], `has an unknown placeholder, ${unknown}`)
    }
    const unknown = unknownPlaceholder(raw ?? JSON.stringify(body ?? null))
    if (unknown !== null) refuse([raw === undefined ? 'body' : 'raw'], `has an unknown placeholder, ${unknown}`)
  })

export type ScriptedAnswer = z.output<typeof answerSchema>

/** A request for which an answer may be due. `nth` is its number among the requests of its kind, this one included. */
export interface AnswerOccasion {
  kind: ScriptedAnswer['on']
  nth: number
  sinceFirstMs: number
  url: string
}

/** Returns null if no answer is due. */
export function answerAt(answers: readonly ScriptedAnswer[], occasion: AnswerOccasion): ScriptedAnswer | null {
  const { kind, nth, sinceFirstMs, url } = occasion
  const due = answers.findLast((answer) => {
    const [first, last] = requestRange(answer.request)
    return (
      answer.on === kind &&
      nth >= first &&
      nth <= last &&
      answer.afterMs <= sinceFirstMs &&
      (answer.url === undefined || url.includes(answer.url))
    )
  })
  return due ?? null
}

/** The moments that placeholders stand for. */
export interface Times {
  now: Date
  /** When the job was added. */
  created: Date
}

/** Returns the headers of this answer, with their names in lower case. */
export function headersOf(answer: ScriptedAnswer, times: Times): Record<string, HeaderValue> {
  const fill = (text: string) => filled(text, times, 'http')
  return Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [
      name.toLowerCase(),
      value === null ? null : Array.isArray(value) ? value.map(fill) : fill(value),
    ]),
  )
}

/** Returns the body of this answer. Returns undefined if the script leaves it to the vendor. */
export function bodyOf(answer: ScriptedAnswer, nth: number, times: Times): Json | undefined {
  if (answer.raw !== undefined) return new RawText(filled(answer.raw, times, 'iso'))
  if (answer.body === undefined) return undefined
  const body = mapScalars(answer.body, (scalar) => (typeof scalar === 'string' ? filled(scalar, times, 'iso') : scalar))
  return answer.shuffled ? shuffled(body, nth) : body
}

const amount = String.raw`[+-]\d{1,9}(?:ms|s|m|h|d)`
const placeholder = new RegExp(`<(now|created)((?:${amount})*)(?::(iso|http|s|ms))?>|<(uuid)>|<(.)\\*(\\d{1,7})>`, 'gu')
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function filled(text: string, times: Times, form: string): string {
  return text.replaceAll(placeholder, (_, moment, shift, ownForm, uuid, character, count) => {
    if (uuid !== undefined) return randomUUID()
    if (character !== undefined) return character.repeat(Number(count))
    return written(after(times[moment as keyof Times], shiftMs(shift)), ownForm ?? form)
  })
}

function shiftMs(shift: string): number {
  return [...shift.matchAll(/([+-]\d+)(ms|s|m|h|d)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0),
    0,
  )
}

function written(at: Date, form: string): string {
  switch (form) {
    case 'http':
      return at.toUTCString()
    case 's':
      return String(Math.floor(at.getTime() / 1_000))
    case 'ms':
      return String(at.getTime())
    default:
      return at.toISOString()
  }
}

/** Returns a placeholder that is probably mistyped. Returns null if there is none. */
function unknownPlaceholder(text: string): string | null {
  return /<(?:now|created|uuid)\b[^<>]*>/.exec(text.replaceAll(placeholder, ''))?.[0] ?? null
}

/** Returns the value with its keys in an order of its own for each `nth`, the same in every sandbox. */
function shuffled(value: Json, nth: number): Json {
  if (Array.isArray(value)) return value.map((entry: Json) => shuffled(entry, nth))
  if (!isJsonObject(value)) return value
  const rank = (name: string) => createHash('sha256').update(`${nth} ${name}`).digest('hex')
  const object: JsonObject = value
  return Object.fromEntries(
    Object.entries(object)
      .map(([name, field]) => ({ name, field, rank: rank(name) }))
      .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
      .map(({ name, field }) => [name, field === undefined ? undefined : shuffled(field, nth)]),
  )
}

function requestRange(request: number | string | undefined): readonly [number, number] {
  if (request === undefined) return [1, Number.POSITIVE_INFINITY]
  if (typeof request === 'number') return [request, request]
  const [first, last] = request.split('-')
  return [Number(first), last === undefined ? Number(first) : last === '' ? Number.POSITIVE_INFINITY : Number(last)]
}

function isHeader(name: string, value: HeaderValue): boolean {
  try {
    validateHeaderName(name)
    for (const text of [value ?? []].flat()) validateHeaderValue(name, text)
    return true
  } catch {
    return false
  }
}
