import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allowance,
  type Budget,
  nextRequestAt,
  type Spending,
  spend,
  usageOf,
  usedUpUntil,
} from '../../src/budget/budget.ts'

const unlimited: Budget = {
  maxInFlight: 10,
  requestsPerSecond: null,
  requestsPerMinute: null,
  requestsPerDay: null,
  requestsPerMonth: null,
}
const nothingSpent: Spending = {
  nextRequestAt: null,
  budgetDay: null,
  dayRequests: 0,
  budgetMonth: null,
  monthRequests: 0,
  recentRequests: 0,
  recentAt: null,
}
const noon = Date.UTC(2026, 10, 22, 12)
const dayMs = 86_400_000

describe('requests in flight', () => {
  test.each([
    [0, 10],
    [7, 3],
    [10, 0],
    [14, 0],
  ])('with %i under way, %i more may start', (inFlight, more) => {
    expect(allowance(unlimited, nothingSpent, inFlight, noon)).toBe(more)
  })
})

/** The times at which requests start that are made as soon as the budget allows them. */
function startsOf(budget: Budget, { forMs, lookEveryMs }: { forMs: number; lookEveryMs: number }): number[] {
  let spending = nothingSpent
  const starts: number[] = []
  for (let now = noon; now < noon + forMs; now += lookEveryMs) {
    const may = allowance(budget, spending, 0, now)
    if (may > 0) spending = spend(budget, spending, may, now)
    for (let n = 0; n < may; n++) starts.push(now)
  }
  return starts
}

/** The most starts within any time that is so long. */
function mostWithin(starts: readonly number[], ms: number): number {
  return Math.max(...starts.map((start) => starts.filter((other) => other >= start && other < start + ms).length))
}

describe('requests a second', () => {
  test('any second sees at most a tenth more than allowed, and a long run the allowed rate', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 400 }),
        (requestsPerSecond, lookEveryMs) => {
          const budget = { ...unlimited, maxInFlight: 1_000, requestsPerSecond }
          const starts = startsOf(budget, { forMs: 5_000, lookEveryMs })
          expect(mostWithin(starts, 1_000)).toBeLessThanOrEqual(
            Math.max(requestsPerSecond * 1.1, requestsPerSecond + 1),
          )
        },
      ),
      { numRuns: 50 },
    )
  })

  test('the next request may start exactly when the allowance is there again', () => {
    const budget = { ...unlimited, requestsPerSecond: 4 }
    const spending = spend(budget, nothingSpent, 1, noon)
    const at = nextRequestAt(budget, spending, noon)
    expect(at).toBe(noon + 250)
    expect(allowance(budget, spending, 0, at - 1)).toBe(0)
    expect(allowance(budget, spending, 0, at)).toBe(1)
  })
})

describe('requests a minute', () => {
  test('no minute sees more than allowed, wherever it begins, and nearly as many are made', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.integer({ min: 1, max: 900 }),
        (requestsPerMinute, lookEveryMs) => {
          const budget = { ...unlimited, maxInFlight: 5_000, requestsPerMinute }
          const starts = startsOf(budget, { forMs: 90_000, lookEveryMs })
          expect(mostWithin(starts, 60_000)).toBeLessThanOrEqual(requestsPerMinute)
          const ofLooks = (60_000 / requestsPerMinute + lookEveryMs) / (60_000 / requestsPerMinute)
          expect(starts.length).toBeGreaterThanOrEqual(Math.floor((1.4 * requestsPerMinute) / ofLooks))
        },
      ),
      { numRuns: 30 },
    )
  })

  test('and a second have the even pace of the scarcer one', () => {
    const gap = (limits: Partial<Budget>) => {
      const budget = { ...unlimited, ...limits }
      return nextRequestAt(budget, spend(budget, nothingSpent, 1, noon), noon) - noon
    }
    expect(gap({ requestsPerSecond: 2, requestsPerMinute: 6 })).toBeCloseTo(10_017, -1)
    expect(gap({ requestsPerSecond: 2, requestsPerMinute: 600 })).toBe(500)
  })
})

