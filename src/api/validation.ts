// Owns turning zod's issues into the fields of a problem document, never repeating a value. Also refuses JSON that
// Postgres can't store.
import type { z } from 'zod'
import { isRawNumber, isStorableNumber } from '../base/json.ts'
import { AppError, type FieldError } from './refusal.ts'

/** Reads `input` as `tryParse` does. @throws {AppError} */
export function parse<Output>(schema: z.ZodType<Output>, input: unknown, name: string): Output {
  const parsed = tryParse(schema, input, name)
  if (parsed instanceof AppError) throw parsed
  return parsed
}

/**
 * Reads `input` by the schema. Returns an `invalid_request` naming the wrong fields if it doesn't fit. `name` stands
 * for the whole input if no single field is wrong.
 */
export function tryParse<Output>(schema: z.ZodType<Output>, input: unknown, name: string): Output | AppError {
  const parsed = schema.safeParse(input, { error: issueText })
  if (parsed.success) return parsed.data
  return named(fieldErrors(parsed.error), name)
}

function named(errors: readonly FieldError[], name: string): AppError {
  return invalidFields(errors.map(({ field, message }) => ({ field: field || name, message })))
}

/** Reads as `tryParse` does, and first refuses JSON that can't be stored. */
export function tryParseKept<Output>(schema: z.ZodType<Output>, input: unknown, name: string): Output | AppError {
  try {
    requireStorable(input)
  } catch (error) {
    if (error instanceof AppError) return named(error.errors ?? [], name)
    throw error
  }
  return tryParse(schema, input, name)
}

/** Returns one entry a wrong field. `field` is its path below `prefix`, such as `limits.maxInFlight`. */
export function fieldErrors(error: z.ZodError | undefined, prefix = ''): FieldError[] {
  return (error?.issues ?? []).flatMap((issue) => {
    const path = [...(prefix === '' ? [] : [prefix]), ...issue.path.map(String)]
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ field: [...path, key].join('.'), message: 'is not known' }))
    return [{ field: path.join('.'), message: issue.message }]
  })
}

export function invalidFields(errors: FieldError[]): AppError {
  const detail = errors.map(({ field, message }) => `${field} ${message}`).join('; ')
  return new AppError('invalid_request', `${detail}.`, errors)
}

/** Deeper than any caller needs, and well within what Postgres parses. */
const maxDepth = 64

/**
 * @throws {AppError} `invalid_request` if the JSON nests too deeply, or holds a text or number that can't be stored. A
 * key `__proto__` is refused, too, because many programs would lose it.
 */
export function requireStorable(value: unknown, path: readonly string[] = []): void {
  if (typeof value === 'string') requireStorableText(value, path)
  if (typeof value !== 'object' || value === null) return
  if (isRawNumber(value)) {
    if (!isStorableNumber(value)) throw refused(path, 'must be a number with fewer digits')
    return
  }
  if (path.length >= maxDepth) throw refused(path.slice(0, 3), `must not nest more than ${maxDepth} levels deep`)
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw refused([...path, key], 'is no key that can be kept')
    requireStorableText(key, path)
    requireStorable(item, [...path, key])
  }
}

function requireStorableText(text: string, path: readonly string[]): void {
  if (text.includes('\0') || !text.isWellFormed())
    throw refused(path, 'must not contain the character U+0000 or half a surrogate pair')
}

function refused(path: readonly string[], message: string): AppError {
  return invalidFields([{ field: path.join('.'), message }])
}

/** Says what was expected, phrased to follow the name of the field: "must be at least 1". */
export const issueText: z.core.$ZodErrorMap = (issue) => {
  if (issue.input === undefined && issue.code !== 'custom') return 'is required'
  switch (issue.code) {
    case 'invalid_type':
      if (isRawNumber(issue.input)) return wrongNumber(issue.expected)
      return `must be ${typeNames[issue.expected] ?? `a ${issue.expected}`}`
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`
    case 'too_small':
      return bound(issue.origin, issue.minimum, issue.exact ? 'exactly' : issue.inclusive ? 'at least' : 'more than')
    case 'too_big':
      return bound(issue.origin, issue.maximum, issue.exact ? 'exactly' : issue.inclusive ? 'at most' : 'less than')
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'invalid_format':
      return `must be ${formatNames[issue.format] ?? 'in the documented form'}`
    case 'invalid_union':
      return unionText(issue.errors)
    default:
      return 'is not valid'
  }
}

/** A field that the service calculates with must be a number that a double can carry. */
function wrongNumber(expected: string): string {
  return expected === 'number' || expected === 'int'
    ? 'must be a number that a double can carry exactly'
    : `must be ${typeNames[expected] ?? `a ${expected}`}`
}

const typeNames: Record<string, string> = {
  int: 'a whole number',
  array: 'an array',
  object: 'an object',
  record: 'an object',
}

const formatNames: Record<string, string> = {
  uuid: 'a UUID',
  url: 'a URL',
  datetime: 'a date and time as in ISO 8601',
  safeint: 'a whole number that JSON can carry exactly',
}

const sizeUnits: Record<string, [one: string, many: string]> = {
  string: ['character', 'characters'],
  array: ['item', 'items'],
  object: ['field', 'fields'],
}

function bound(origin: string, limit: number | bigint, relation: string): string {
  const [one, many] = sizeUnits[origin] ?? []
  return one === undefined
    ? `must be ${relation} ${limit}`
    : `must have ${relation} ${limit} ${Number(limit) === 1 ? one : many}`
}

/** If several types are allowed, the message names them. */
function unionText(alternatives: readonly (readonly z.core.$ZodIssue[])[]): string {
  const types = alternatives.map(([issue]) => (issue?.code === 'invalid_type' ? issue.expected : undefined))
  if (types.length === 0 || types.includes(undefined)) return 'must be in one of the documented forms'
  return `must be ${types.map((type) => typeNames[type ?? ''] ?? `a ${type}`).join(' or ')}`
}
