import { expect, test } from 'vitest'
import { z } from 'zod'
import { AppError } from '../../src/api/refusal.ts'
import { tryParse } from '../../src/api/validation.ts'

const number = z.number()
const text = z.string()

/** What is said of a field `it` with this value. */
function said(schema: z.ZodType, value: unknown): string {
  const refusal = tryParse(z.strictObject({ it: schema }), { it: value }, 'body')
  if (!(refusal instanceof AppError)) throw new Error('It was accepted.')
  expect(refusal.message).toBe(`${refusal.errors.map(({ field, message }) => `${field} ${message}`).join('; ')}.`)
  return refusal.errors.map(({ field, message }) => `${field} ${message}`).join('; ')
}

test.each<[string, z.ZodType, unknown]>([
  ['it is required', text, undefined],
  ['it is required', z.enum(['a', 'b']), undefined],
  ['it is required', z.union([text, number]), undefined],
  ['it must be a string', text, 5],
  ['it must be a number', number, '5'],
  ['it must be a number', number, null],
  ['it must be a boolean', z.boolean(), 1],
  ['it must be an array', z.array(text), {}],
  ['it must be an object', z.strictObject({}), 'x'],
  ['it must be an object', z.record(text, text), []],
  ['it must be a whole number', number.int(), 1.5],
  ['it must be at least 1', number.min(1), 0],
  ['it must be at most 9', number.max(9), 10],
  ['it must be more than 0', number.positive(), 0],
  ['it must be less than 0', number.negative(), 0],
  ['it must be a multiple of 5', number.multipleOf(5), 6],
  ['it must have at least 1 character', text.min(1), ''],
  ['it must have at most 2 characters', text.max(2), 'abc'],
  ['it must have exactly 2 characters', text.length(2), 'abc'],
  ['it must have at least 1 item', z.array(text).min(1), []],
  ['it must have at most 2 items', z.array(text).max(2), ['a', 'b', 'c']],
  ['it.0 must be a string', z.array(text), [5]],
  ['it must be one of a, b', z.enum(['a', 'b']), 'c'],
  ['it must be a', z.literal('a'), 'c'],
  ['it must be a UUID', z.uuid(), 'x'],
  ['it must be a URL', z.url(), 'x'],
  ['it must be a date and time as in ISO 8601', z.iso.datetime(), 'x'],
  ['it must be in the documented form', text.regex(/^a$/), 'b'],
  ['it must be a string or a number', z.union([text, number]), null],
  ['it must be in one of the documented forms', z.union([z.literal('a'), number]), null],
  ['it.more is not known; it.still is not known', z.strictObject({}), { more: 1, still: 2 }],
  ['it is not valid', text.refine(() => false), 'x'],
  ['it must be odd', text.refine(() => false, { error: 'must be odd' }), 'x'],
])('“%s”', (expected, schema, value) => {
  expect(said(schema, value)).toBe(expected)
})

test('what is wrong as a whole goes by its name', () => {
  expect(tryParse(z.strictObject({}), [], 'body')).toMatchObject({
    message: 'body must be an object.',
    errors: [{ field: 'body', message: 'must be an object' }],
  })
})
