// Owns which of a provider's times can be.
import { expect, it } from 'vitest'
import { type Report, unknownRows } from '../../src/providers/contract.ts'
import { clockAheadMs, withTimesThatCanBe } from '../../src/providers/times.ts'

const answeredAt = new Date('2026-11-25T12:00:00Z')

function read(time: string): Report {
  const date = new Date(time)
  const times = { createdAt: date, startedAt: date, finishedAt: date, expiresAt: date }
  const said = { state: 'running', providerStatus: null, message: null, progress: null } as const
  return withTimesThatCanBe({ ...said, ...times, rows: unknownRows, body: {} }, answeredAt)
}

it.each([
  ['0001-01-01T00:00:00Z', false],
  ['1900-01-01T00:00:00Z', false],
  ['1970-01-01T00:00:00Z', false],
  ['1999-12-31T23:59:59.999Z', false],
  ['2000-01-01T00:00:00Z', true],
  ['2026-11-25T12:01:00Z', true],
  ['2026-11-25T12:01:00.001Z', false],
  ['9999-12-31T23:59:59Z', false],
])('%s can be: %s', (time, canBe) => {
  const date = new Date(time)
  const expected = canBe ? date : null
  expect(read(time)).toMatchObject({ createdAt: expected, startedAt: expected, finishedAt: expected, expiresAt: date })
})

it.each([
  [null, 0],
  ['2026-11-25T12:00:02Z', 0],
  ['2026-11-25T11:59:58Z', 0],
  ['2026-11-25T13:00:00Z', 3_600_000],
  ['2026-11-25T11:00:00Z', -3_600_000],
  ['1970-01-01T00:00:00Z', 0],
])('with the Date %s the clock is %i ms ahead', (date, aheadMs) => {
  expect(clockAheadMs(date === null ? null : new Date(date), answeredAt)).toBe(aheadMs)
})
