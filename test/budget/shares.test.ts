import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Budget, Spending } from '../../src/budget/budget.ts'
import { stretchOf, type Wanted } from '../../src/budget/shares.ts'

const unlimited: Budget = {
  maxInFlight: 10,
  requestsPerSecond: null,
  requestsPerMinute: null,
  requestsPerDay: null,
  requestsPerMonth: null,
}
const now = Date.UTC(2026, 10, 22, 12)
const spent: Spending = {
  nextRequestAt: null,
  budgetDay: '2026-11-22',
  dayRequests: 90,
  budgetMonth: '2026-11',
  monthRequests: 900,
  recentRequests: 0,
  recentAt: null,
}

/** What imports want that have these gaps, and so many calls to make each. */
function wantedBy(gapsMs: readonly number[], calls: number): Wanted {
  return {
    imports: gapsMs.length,
    perSecond: gapsMs.reduce((sum, gapMs) => sum + 1_000 / gapMs, 0),
    calls: gapsMs.length * calls,
  }
}

test('at a pace, stretched gaps use exactly what there is, in the proportion of what was wanted', () => {
  const gaps = fc.array(fc.integer({ min: 100, max: 600_000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(gaps, fc.double({ min: 0.01, max: 100, noNaN: true }), (gapsMs, requestsPerSecond) => {
      const wanted = wantedBy(gapsMs, 10)
      const stretch = stretchOf({ ...unlimited, requestsPerSecond }, spent, wanted, now)
      const made = gapsMs.reduce((sum, gapMs) => sum + 1_000 / (gapMs * stretch), 0)
      expect(made).toBeCloseTo(Math.min(wanted.perSecond, requestsPerSecond), 6)
    }),
  )
})

test('a budget that suffices stretches nothing', () => {
  const plenty = { requestsPerSecond: 10, requestsPerMinute: 600, requestsPerDay: 200, requestsPerMonth: 1_000 }
  expect(stretchOf({ ...unlimited, ...plenty }, spent, wantedBy([1_000, 2_000], 20), now)).toBe(1)
  expect(stretchOf(unlimited, spent, wantedBy([1, 1, 1], 1_000_000), now)).toBe(1)
})

test.each([
  ['a month', { requestsPerMonth: 1_000 }, 100],
  ['a day', { requestsPerDay: 100 }, 10],
])('%s is shared among all calls that are wanted until the imports end', (_window, limit, left) => {
  const wanted = wantedBy(
    Array.from({ length: 50 }, () => 60_000),
    20,
  )
  expect(stretchOf({ ...unlimited, ...limit }, spent, wanted, now)).toBe((50 * 20) / left)
})

test('calls that are wanted after the day has ended don’t count for it', () => {
  const slow = wantedBy([3_600_000, 3_600_000], 1_000) // 24 until midnight
  expect(stretchOf({ ...unlimited, requestsPerDay: 100 }, spent, slow, now)).toBeCloseTo(2.4)
})

test('is a number from 1 on, whatever is wanted and left', () => {
  const count = fc.nat(1_000_000)
  fc.assert(
    fc.property(
      count,
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      count,
      count,
      (imports, perSecond, calls, used) => {
        const budget = { ...unlimited, requestsPerMinute: 60, requestsPerDay: 1_000, requestsPerMonth: 10_000 }
        const stretch = stretchOf(budget, { ...spent, monthRequests: used }, { imports, perSecond, calls }, now)
        expect(stretch).toBeGreaterThanOrEqual(1)
        expect(Number.isFinite(stretch)).toBe(true)
      },
    ),
  )
})
