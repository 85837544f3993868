// Owns how single fields are read.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseJsonAsWritten } from '../../src/base/json.ts'
import {
  count,
  flag,
  percentage,
  readPosition,
  rows,
  shortened,
  shownCount,
  text,
  timestamp,
} from '../../src/providers/fields.ts'

const read = (field: z.ZodType, value: unknown) => z.object({ field }).safeParse({ field: value })

describe('a count', () => {
  it.each([
    [0, 0],
    [-0, 0],
    [10, 10],
    ['10', 10],
    [' 10 ', 10],
    ['10.0', 10],
    ['+10', 10],
    ['007', 7],
    ['9007199254740991', 9_007_199_254_740_991],
    ['', null],
    ['  ', null],
    [null, null],
    [undefined, null],
  ])('reads %j as %j', (value, number) => {
    expect(read(count, value).data).toEqual({ field: number })
  })

  it.each(['ten', '1,000', '0x10', '1e3', 1.5, '1.5', -1, '-1', 2 ** 53, '9007199254740993', Number.NaN, true, [], {}])(
    'refuses %j',
    (value) => {
      expect(read(count, value).error?.issues[0]).toMatchObject({
        path: ['field'],
        message: 'must be a whole number from 0 to 9007199254740991',
      })
    },
  )

  it.each(['10.0', '1.0e1', '1E+1', '100e-1', '0.1e2'])('reads the number %s as what it is', (source) => {
    expect(read(count, parseJsonAsWritten(source)).data).toEqual({ field: 10 })
  })

  it.each(['1e400', '15e-1', '-1E+3', '9007199254740993', '9007199254740991.0000001', '1e-7', '1e16'])(
    'refuses the number %s',
    (source) => {
      expect(read(count, parseJsonAsWritten(source)).success).toBe(false)
    },
  )

  it.each(['ten', 1.5, -1, '-1', parseJsonAsWritten('9007199254740993'), parseJsonAsWritten('1e400'), true, {}])(
    'that decides nothing is null where it is %j',
    (value) => {
      expect(read(shownCount, value).data).toEqual({ field: null })
      expect(read(shownCount, '7').data).toEqual({ field: 7 })
    },
  )

  it('is null where it is absent', () => {
    expect(z.object({ count, percentage, text, timestamp, flag, rows: rows(Object) }).parse({})).toEqual({
      count: null,
      percentage: null,
      text: null,
      timestamp: null,
      flag: null,
      rows: null,
    })
  })
})

it.each([
  [-1, -1],
  ['12', 12],
  ['odd', null],
  [1.5, null],
])('reads the position %j as %j', (value, number) => {
  expect(readPosition(value)).toBe(number)
})

describe('rows', () => {
  it.each([
    [null, null],
    [[], []],
    [
      [{ a: 1 }, null],
      [1, 'none'],
    ],
  ])('are read one by one: %j', (value, expected) => {
    expect(
      read(
        rows((row) => (row ? row.a : 'none')),
        value,
      ).data,
    ).toEqual({ field: expected })
  })

  it.each(['odd', 1, true, {}, [[]], [1], ['odd'], [{}, false]])('are refused where they are none: %j', (value) => {
    expect(read(rows(Object), value).success).toBe(false)
  })
})

it.each<[unknown, string | null]>([
  ['2026-06-03T12:58:32Z', '2026-06-03T12:58:32.000Z'],
  ['2026-06-03t12:58:32.123456z', '2026-06-03T12:58:32.123Z'],
  [' 2026-06-03 12:58:32,5 ', '2026-06-03T12:58:32.500Z'],
  ['2026-06-03T12:58:32+02:00', '2026-06-03T10:58:32.000Z'],
  ['2026-06-03T12:58:32-0130', '2026-06-03T14:28:32.000Z'],
  ['2026-06-03T12:58:32+02', '2026-06-03T10:58:32.000Z'],
  ['2026-06-03T12:58', '2026-06-03T12:58:00.000Z'],
  ['2026-06-03', '2026-06-03T00:00:00.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['2026-06-03T12:58:32+02:00[Europe/Berlin]', '2026-06-03T10:58:32.000Z'],
  ['2026-06-03T12:58:32Z[Etc/UTC][u-ca=gregory]', '2026-06-03T12:58:32.000Z'],
  [1_780_491_512, '2026-06-03T12:58:32.000Z'],
  [1_780_491_512.5, '2026-06-03T12:58:32.500Z'],
  [1_780_491_512_000, '2026-06-03T12:58:32.000Z'],
  [' 1780491512 ', '2026-06-03T12:58:32.000Z'],
  ['1780491512000', '2026-06-03T12:58:32.000Z'],
  [parseJsonAsWritten('1780491512.0'), '2026-06-03T12:58:32.000Z'],
  [0, null],
  [-1, null],
  [20_260_603, null],
  ['20260603125832', null],
  [1_780_491_512_000_000, null],
  ['0100-01-01T00:00:00Z', '0100-01-01T00:00:00.000Z'],
  ['0100-01-01T00:00:00+01:00', null],
  ['0099-12-31T00:00:00Z', null],
  ['0001-01-01T00:00:00Z', null],
  ['0001-01-01T00:00:00+01:00', null],
  ['0000-01-01T00:00:00Z', null],
  ['9999-12-31T23:59:59-01:00', null],
  ['2026-02-29T00:00:00Z', null],
  ['2026-13-01T00:00:00Z', null],
  ['2026-06-03T25:00:00Z', null],
  ['2026-06-03T12:00:00+99:00', null],
  ['yesterday', null],
  ['foo 2001', null],
  ['', null],
  [null, null],
])('reads the timestamp %j as %j', (value, iso) => {
  expect(read(timestamp, value).data).toEqual({ field: iso === null ? null : new Date(iso) })
})

it.each([
  [true, true],
  ['true', true],
  [false, false],
  ['false', false],
  ['yes', null],
  [1, null],
  [null, null],
])('reads the flag %j as %j', (value, isSet) => {
  expect(read(flag, value).data).toEqual({ field: isSet })
})

it.each([
  ['as it is ', 'as it is '],
  [7, '7'],
  [true, 'true'],
  ['nul\u0000 and half \ud83d', 'nul\ufffd and half \ufffd'],
  ['🙂', '🙂'],
  ['', null],
  [null, null],
  [{}, null],
])('reads the text %j as %j', (value, stored) => {
  expect(read(text, value).data).toEqual({ field: stored })
})

it('cuts an endless message without breaking a character', () => {
  const message = shortened(`${'x'.repeat(1_998)}🙂 and so on`)
  expect(message).toHaveLength(2_000)
  expect(message?.isWellFormed()).toBe(true)
  expect(message?.endsWith('…')).toBe(true)
  expect(shortened('short')).toBe('short')
  expect(shortened(null)).toBeNull()
})

it.each([
  '17841400000000001',
  '9007199254740993',
  '1.0',
  '1.10',
  '1e3',
  '0.1234567890123456789',
  '1000000000000000000000',
])('reads the number %s as the text that it was written as', (source) => {
  expect(read(text, parseJsonAsWritten(source)).data).toEqual({ field: source })
})
