// Owns what is learnt from an import that has ended. Pure. rows.ts owns the table that keeps it.
import type { StoredHistory } from '../db/schema/index.ts'
import type { Baseline } from './baseline.ts'
import { clockPeriodsMs, densityAt, densityNear } from './clock-phase.ts'
import { cellOf, keptImports, logAt, tailShare } from './durations.ts'
import { type ProgressChange, partsOfTheWay, readPace } from './progress.ts'

/** What one connection's imports were like. */
export type History = StoredHistory

/** An import that ended: epoch ms; how far apart the calls were between which it ended (0: the vendor told the time). */
export interface Finished {
  startedAt: number
  endedAt: number
  uncertainMs: number
  progressChanges: readonly ProgressChange[]
}

const forgetting = 0.98
/** An end is foretold by no more than a factor of e¹⁰ too early or too late, … */
const mostOff = 10
/** … and by no more nats better or worse than by the duration. */
const mostGained = 30
/** Of each model in durations.ts, before an import has ended: a narrow histogram needs proof. */
const firstScores = [2, 0, 0, -2, -1, 0, -2]

export const noHistory: History = {
  ended: 0,
  recent: [],
  scores: firstScores,
  clockScores: clockPeriodsMs.map(() => 0),
  progressErrors: partsOfTheWay.map(() => [0, 0, 0] as const),
  progressScore: 0,
}

/** Returns the history with one more import, given the baseline that was made from it. */
export function learn(history: History, baseline: Baseline, heard: Finished): History {
  const finished = withLikelyEnd(history, baseline, heard)
  const durationMs = finished.endedAt - finished.startedAt
  // A duration that can't be is none.
  if (!(durationMs >= 1) || !Number.isFinite(durationMs)) return history
  const at = cellOf(durationMs)
  const foretold = baseline.components.map((survival) =>
    Math.log(Math.max((survival[at] ?? 0) - (survival[at + 1] ?? 0), 1e-12)),
  )
  const { errors, score } = foretoldByProgress(history, baseline, finished)
  const ended = [Math.round(finished.endedAt), Math.max(Math.round(durationMs), 1), Math.round(finished.uncertainMs)]
  return {
    ended: history.ended + 1,
    recent: [...history.recent, ended as [number, number, number]].slice(-keptImports),
    scores: history.scores.map((sum, index) => short(forgetting * sum + (foretold[index] ?? 0))),
    clockScores: history.clockScores.map((sum, index) => {
      const clock = baseline.clocks[index]
      return short(forgetting * sum + (clock ? Math.log(densityNear(clock, heard)) : 0))
    }),
    progressErrors: errors,
    progressScore: score === null ? history.progressScore : short(0.9 * history.progressScore + 0.1 * score),
  }
}

/** Clamped: one odd import must not outweigh all others. */
function within(most: number, value: number): number {
  return Math.min(Math.max(value, -most), most)
}

/** Few digits, so that the row stays small. */
function short(value: number): number {
  return Math.round(value * 1e4) / 1e4
}

/**
 * Between two calls an import ended where the baseline says: at a quantile that runs evenly through 0 to 1 from import to
 * import. The midpoint would smear narrow distributions, the mean would narrow them.
 */
function withLikelyEnd({ recent, ended }: History, baseline: Baseline, finished: Finished): Finished {
  const { startedAt, endedAt, uncertainMs } = finished
  const { logSurvival, clock } = baseline
  if (uncertainMs === 0 || logSurvival === null || recent.length < 5) return finished
  const points = 64
  const from = endedAt - uncertainMs / 2
  const masses = Array.from({ length: points }, (_, point) => {
    const at = from + (uncertainMs * point) / points - startedAt
    const mass = Math.exp(logAt(logSurvival, at)) - Math.exp(logAt(logSurvival, at + uncertainMs / points))
    return mass * (clock ? densityAt(clock, startedAt + at) : 1)
  })
  let left = ((ended * 0.618034) % 1) * masses.reduce((sum, mass) => sum + mass, 0)
  const point = masses.findIndex((mass) => {
    left -= mass
    return left < 0
  })
  if (point < 0) return finished
  const likely = from + (uncertainMs * (point + 0.5)) / points
  // Without a clock the end's phase stays as uncertain as it was.
  return { ...finished, endedAt: likely, uncertainMs: clock ? 0 : uncertainMs }
}

/** What progress foretold at each of its changes, and how much better that was than the history, in nats. */
function foretoldByProgress(history: History, baseline: Baseline, { startedAt, endedAt, progressChanges }: Finished) {
  const errors = history.progressErrors.map((error) => [...error] as [number, number, number])
  let gained = 0
  let count = 0
  for (let index = 2; index <= progressChanges.length; index++) {
    const pace = readPace(sinceBackwards(progressChanges.slice(0, index)), startedAt)
    if (pace === null || !(endedAt > pace.at)) continue
    const error = errors[pace.part]
    const known = baseline.errors[pace.part]
    if (!error || !known) continue
    const off = within(mostOff, Math.log((endedAt - pace.at) / pace.remainingMs))
    const z = (off - known.mean) / known.sigma
    const byProgress = Math.log((1 - tailShare) * (Math.exp((-z * z) / 2) / known.sigma / 2.507) + tailShare / 4)
    gained += within(mostGained, byProgress - byHistoryAlone(baseline, pace.at - startedAt, endedAt - startedAt))
    count++
    errors[pace.part] = [0.97 * error[0] + 1, 0.97 * error[1] + off, 0.97 * error[2] + off * off]
  }
  const kept = errors.map((error) => error.map(short) as [number, number, number])
  return { errors: kept, score: count === 0 ? null : gained / count }
}

/** Log-density of ln(rest), as the history has it, of an import that is so old. */
function byHistoryAlone({ logSurvival }: Baseline, elapsed: number, duration: number): number {
  const rest = duration - elapsed
  if (logSurvival === null) return Math.log((Math.max(elapsed, 1_000) * rest) / duration ** 2)
  const wide = 0.1 * rest
  const share = Math.exp(logAt(logSurvival, duration - wide)) - Math.exp(logAt(logSurvival, duration + wide))
  return Math.log(Math.max(share, 1e-12)) - logAt(logSurvival, elapsed) - Math.log(0.2)
}

function sinceBackwards(changes: readonly ProgressChange[]): readonly ProgressChange[] {
  for (let index = changes.length - 1; index > 0; index--)
    if ((changes[index]?.[1] ?? 0) < (changes[index - 1]?.[1] ?? 0)) return changes.slice(index)
  return changes
}
