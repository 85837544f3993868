import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mixedPercentile } from '../../src/reporting/mixed-percentile.ts'

const even = (count: number, at: number) => ({ count, p50: at, p90: at, p99: at })

test('of none it is nothing, and of one part the part’s own', () => {
  expect(mixedPercentile([], 'p50')).toBeNull()
  expect(mixedPercentile([even(0, 7)], 'p50')).toBeNull()
  expect(mixedPercentile([{ count: 3, p50: 4, p90: 9, p99: 12 }, even(0, 99)], 'p90')).toBe(9)
})

test('of parts that are each of one duration it is where the share is reached', () => {
  const parts = [even(1, 30), even(1, 10), even(1, 20)]
  expect(mixedPercentile(parts, 'p50')).toBeCloseTo(20, 3)
  expect(mixedPercentile(parts, 'p90')).toBeCloseTo(30, 3)
  expect(mixedPercentile([even(95, 10), even(5, 1_000)], 'p90')).toBeCloseTo(10, 3)
  expect(mixedPercentile([even(80, 10), even(20, 1_000)], 'p90')).toBeCloseTo(1_000, 1)
})

test('of parts that are alike it is theirs, and no time is none', () => {
  const part = { count: 8, p50: 61.5, p90: 200, p99: 431 }
  expect(mixedPercentile([part, { ...part, count: 90 }], 'p50')).toBeCloseTo(61.5, 3)
  expect(mixedPercentile([part, part, part], 'p90')).toBeCloseTo(200, 2)
  expect(mixedPercentile([even(1, 0), even(1, 0)], 'p50')).toBeLessThanOrEqual(0.001)
})

test('it lies between those of the parts, and p50 before p90', () => {
  const duration = fc.double({ min: 0.001, max: 1e7, noNaN: true })
  const part = fc
    .tuple(fc.integer({ min: 1, max: 10_000 }), fc.tuple(duration, duration, duration))
    .map(([count, durations]) => {
      const [p50 = 0, p90 = 0, p99 = 0] = durations.toSorted((a, b) => a - b)
      return { count, p50, p90, p99 }
    })
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), (parts) => {
      const [p50, p90] = [mixedPercentile(parts, 'p50') ?? Number.NaN, mixedPercentile(parts, 'p90') ?? Number.NaN]
      expect(p50).toBeLessThanOrEqual(p90 * 1.0001)
      expect(p50).toBeGreaterThanOrEqual(Math.min(...parts.map((one) => one.p50)) * 0.9999)
      expect(p50).toBeLessThanOrEqual(Math.max(...parts.map((one) => one.p50)) * 1.0001)
      expect(p90).toBeGreaterThanOrEqual(Math.min(...parts.map((one) => one.p90)) * 0.9999)
      expect(p90).toBeLessThanOrEqual(Math.max(...parts.map((one) => one.p90)) * 1.0001)
    }),
  )
})
