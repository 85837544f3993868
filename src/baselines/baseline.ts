// Owns what a history says about the next import: made once for each history, and asked at each poll. Pure.
//
// Models of the duration are mixed, each by how well it foretold the durations that came after it (Dawid, "Statistical
// Theory: The Prequential Approach", J. R. Statist. Soc. A 147 (1984) 278–292): log-normals of the last few and of all
// kept durations, and histograms of log-durations, smoothed by several widths. All keep a heavy tail, so that a
// straggler's hazard falls to about 1/t and no straggler is abandoned. Ends on the clock multiply the hazard by the
// density of the ends' phase, for the period that foretells the ends best.
//
// Progress foretells the rest R̂ = (1 − p) / v up to a factor. That factor's logarithm has a learnt mean and spread for
// each part of the way. Survival since the last change is mixed from it and from the history's, again by what foretold
// better.
import { type ClockPhase, clockPeriodsMs, clockPhaseOf } from './clock-phase.ts'
import { logAt, mixedLog, models, normal, type Prior, survivalOf, withTail } from './durations.ts'
import { type History, noHistory } from './history.ts'
import type { Pace } from './progress.ts'

export interface Baseline {
  /** Of the mixed duration, ln S at the edges of the cells; null: nothing is known. */
  logSurvival: Float64Array | null
  /** The same of each model, as S. */
  components: readonly Float32Array[]
  clocks: readonly ClockPhase[]
  /** Null: ends are at any time. */
  clock: ClockPhase | null
  /** The logarithm of remaining over foretold time, for each part of the way. */
  errors: readonly { mean: number; sigma: number }[]
  /** How much progress counts, 0 to 1, where there is a history, too. */
  progressWeight: number
  /** The median duration. Null: nothing is known. */
  medianMs: number | null
  /** Longer than nearly all imports took: the 99th percentile. Null: none of these imports has ended. */
  overdueAfterMs: number | null
}

/** A clock is believed in from these odds on, e⁵ to one. */
const believedClock = 5
/** As many progress changes are worth as much as what is known beforehand, and that. */
const errorsBefore = { weight: 2, variance: 0.25 }

/** Returns what the history, or where there is none the prior, says about the next import. */
export function baselineOf(history: History, prior: Prior | null = null): Baseline {
  const errors = history.progressErrors.map(([weight, sum, squares]) => {
    const { weight: before, variance: varianceBefore } = errorsBefore
    const mean = sum / (weight + before)
    const variance =
      (squares - weight * (sum / Math.max(weight, 1e-9)) ** 2 + before * varianceBefore) / (weight + before)
    return { mean, sigma: Math.max(Math.sqrt(Math.max(variance, 0)), 0.03) }
  })
  const progressWeight = 1 / (1 + Math.exp(-(1 + 3 * history.progressScore)))
  const base = { errors, progressWeight, clocks: [], clock: null, medianMs: null, overdueAfterMs: null }
  const logs = history.recent.map(([, durationMs]) => Math.log(durationMs))
  if (logs.length === 0 && prior === null) return { ...base, logSurvival: null, components: [] }
  const components = models.map((model) => survivalOf(model, logs, prior))
  const best = Math.max(...history.scores)
  const ends = history.recent.map(([endedAt, , uncertainMs]) => ({ endedAt, uncertainMs }))
  const clocks = clockPeriodsMs.map((periodMs) => clockPhaseOf(periodMs, ends))
  const bestClock = Math.max(...history.clockScores)
  const baseline = {
    ...base,
    logSurvival: mixedLog(
      components,
      history.scores.map((score) => Math.exp(score - best)),
    ),
    components: components.map((survival) => new Float32Array(survival)),
    clocks,
    clock: bestClock > believedClock ? (clocks[history.clockScores.indexOf(bestClock)] ?? null) : null,
  }
  return { ...baseline, medianMs: durationAt(baseline, 0.5), overdueAfterMs: overdueAfterMs(baseline, logs) }
}

/** From so many imports on, their own 99th percentile counts. Of fewer it would be the longest one. */
const enoughForPercentile = 20
const nearlyAll = 0.99

function overdueAfterMs(baseline: Baseline, logs: readonly number[]): number | null {
  if (logs.length === 0) return null
  if (logs.length < enoughForPercentile) return durationAt(baseline, nearlyAll)
  const ordered = logs.toSorted((a, b) => a - b)
  const place = nearlyAll * (ordered.length - 1)
  const [below = 0, above = 0] = [ordered[Math.floor(place)], ordered[Math.ceil(place)]]
  return Math.exp(below) + (place % 1) * (Math.exp(above) - Math.exp(below))
}

/** Nothing is known. */
export const noBaseline: Baseline = baselineOf(noHistory)

/**
 * Returns ln S of the time since the start, without the clock: history and progress mixed from the last change of
 * progress on. Only differences mean anything.
 */
export function survivalFrom(baseline: Baseline, pace: Pace | null, startedAt: number): (elapsedMs: number) => number {
  const { logSurvival } = baseline
  const byHistory = (elapsedMs: number) =>
    logSurvival ? logAt(logSurvival, elapsedMs) : -Math.log(Math.max(elapsedMs, 1_000))
  if (pace === null) return byHistory
  const { mean, sigma } = baseline.errors[pace.part] ?? { mean: 0, sigma: 0.5 }
  const changedAfter = Math.max(pace.at - startedAt, 0)
  const atChange = byHistory(changedAfter)
  const expected = Math.log(pace.remainingMs) + mean
  const weight = logSurvival === null ? 1 : baseline.progressWeight
  return (elapsedMs) => {
    const since = Math.max(elapsedMs - changedAfter, 1)
    const byProgress = withTail(1 - normal((Math.log(since) - expected) / sigma), since / Math.exp(expected))
    return Math.log(Math.max(weight * byProgress + (1 - weight) * Math.exp(byHistory(elapsedMs) - atChange), 1e-300))
  }
}

/**
 * Returns by when, in milliseconds since the start, this share of the imports that have run for `elapsedMs` is over, 0
 * to 1. Returns null if nothing is known.
 */
export function durationAt(
  baseline: Baseline,
  share: number,
  { elapsedMs = 0, pace = null, startedAt = 0 }: { elapsedMs?: number; pace?: Pace | null; startedAt?: number } = {},
): number | null {
  if (baseline.logSurvival === null && pace === null) return null
  const logSurvival = survivalFrom(baseline, pace, startedAt)
  const wanted = logSurvival(elapsedMs) + Math.log(1 - share)
  let [low, high] = [elapsedMs, Math.max(2 * elapsedMs, 2_000)]
  while (logSurvival(high) > wanted && high < longestMs) high *= 2
  while (high - low > 1 + high * 1e-4) {
    const middle = (low + high) / 2
    if (logSurvival(middle) > wanted) low = middle
    else high = middle
  }
  return high
}

const longestMs = 1e12