describe.each([
  ['day', { requestsPerDay: 1_000 }, { budgetDay: '2026-11-22', dayRequests: 995 }, Date.UTC(2026, 10, 23)],
  ['month', { requestsPerMonth: 1_000 }, { budgetMonth: '2026-11', monthRequests: 995 }, Date.UTC(2026, 11, 1)],
] as const)('requests a %s', (_window, limit, used, next) => {
  const budget = { ...unlimited, ...limit }

  test('end when they are used up, and begin again with the next one in UTC', () => {
    const spending = spend(budget, { ...nothingSpent, ...used }, 5, noon)
    expect(allowance(budget, spending, 0, noon)).toBe(0)
    expect(usedUpUntil(budget, spending, noon)).toBe(next)
    expect(nextRequestAt(budget, spending, noon)).toBe(next)
    expect(allowance(budget, spending, 0, next)).toBe(10)
    const [name, count] = Object.keys(used) as [keyof Spending, keyof Spending]
    expect(spend(budget, spending, 1, next)[count]).toBe(1)
    expect(spend(budget, spending, 1, next)[name]).not.toBe(used[name as keyof typeof used])
  })

  test('never exceed what is left', () => {
    const almost = spend(budget, { ...nothingSpent, ...used }, 2, noon)
    expect(allowance(budget, almost, 0, noon)).toBe(3)
    expect(usedUpUntil(budget, almost, noon)).toBeNull()
  })
})

test('a day and a month both count, and the later end holds', () => {
  const budget = { ...unlimited, requestsPerDay: 5, requestsPerMonth: 5 }
  expect(usedUpUntil(budget, spend(budget, nothingSpent, 5, noon), noon)).toBe(Date.UTC(2026, 11, 1))
})

describe('the usage of a month', () => {
  const budget = { ...unlimited, requestsPerMonth: 1_000 }
  const longAgo = noon - 90 * dayMs

  test('without a limit says what was used', () => {
    const spending = spend(unlimited, nothingSpent, 3, noon)
    expect(usageOf(unlimited, spending, longAgo, noon)).toEqual({
      month: '2026-11',
      used: 3,
      left: null,
      runsOutAt: null,
    })
  })

  test('begins anew with the month', () => {
    const spending = spend(budget, nothingSpent, 3, noon)
    expect(usageOf(budget, spending, longAgo, Date.UTC(2026, 11, 1))).toMatchObject({
      month: '2026-12',
      used: 0,
      left: 1_000,
    })
  })

  test('lasts if the rate of the last day doesn’t use it up, and otherwise says when', () => {
    const made = (perHour: number) => {
      let spending = nothingSpent
      for (let hour = 10 * 24; hour >= 0; hour--) spending = spend(budget, spending, perHour, noon - hour * 3_600_000)
      return { ...spending, monthRequests: 500 }
    }
    expect(usageOf(budget, made(1), longAgo, noon).runsOutAt).toBeNull() // 204 until December
    const runsOutAt = usageOf(budget, made(5), longAgo, noon).runsOutAt ?? 0
    expect((runsOutAt - noon) / 3_600_000).toBeGreaterThan(90)
    expect((runsOutAt - noon) / 3_600_000).toBeLessThan(110)
  })

  test('of a connection that is new is judged by the time that there has been', () => {
    const spending = spend(budget, nothingSpent, 100, noon)
    expect(usageOf(budget, spending, noon - 60_000, noon).runsOutAt).toBeCloseTo(noon + 9 * 60_000, -4)
  })

  test('that is used up has run out now', () => {
    const spending = spend(budget, nothingSpent, 1_000, noon)
    expect(usageOf(budget, spending, longAgo, noon)).toMatchObject({ left: 0, runsOutAt: noon })
  })

  test('is a number, and never past or beyond the month, whatever was spent', () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(40 * 86_400), fc.nat(40 * 86_400), (requests, ageS, sinceS) => {
        const now = noon + sinceS * 1_000
        const usage = usageOf(budget, spend(budget, nothingSpent, requests, noon), noon - ageS * 1_000, now)
        expect(usage.left).toBeGreaterThanOrEqual(0)
        expect(Number.isInteger(usage.used)).toBe(true)
        if (usage.runsOutAt === null) return
        expect(usage.runsOutAt).toBeGreaterThanOrEqual(now)
        expect(new Date(usage.runsOutAt).toISOString().slice(0, 7)).toBe(usage.month)
      }),
    )
  })
})
