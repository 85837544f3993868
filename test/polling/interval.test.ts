import { describe, expect, test } from 'vitest'
import { newId, phase } from '../../src/base/ids.ts'
import { baselineOf, noBaseline } from '../../src/baselines/baseline.ts'
import { noHistory } from '../../src/baselines/history.ts'
import { type ProgressChange, trackProgress } from '../../src/baselines/progress.ts'
import { backOff } from '../../src/connections/backoff.ts'
import { nextPoll, type PollOutlook } from '../../src/polling/interval.ts'
import { learnt, taught } from '../baselines/taught.ts'

const limits = { minIntervalMs: 2_000, maxIntervalMs: 120_000 }
const at = Date.UTC(2026, 0, 1)
const importId = newId()
const outlook: PollOutlook = {
  importId,
  now: at,
  startedAt: at,
  progressChanges: [],
  unmapped: false,
  limits,
  baseline: noBaseline,
  retryAfterMs: null,
}
const within10Percent = (value: number, of: number) => Math.abs(value - of) <= of * 0.1 + 1e-6

describe('with nothing known', () => {
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

  test('polls come closer together as the end comes near', () => {
    const gaps = [0.2, 0.5, 0.8, 0.95].map((progress) => {
      const startedAt = at - progress * 400_000
      const progressChanges = changes([200 * progress, progress / 2], [0, progress])
      return nextPoll({ ...outlook, startedAt, progressChanges })
    })
    expect(gaps.map(({ basis }) => basis)).toEqual(Array(4).fill('progress'))
    const delays = gaps.map(({ delayMs }) => delayMs)
    expect(delays).toEqual(delays.toSorted((a, b) => b - a))
    expect(delays[0]).toBeGreaterThan(4 * (delays[3] ?? 0))
  })

  test('the age of the last change counts as time gone by', () => {
    const startedAt = at - 100_000
    const young = nextPoll({ ...outlook, startedAt, progressChanges: changes([50, 0.5], [0, 0.7]) })
    const old = nextPoll({ ...outlook, startedAt, progressChanges: changes([70, 0.5], [20, 0.7]) })
    expect(old.delayMs).toBeLessThan(young.delayMs)
  })

  test('at 100 % the end is expected soon, and ever less soon', () => {
    const atFull = (seconds: number) =>
      nextPoll({ ...outlook, startedAt: at - 400_000, progressChanges: changes([300, 0.5], [seconds, 1]) })
    expect(atFull(0)).toMatchObject({ basis: 'progress', stalled: false })
    expect(atFull(0).delayMs).toBeLessThan(15_000)
    expect(atFull(290).delayMs).toBeGreaterThan(atFull(0).delayMs)
    expect(atFull(290).stalled).toBe(false)
  })

  test('no change for three expected ticks is a stall', () => {
    const next = nextPoll({
      ...outlook,
      startedAt: at - 100_000,
      progressChanges: changes([80, 0.1], [70, 0.2], [60, 0.3]),
    })
    expect(next).toMatchObject({ basis: 'elapsed', stalled: true })
    const known = nextPoll({ ...outlook, progressChanges: changes([81, 0.1], [62, 0.3]), baseline: taught([300_000]) })
    expect(known).toMatchObject({ basis: 'history', stalled: true })
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
    expect(kept.map(([, progress]) => progress)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    for (let step = 20; step < 200; step++) kept = trackProgress(kept, at + step, step / 200)
    expect(kept).toHaveLength(24)
    expect(trackProgress(kept, at + 99, null)).toEqual(kept)
  })
})

describe('with history', () => {
  const baseline = taught(Array.from({ length: 40 }, (_, index) => 300_000 * 1.02 ** ((index % 9) - 4)))
  const gapAt = (elapsedMs: number) => nextPoll({ ...outlook, startedAt: at - elapsedMs, baseline })

  test('polls are few before the usual end, dense about it, and rare after it, but there', () => {
    expect(gapAt(0)).toMatchObject({ basis: 'history', delayMs: expect.closeTo(120_000, -4) })
    expect(gapAt(285_000).delayMs).toBeLessThan(15_000)
    expect(gapAt(3_600_000).delayMs).toBeGreaterThan(60_000)
    expect(gapAt(30 * 86_400_000).delayMs).toBeLessThanOrEqual(120_000)
  })

  test('the poll before the usual end comes right where ends begin', () => {
    const wide = { minIntervalMs: 2_000, maxIntervalMs: 3_600_000 }
    const { delayMs } = nextPoll({ ...outlook, limits: wide, baseline })
    expect(delayMs).toBeGreaterThan(250_000)
    expect(delayMs).toBeLessThan(310_000)
  })

  test('ends on the clock are asked about when the clock strikes', () => {
    const quarter = 900_000
    const start = (index: number) => at + index * 7_200_000 + ((index * 137_000) % quarter)
    let history = noHistory
    for (let index = 0; index < 60; index++) {
      const endedAt = Math.ceil((start(index) + 600_000) / quarter) * quarter + 5_000
      history = learnt(history, { startedAt: start(index), endedAt, uncertainMs: 0, progressChanges: [] })
    }
    const startedAt = start(60)
    const wide = { minIntervalMs: 2_000, maxIntervalMs: 3_600_000 }
    const { delayMs } = nextPoll({ ...outlook, now: startedAt, startedAt, limits: wide, baseline: baselineOf(history) })
    const struck = Math.ceil((startedAt + 600_000) / quarter) * quarter
    expect(startedAt + delayMs - struck).toBeGreaterThan(-2_000)
    expect(startedAt + delayMs - struck).toBeLessThan(20_000)
  })

  test('where one interval is allowed there is nothing to choose', () => {
    const one = { minIntervalMs: 5_000, maxIntervalMs: 5_000 }
    expect(nextPoll({ ...outlook, limits: one, baseline }).delayMs).toBe(5_000)
  })

  test('imports of one age are spread, by half of what a poll is worth at the most', () => {
    const delays = Array.from(
      { length: 50 },
      () => nextPoll({ ...outlook, importId: newId(), startedAt: at - 200_000, baseline }).delayMs,
    )
    expect(new Set(delays).size).toBe(50)
    expect(Math.max(...delays) - Math.min(...delays)).toBeLessThanOrEqual(2_000)
  })
})

describe('of a vendor that is known', () => {
  test('the first call of a new connection waits for what is likely', () => {
    const soon = nextPoll({ ...outlook, baseline: baselineOf(noHistory, { medianMs: 20_000, sigma: 0.5 }) })
    const late = nextPoll({ ...outlook, baseline: baselineOf(noHistory, { medianMs: 200_000, sigma: 0.5 }) })
    expect(soon).toMatchObject({ basis: 'history' })
    expect(soon.delayMs).toBeGreaterThan(5_000)
    expect(soon.delayMs).toBeLessThan(25_000)
    expect(late.delayMs).toBeGreaterThan(4 * soon.delayMs)
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

test('the phases of many ids are spread evenly', () => {
  const tenths = Array.from({ length: 2_000 }, () => Math.floor(phase(newId()) * 10))
  const counts = Array.from({ length: 10 }, (_, tenth) => tenths.filter((value) => value === tenth).length)
  expect(Math.min(...counts)).toBeGreaterThan(120)
})
