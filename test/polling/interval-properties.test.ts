// Owns what holds of every delay, whatever was taught and is asked. Times that can't be are included.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { baselineOf } from '../../src/baselines/baseline.ts'
import { type History, noHistory } from '../../src/baselines/history.ts'
import { type ProgressChange, trackProgress } from '../../src/baselines/progress.ts'
import { backOff } from '../../src/connections/backoff.ts'
import { nextPoll } from '../../src/polling/interval.ts'
import { learnt } from '../baselines/taught.ts'

const now = Date.UTC(2026, 0, 1)
const share = fc.double({ min: 0, max: 1, noNaN: true })
const oddTime = fc.oneof(fc.integer({ min: -1e6, max: 1e10 }), fc.double({ min: -1e3, max: 1e12, noNaN: true }))
const oddChanges = fc.array(fc.tuple(oddTime, share), { maxLength: 8 })
const finished = fc
  .record({
    startedAt: oddTime,
    durationMs: oddTime,
    uncertainMs: fc.integer({ min: 0, max: 1e7 }),
    progressChanges: oddChanges,
  })
  .map(({ durationMs, ...rest }) => ({ ...rest, endedAt: rest.startedAt + durationMs }))
const limits = fc
  .tuple(fc.integer({ min: 50, max: 60_000 }), fc.integer({ min: 0, max: 3_600_000 }))
  .map(([minIntervalMs, more]) => ({ minIntervalMs, maxIntervalMs: minIntervalMs + more }))
const prior = fc.option(
  fc.record({
    medianMs: fc.double({ min: 1, max: 1e10, noNaN: true }),
    sigma: fc.double({ min: 0.01, max: 5, noNaN: true }),
  }),
)
const outlook = fc.record({
  importId: fc.uuid(),
  now: oddTime,
  startedAt: oddTime,
  progressChanges: oddChanges,
  unmapped: fc.boolean(),
  limits,
  retryAfterMs: fc.option(fc.integer({ min: 0, max: 86_400_000 })),
})
const taughtHistory = fc
  .array(finished, { maxLength: 12 })
  .map((all) => all.reduce<History>((history, one) => learnt(history, one), noHistory))

test('every delay is a number, within the limits, and never before Retry-After', () => {
  fc.assert(
    fc.property(taughtHistory, prior, outlook, (history, given, asked) => {
      const { delayMs, basis } = nextPoll({ ...asked, baseline: baselineOf(history, given) })
      expect(Number.isFinite(delayMs)).toBe(true)
      expect(delayMs).toBeGreaterThanOrEqual(asked.limits.minIntervalMs)
      expect(delayMs).toBeGreaterThanOrEqual(asked.retryAfterMs ?? 0)
      if (basis !== 'retry_after') expect(delayMs).toBeLessThanOrEqual(asked.limits.maxIntervalMs)
    }),
    { numRuns: 300 },
  )
})

test('nothing that is learnt is no number', () => {
  fc.assert(
    fc.property(taughtHistory, (history) => {
      const all = [history.scores, history.clockScores, history.progressScore, history.progressErrors, history.recent]
      expect(all.flat(3).every(Number.isFinite)).toBe(true)
      expect(history.recent.every(([, durationMs]) => durationMs > 0)).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test('an import that takes a thousand times as long as any before is asked about as long as it lives', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1_000, max: 1e8 }), (count, durationMs) => {
      let history: History = noHistory
      for (let index = 0; index < count; index++) {
        const startedAt = now + index * 1e9
        history = learnt(history, { startedAt, endedAt: startedAt + durationMs, uncertainMs: 0, progressChanges: [] })
      }
      const wide = { minIntervalMs: 1_000, maxIntervalMs: 1e12 }
      const asked = { importId: 'ffffffff', progressChanges: [], unmapped: false, limits: wide, retryAfterMs: null }
      const elapsed = 1_000 * durationMs
      const { delayMs } = nextPoll({ ...asked, now: now + elapsed, startedAt: now, baseline: baselineOf(history) })
      // Its hazard is about 1/t, which asks after √(2kt) where k is small beside t.
      expect(delayMs).toBeLessThan(elapsed)
    }),
    { numRuns: 50 },
  )
})

