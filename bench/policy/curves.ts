// Owns what a replay comes to, and how policies compare at equal calls: the delays of a curve of one policy over its
// parameter, interpolated to the calls of another.
import { percentile } from '../figures.ts'
import type { Outcome } from './replay.ts'

export interface Point {
  calls: number
  p50Ms: number
  p95Ms: number
}

export function pointOf(outcomes: readonly Outcome[]): Point {
  const delays = outcomes.map(({ delayMs }) => delayMs)
  const calls = outcomes.reduce((sum, outcome) => sum + outcome.calls, 0) / outcomes.length
  return { calls, p50Ms: percentile(delays, 0.5), p95Ms: percentile(delays, 0.95) }
}

/** Straight between the curve's points in the logarithms; NaN outside of the calls that the curve reaches. */
export function delayAt(curve: readonly Point[], calls: number, of: 'p50Ms' | 'p95Ms'): number {
  const sorted = [...curve].sort((a, b) => a.calls - b.calls)
  const above = sorted.findIndex((point) => point.calls >= calls)
  const [after, before] = [sorted[above], sorted[above - 1]]
  if (!after || !before) return after?.calls === calls ? after[of] : Number.NaN
  const share = Math.log(calls / before.calls) / Math.log(after.calls / before.calls)
  return Math.exp(Math.log(before[of]) + share * Math.log(after[of] / before[of]))
}
