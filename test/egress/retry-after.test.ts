// Owns how a Retry-After header is read.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { maxRetryAfterMs, readRetryAfter } from '../../src/egress/retry-after.ts'

const now = new Date('1994-11-06T08:48:37Z') // a minute before RFC 9110's examples

it.each<[string | string[] | undefined, number | null]>([
  ['120', 120_000],
  [' 0 ', 0],
  ['1.5', 1_500],
  ['86400', maxRetryAfterMs],
  ['86401', maxRetryAfterMs],
  ['9'.repeat(400), maxRetryAfterMs],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 60_000],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 60_000],
  ['Sun Nov  6 08:49:37 1994', 60_000],
  ['Sun, 06 Nov 1994 08:40:00 GMT', 0],
  ['Sun, 06 Nov 2094 08:40:00 GMT', maxRetryAfterMs],
  [['10', '30', 'soon'], 30_000],
  [undefined, null],
  ['', null],
  ['soon', null],
  ['-5', null],
  ['1e3', null],
  ['1994-11-06T08:49:37Z', null],
  ['Sun, 99 Nov 1994 08:49:37 GMT', null],
])('reads %j as %j ms', (header, waitMs) => {
  expect(readRetryAfter(header, now)).toBe(waitMs)
})

it('is never negative and never more than a day', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.nat().map(String),
        fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      ),
      (header) => {
        const waitMs = readRetryAfter(header, now)
        expect(waitMs === null || (waitMs >= 0 && waitMs <= maxRetryAfterMs)).toBe(true)
      },
    ),
  )
})