const sigma = fc.double({ min: 0.05, max: 1, noNaN: true })
const later = fc.double({ min: 1, max: 2, noNaN: true })
const median = fc.double({ min: Math.log(10_000), max: Math.log(1_500_000), noNaN: true }).map(Math.exp)
const longest = fc.double({ min: 30_000, max: 630_000, noNaN: true })

/** Gaps are searched in steps of 4 %, and of a second at least, and spread by half a second each way. */
const inOrder = (sooner: number, later: number) => expect(sooner).toBeLessThanOrEqual(1.09 * later + 2_000)

test('by history, a sooner-looking import is asked about no later, until its end is due', () => {
  fc.assert(
    fc.property(median, sigma, later, share, longest, (medianMs, sigma, later, share, maxIntervalMs) => {
      const limits = { minIntervalMs: 2_000, maxIntervalMs }
      const shared = {
        now,
        startedAt: now - share * medianMs,
        progressChanges: [],
        unmapped: false,
        retryAfterMs: null,
      }
      const delay = (scale: number) => {
        const baseline = baselineOf(noHistory, { medianMs: medianMs * scale, sigma })
        return nextPoll({ ...shared, importId: '80000000', limits, baseline }).delayMs
      }
      inOrder(delay(1), delay(later))
    }),
    { numRuns: 300 },
  )
})

test('by progress, a sooner-looking import is asked about no later, until its end is due', () => {
  const far = fc.double({ min: 0.5, max: 0.7, noNaN: true })
  const near = fc.double({ min: 0.15, max: 0.45, noNaN: true })
  fc.assert(
    fc.property(median, share, far, near, longest, (elapsed, share, quick, slow, maxIntervalMs) => {
      const age = (elapsed / 2) * share
      fc.pre(age <= ((1 - quick) / (quick - 0.1)) * (elapsed / 2))
      const limits = { minIntervalMs: 2_000, maxIntervalMs }
      const shared = { now, startedAt: now - elapsed, unmapped: false, retryAfterMs: null, limits }
      const delay = (progress: number) => {
        const progressChanges: ProgressChange[] = [
          [now - elapsed / 2 - age, 0.1],
          [now - age, progress],
        ]
        return nextPoll({ ...shared, importId: '80000000', progressChanges, baseline: baselineOf(noHistory) }).delayMs
      }
      inOrder(delay(quick), delay(slow))
    }),
    { numRuns: 300 },
  )
})

test('progress that jumps, stalls or runs backwards costs calls at the most', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 1e6 }), share), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(steps, limits, (steps, limits) => {
      let at = now
      let kept: ProgressChange[] = []
      for (const [gap, progress] of steps) {
        at += gap
        kept = trackProgress(kept, at, progress)
        const asked = { importId: '80000000', now: at, startedAt: now, unmapped: false, retryAfterMs: null }
        const { delayMs } = nextPoll({ ...asked, progressChanges: kept, limits, baseline: baselineOf(noHistory) })
        expect(delayMs).toBeLessThanOrEqual(limits.maxIntervalMs)
        expect(delayMs).toBeGreaterThanOrEqual(limits.minIntervalMs)
      }
    }),
    { numRuns: 100 },
  )
})

test('no poll after a failed one comes before Retry-After', () => {
  fc.assert(
    fc.property(outlook, fc.integer({ min: 1, max: 50 }), ({ importId, limits, retryAfterMs }, failures) => {
      const { delayMs } = backOff({ importId, limits, failures, retryAfterMs })
      expect(delayMs).toBeGreaterThanOrEqual(retryAfterMs ?? 0)
    }),
  )
})
