// Owns how a Retry-After header is read.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { maxRetryAfterMs, readDate, readRetryAfter } from '../../src/egress/retry-after.ts'

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
  expect(readRetryAfter({ 'retry-after': header }, now)).toBe(waitMs)
})

const forms = ['Sun, 06 Nov 1994 07:49:37 GMT', 'Sunday, 06-Nov-94 07:49:37 GMT', 'Sun Nov  6 07:49:37 1994']

it.each<[string, string, string | string[] | undefined, number]>([
  ['an hour ahead of ours', 'Sun, 06 Nov 1994 09:48:47 GMT', 'Sun, 06 Nov 1994 09:48:37 GMT', 10_000],
  ...forms.map((date): [string, string, string, number] => [
    'an hour behind ours',
    'Sun, 06 Nov 1994 07:49:47 GMT',
    date,
    10_000,
  ]),
  ['years behind ours', 'Thu, 01 Jan 1970 00:00:10 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT', 10_000],
  ['past what it asks for', 'Sun, 06 Nov 1994 09:48:37 GMT', 'Sun, 06 Nov 1994 09:50:00 GMT', 0],
  ['never set, unlike that of whoever asks', 'Sun, 06 Nov 1994 08:49:37 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT', 60_000],
  ['right, but days before', 'Tue, 08 Nov 1994 08:48:37 GMT', 'Sun, 06 Nov 1994 08:48:37 GMT', maxRetryAfterMs],
  ['not told', 'Sun, 06 Nov 1994 08:49:37 GMT', undefined, 60_000],
  ['told in no form of HTTP', 'Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T07:00:00Z', 60_000],
  ['told twice', 'Sun, 06 Nov 1994 07:49:37 GMT', ['soon', 'Sun, 06 Nov 1994 07:49:00 GMT'], 37_000],
  ['of no matter, as it says seconds', '7', 'Sun, 06 Nov 1994 07:49:00 GMT', 7_000],
])('waits by a server whose clock is %s', (_what, header, date, waitMs) => {
  expect(readRetryAfter({ 'retry-after': header, date }, now)).toBe(waitMs)
})

it('reads when an answer was made', () => {
  expect(readDate({ date: forms[1] })).toEqual(new Date('1994-11-06T07:49:37Z'))
  for (const date of [undefined, '', 'now', 'Sun, 99 Nov 1994 08:49:37 GMT']) expect(readDate({ date })).toBeNull()
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
        const waitMs = readRetryAfter({ 'retry-after': header }, now)
        expect(waitMs === null || (waitMs >= 0 && waitMs <= maxRetryAfterMs)).toBe(true)
      },
    ),
  )
})
