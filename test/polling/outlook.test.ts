import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baselineOf, noBaseline } from '../../src/baselines/baseline.ts'
import { type History, learn, noHistory } from '../../src/baselines/history.ts'
import type { ProgressChange } from '../../src/baselines/progress.ts'
import { dueOf } from '../../src/polling/due.ts'
import { foresee } from '../../src/polling/outlook.ts'

const start = Date.UTC(2026, 10, 22)
const minute = 60_000

/** What is known after imports that took so long, one a day. */
function knownAfter(durationsMs: readonly number[]) {
  let history: History = noHistory
  durationsMs.forEach((durationMs, index) => {
    const startedAt = start + index * 86_400_000
    const ended = { startedAt, endedAt: startedAt + durationMs, uncertainMs: 0, progressChanges: [] }
    history = learn(history, baselineOf(history), ended)
  })
  return baselineOf(history)
}

/** Some ten minutes, more or less. */
const aboutTen = Array.from({ length: 40 }, (_, index) => (8 + (index % 9) / 2) * minute)
const usual = knownAfter(aboutTen)
const at = (elapsedMs: number, progressChanges: ProgressChange[] = [], baseline = usual) =>
  foresee(baseline, { startedAt: start, now: start + elapsedMs, progressChanges, stalled: false })

describe('the end of an import', () => {
  test('is foreseen where others ended, by how long it has run', () => {
    const { etaMs, etaEarliestMs, etaLatestMs } = at(2 * minute)
    expect((etaMs ?? 0) / minute).toBeCloseTo(8, 0)
    expect((etaEarliestMs ?? 0) / minute).toBeGreaterThan(5)
    expect((etaLatestMs ?? 0) / minute).toBeLessThan(16)
  })

  test('moves on for a straggler, the later the more', () => {
    const [late, later] = [at(30 * minute), at(300 * minute)]
    expect(late.etaMs).toBeGreaterThan(minute)
    expect(later.etaMs).toBeGreaterThan(late.etaMs ?? 0)
  })

  test('is unknown where nothing is', () => {
    expect(at(minute, [], noBaseline)).toEqual({
      etaMs: null,
      etaEarliestMs: null,
      etaLatestMs: null,
      overdueAt: null,
      endsInMs: null,
    })
  })

  test('is foreseen by progress alone, too', () => {
    const steps = [0.1, 0.2, 0.3, 0.4].map((share): ProgressChange => [start + share * 10 * minute, share])
    const { etaMs } = at(4 * minute, steps, noBaseline)
    expect((etaMs ?? 0) / minute).toBeGreaterThan(4)
    expect((etaMs ?? 0) / minute).toBeLessThan(8)
  })

  test('is in order, whole and never past, whatever was and is', () => {
    const change = fc.tuple(fc.integer({ min: 1, max: 10_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1e9 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 2e9 }),
        fc.array(change, { maxLength: 8 }),
        (durations, elapsedMs, changes) => {
          const ordered = changes
            .toSorted(([a], [b]) => a - b)
            .map(([ms, share]): ProgressChange => [start + ms, share])
          const { etaMs, etaEarliestMs, etaLatestMs } = at(elapsedMs, ordered, knownAfter(durations))
          if (etaMs === null) return
          for (const ms of [etaMs, etaEarliestMs, etaLatestMs]) expect(Number.isInteger(ms)).toBe(true)
          expect(etaEarliestMs).toBeGreaterThanOrEqual(0)
          expect(etaMs).toBeGreaterThanOrEqual(etaEarliestMs ?? 0)
          expect(etaLatestMs).toBeGreaterThanOrEqual(etaMs)
          expect(etaLatestMs).toBeLessThan(2 ** 31)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('overdue', () => {
  test('is what takes longer than 99 of 100', () => {
    const overdueMs = (at(minute).overdueAt?.getTime() ?? 0) - start
    expect(overdueMs / minute).toBeGreaterThan(11.9)
    expect(overdueMs / minute).toBeLessThanOrEqual(12)
  })

  test('is later than any that ended where few have, and never where none has', () => {
    const few = knownAfter([minute, 1.2 * minute])
    expect((at(0, [], few).overdueAt?.getTime() ?? 0) - start).toBeGreaterThan(2 * minute)
    const ofVendor = baselineOf(noHistory, { medianMs: minute, sigma: 0.5 })
    expect(at(0, [], ofVendor)).toMatchObject({ overdueAt: null, etaMs: expect.any(Number) })
  })
})

describe('a scarce budget', () => {
  const next = { delayMs: 10_000, basis: 'history', stalled: false } as const

  test('stretches the gap, but gives each import its look at the expected end', () => {
    const { endsInMs } = at(2 * minute)
    expect(dueOf(next, { stretch: 3, endsInMs, lookInMs: [] })).toEqual({ ...next, delayMs: 30_000, wantedMs: 10_000 })
    expect(dueOf(next, { stretch: 1_000, endsInMs, lookInMs: [] }).delayMs).toBe(endsInMs)
    expect(at(30 * minute).endsInMs).toBeNull()
  })

  test('lets no deadline pass unseen, and asks never sooner than wanted', () => {
    expect(dueOf(next, { stretch: 100, lookInMs: [60_000, 400_000] }).delayMs).toBe(60_000)
    expect(dueOf(next, { stretch: 100, lookInMs: [5_000, -1] }).delayMs).toBe(10_000)
    expect(dueOf(next, { stretch: 1, endsInMs: 1, lookInMs: [] }).delayMs).toBe(10_000)
  })
})
