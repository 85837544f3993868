import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newId, phase } from '../../src/base/ids.ts'
import { backOff, notBefore } from '../../src/connections/backoff.ts'
import { nextPoll, type ProgressChange, trackProgress } from '../../src/polling/interval.ts'

const limits = { minIntervalMs: 2_000, maxIntervalMs: 120_000 }
const at = Date.UTC(2026, 0, 1)
const importId = newId()
const outlook = { importId, now: at, startedAt: at, progressChanges: [], unmapped: false, limits }
const within10Percent = (value: number, of: number) => Math.abs(value - of) <= of * 0.1 + 1e-6

describe('without history or progress', () => {
  test.each([
    { elapsedMs: 0, gapMs: 2_000 },
    { elapsedMs: 10_000, gapMs: Math.sqrt(2 * 2_000 * 10_000) },
    { elapsedMs: 600_000, gapMs: Math.sqrt(2 * 2_000 * 600_000) },
    { elapsedMs: 24 * 3_600_000, gapMs: 120_000 },
  ])('the gap after $elapsedMs ms is √(2kt), clamped', ({ elapsedMs, gapMs }) => {
    const next = nextPoll({ ...outlook, startedAt: at - elapsedMs })
    expect(next.basis).toBe('elapsed')
    expect(within10Percent(next.delayMs, gapMs)).toBe(true)
  })

  test('a status that nobody has mapped is asked about slowly', () => {
    expect(nextPoll({ ...outlook, unmapped: true })).toMatchObject({
      basis: 'slow',
      delayMs: expect.closeTo(120_000, -5),
    })
  })
})

describe('with progress', () => {
  const changes = (...points: [secondsAgo: number, progress: number][]): ProgressChange[] =>
    points.map(([seconds, progress]) => [at - seconds * 1_000, progress])

  test('the gap is half of the time that remains at the present speed', () => {
    const next = nextPoll({ ...outlook, progressChanges: changes([100, 0.1], [50, 0.2], [0, 0.3]) })
    expect(next).toMatchObject({ basis: 'progress', stalled: false })
    // 0.2 in 100 s; 0.7 remain: 350 s, of which half, clamped to 120 s.
    expect(within10Percent(next.delayMs, 120_000)).toBe(true)
  })

  test('the age of the last change counts as time gone by', () => {
    const next = nextPoll({ ...outlook, progressChanges: changes([50, 0.5], [30, 0.7], [10, 0.9]) })
    // 0.01 a second; 0.1 remain: 10 s, all of which have gone by.
    expect(within10Percent(next.delayMs, limits.minIntervalMs)).toBe(true)
  })

  test('at 100 % the gap grows with the time since then', () => {
    const next = nextPoll({ ...outlook, progressChanges: changes([300, 0.5], [200, 1]) })
    expect(within10Percent(next.delayMs, 0.15 * 200_000)).toBe(true)
  })

  test('no change for three expected ticks is a stall', () => {
    const next = nextPoll({
      ...outlook,
      startedAt: at - 100_000,
      progressChanges: changes([80, 0.1], [70, 0.2], [60, 0.3]),
    })
    expect(next).toMatchObject({ basis: 'elapsed', stalled: true })
  })

  test('one observation alone says nothing about speed', () => {
    expect(nextPoll({ ...outlook, progressChanges: changes([10, 0.4]) }).basis).toBe('elapsed')
  })

  test('progress that goes backwards begins afresh', () => {
    expect(trackProgress(changes([20, 0.5], [10, 0.6]), at, 0.2)).toEqual([[at, 0.2]])
  })

  test('only changes are kept, and only the last few', () => {
    let kept: ProgressChange[] = []
    for (let step = 0; step < 20; step++) kept = trackProgress(kept, at + step, Math.floor(step / 2) / 10)
    expect(kept).toHaveLength(6)
    expect(trackProgress(kept, at + 99, null)).toEqual(kept)
  })
})

describe('after a failed poll', () => {
  test('the gap doubles up to the longest interval', () => {
    const gaps = [1, 2, 3, 4, 20].map((failures) => backOff({ importId, failures, retryAfterMs: null, limits }).delayMs)
    expect(
      gaps.map((gap, index) => within10Percent(gap, [2_000, 4_000, 8_000, 16_000, 120_000][index] ?? 0)),
    ).not.toContain(false)
  })

  test('the provider’s wish holds, even beyond the longest interval', () => {
    const next = backOff({ importId, failures: 1, retryAfterMs: 600_000, limits })
    expect(next.basis).toBe('retry_after')
    expect(next.delayMs).toBeGreaterThanOrEqual(600_000)
    expect(next.delayMs).toBeLessThanOrEqual(660_000)
  })
})

const anyOutlook = fc.record({
  importId: fc.uuid(),
  now: fc.constant(at),
  startedAt: fc.integer({ min: at - 1e10, max: at + 1e6 }),
  unmapped: fc.boolean(),
  limits: fc.record({
    minIntervalMs: fc.integer({ min: 100, max: 60_000 }),
    maxIntervalMs: fc.integer({ min: 60_000, max: 1e7 }),
  }),
  progressChanges: fc
    .array(fc.tuple(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 30 })
    .map((steps) => {
      let now = at - 1e8
      return steps.reduce<ProgressChange[]>((kept, [gap, progress]) => {
        now += gap
        return trackProgress(kept, now, progress)
      }, [])
    }),
})

test('every gap is within the connection’s limits', () => {
  fc.assert(
    fc.property(anyOutlook, (any) => {
      const { delayMs } = nextPoll(any)
      expect(delayMs).toBeGreaterThanOrEqual(any.limits.minIntervalMs)
      expect(delayMs).toBeLessThanOrEqual(any.limits.maxIntervalMs)
    }),
  )
})

test('no poll comes before Retry-After', () => {
  fc.assert(
    fc.property(
      anyOutlook,
      fc.integer({ min: 0, max: 86_400_000 }),
      fc.integer({ min: 1, max: 50 }),
      (any, retryAfterMs, failures) => {
        expect(backOff({ ...any, failures, retryAfterMs }).delayMs).toBeGreaterThanOrEqual(retryAfterMs)
        expect(notBefore(retryAfterMs, nextPoll(any), any.importId).delayMs).toBeGreaterThanOrEqual(retryAfterMs)
      },
    ),
  )
})

test('the phases of many ids are spread evenly', () => {
  const tenths = Array.from({ length: 2_000 }, () => Math.floor(phase(newId()) * 10))
  const counts = Array.from({ length: 10 }, (_, tenth) => tenths.filter((value) => value === tenth).length)
  expect(Math.min(...counts)).toBeGreaterThan(120)
})
