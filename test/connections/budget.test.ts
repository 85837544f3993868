import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allowance, type Budget, nextRequestAt, type Spending, spend } from '../../src/connections/budget.ts'

const unlimited: Budget = { maxInFlight: 10, requestsPerSecond: null, requestsPerMonth: null }
const nothingSpent: Spending = { nextRequestAt: null, budgetMonth: null, monthRequests: 0 }
const noon = Date.UTC(2026, 10, 22, 12)

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

describe('requests a second', () => {
  test('any second sees at most a tenth more than allowed, and a long run the allowed rate', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 400 }),
        (requestsPerSecond, lookEveryMs) => {
          const budget = { ...unlimited, maxInFlight: 1_000, requestsPerSecond }
          let spending = nothingSpent
          const starts: number[] = []
          for (let now = noon; now < noon + 5_000; now += lookEveryMs) {
            const may = allowance(budget, spending, 0, now)
            if (may > 0) spending = spend(budget, spending, may, now)
            for (let n = 0; n < may; n++) starts.push(now)
          }
          for (const start of starts) {
            const inSecond = starts.filter((other) => other >= start && other < start + 1_000).length
            expect(inSecond).toBeLessThanOrEqual(Math.max(requestsPerSecond * 1.1, requestsPerSecond + 1))
          }
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

describe('requests a month', () => {
  const budget = { ...unlimited, requestsPerMonth: 1_000 }

  test('end when the month’s share is used up, and begin again with the next month in UTC', () => {
    const spending = spend(budget, { ...nothingSpent, budgetMonth: '2026-11', monthRequests: 995 }, 5, noon)
    expect(allowance(budget, spending, 0, noon)).toBe(0)
    expect(nextRequestAt(budget, spending, noon)).toBe(Date.UTC(2026, 11, 1))
    expect(allowance(budget, spending, 0, Date.UTC(2026, 11, 1))).toBe(10)
    expect(spend(budget, spending, 1, Date.UTC(2026, 11, 1))).toMatchObject({
      budgetMonth: '2026-12',
      monthRequests: 1,
    })
  })

  test('never exceed what is left', () => {
    expect(allowance(budget, { ...nothingSpent, budgetMonth: '2026-11', monthRequests: 997 }, 0, noon)).toBe(3)
  })
})
