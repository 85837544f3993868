import fc from 'fast-check'
import { v7 } from 'uuid'
import { expect, test } from 'vitest'
import { leastId, madeAt, monthNamed, monthOf, nameOf } from '../../src/history/months.ts'

const moments = fc.date({ min: new Date('1971-01-01'), max: new Date('9998-12-31'), noInvalidDate: true })

test('every id is in the month that it was made in, and in no other', () => {
  fc.assert(
    fc.property(moments, (moment) => {
      const id = v7({ msecs: moment.getTime() })
      const month = monthOf(moment)
      expect(leastId(month) <= id && id < leastId(monthOf(month, 1))).toBe(true)
      expect(madeAt(id)).toEqual(moment)
    }),
  )
})

test('a month begins with its first millisecond, in UTC', () => {
  const first = new Date('2026-11-01T00:00:00.000Z')
  expect(leastId(first)).toBe('01a19467-e800-0000-0000-000000000000')
  expect(monthOf(new Date('2026-11-30T23:59:59.999Z'))).toEqual(first)
  expect(monthOf(new Date('2026-10-31T23:59:59.999Z'), 1)).toEqual(first)
  expect(monthOf(new Date('2027-02-28T12:00:00.000Z'), -3)).toEqual(first)
})

test('a month is known by its name', () => {
  fc.assert(
    fc.property(moments, (moment) => {
      expect(monthNamed(nameOf(monthOf(moment)))).toEqual(monthOf(moment))
    }),
  )
  expect(nameOf(new Date('2026-11-22T00:00:00Z'))).toBe('2026_11')
})
