// Owns the time of the next poll, from all that is known. Pure; no clock, no randomness. baselines/ owns what is known of
// durations and progress, and connections/ what a 429 or refused credentials mean for the connection's other imports.
import { phase } from '../base/ids.ts'
import { type Baseline, survivalFrom } from '../baselines/baseline.ts'
import { type ClockPhase, densityAt } from '../baselines/clock-phase.ts'
import { type Pace, type ProgressChange, readPace } from '../baselines/progress.ts'
import { type IntervalLimits, type NextPoll, notBefore, spread } from '../connections/backoff.ts'

/** The delay that one poll is worth, in milliseconds. */
const usualK = 2_000
/** After this many expected changes without a change, the progress has stalled. */
const stallTicks = 3
/** A poll for an end that is foretold sharply isn't moved by more than this share of k. */
const jitterOfK = 0.5

export interface PollOutlook {
  importId: string
  /** Epoch milliseconds, like all times here. */
  now: number
  /** When the job began: the provider's time if it is known, otherwise ours. */
  startedAt: number
  progressChanges: readonly ProgressChange[]
  /** The status is unmapped, so polling continues slowly. */
  unmapped: boolean
  limits: IntervalLimits
  baseline: Baseline
  /** The wait that the provider asks for. Null: none. */
  retryAfterMs: number | null
  /** Absent: the service's. */
  k?: number
}

/**
 * Returns the next poll after a report that isn't terminal. The delay is within the limits, but never before
 * `retryAfterMs`. It is jittered by the import's own phase: by ±10 %, where an end is foretold by no more than half of k.
 *
 * Derivation. One call is worth k of delay. A schedule with the least k · calls + delay is an optimum checking schedule
 * (Barlow, Hunter and Proschan, "Optimum Checking Procedures", J. SIAM 11 (1963) 1078–1095). With dense calls and the
 * hazard h of the duration its gap is √(2k / h) (Keller, "Optimum Checking Schedules for Systems Subject to Random
 * Failure", Management Science 21 (1974) 256–260). With nothing known h = 1/t, and the gap is √(2kt).
 *
 * That limit fails where the hazard changes much within one gap: at a sharp peak ∫√(h/2k) stays below 1, and the rule
 * waits for the next peak. So with a history or progress the gap Δ is the one with the least
 *
 *     V(Δ) = (k + ∫₀^Δ P(u) du) / P(Δ),   P(Δ) = probability that the import ends within Δ, as it hasn't yet,
 *
 * the cost of asking at Δ and, if it isn't over, facing the same again. For a constant hazard that is exact, and for
 * small gaps it is √(2k / h). Stalled progress says nothing, so the history alone counts.
 */
export function nextPoll(outlook: PollOutlook): NextPoll {
  const { importId, now, startedAt, baseline, limits, retryAfterMs, k = usualK } = outlook
  if (outlook.unmapped) {
    const slow: NextPoll = { delayMs: spread(importId, limits.maxIntervalMs, limits), basis: 'slow', stalled: false }
    return notBefore(retryAfterMs, slow, importId)
  }
  const pace = readPace(outlook.progressChanges, startedAt)
  const stalled = pace !== null && isStalled(pace, now)
  const moving = stalled ? null : pace
  const known = baseline.logSurvival === null ? 'elapsed' : 'history'
  const basis = moving ? 'progress' : known
  const delayMs =
    basis === 'elapsed'
      ? spread(importId, Math.sqrt(2 * k * Math.max(now - startedAt, 0)), limits)
      : sharplySpread(importId, cheapestGap(outlook, moving, k), limits, k)
  return notBefore(retryAfterMs, { delayMs, basis, stalled }, importId)
}

/** Returns the connection's limits with a shorter longest interval, as far as its shortest interval allows. */
export function within(maxMs: number, { minIntervalMs, maxIntervalMs }: IntervalLimits): IntervalLimits {
  return { minIntervalMs, maxIntervalMs: Math.max(Math.min(maxMs, maxIntervalMs), minIntervalMs) }
}

function isStalled({ at, tickMs, full }: Pace, now: number): boolean {
  return !full && now - at > stallTicks * tickMs
}

/**
 * Walks through the gaps from none on, and returns the one with the least V. Beyond the longest one it only has to know
 * whether one is cheaper: then the longest is the best.
 */
function cheapestGap({ now, startedAt, baseline, limits }: PollOutlook, pace: Pace | null, k: number): number {
  const { minIntervalMs, maxIntervalMs } = limits
  if (minIntervalMs === maxIntervalMs) return minIntervalMs
  const { clock } = baseline
  const elapsed = Math.max(now - startedAt, 0)
  const logSurvival = survivalFrom(baseline, pace, startedAt)
  let best = Number.POSITIVE_INFINITY
  let bestGap = maxIntervalMs
  let hazard = 0
  let logBefore = logSurvival(elapsed)
  let waste = 0
  let probability = 0
  let gap = 0
  // Otherwise an import with a peak in reach could be asked about later than one with the same peak out of reach.
  const farthest = (clock ? 1 : 1_000) * maxIntervalMs
  // No later gap can cost less than k and what is wasted until then.
  while (gap < farthest && k + waste < best) {
    const next = gap < maxIntervalMs ? Math.min(gap + stepAt(gap, limits, clock), maxIntervalMs) : 1.1 * gap
    const logAfter = logSurvival(elapsed + next)
    hazard += (logBefore - logAfter) * (clock ? densityAt(clock, now + (gap + next) / 2) : 1)
    const ended = 1 - Math.exp(-hazard)
    waste += ((probability + ended) / 2) * (next - gap)
    probability = ended
    logBefore = logAfter
    gap = next
    const cost = (k + waste) / Math.max(probability, 1e-12)
    if (cost >= best || gap < minIntervalMs) continue
    if (gap > maxIntervalMs) return maxIntervalMs
    best = cost
    bestGap = gap
  }
  return bestGap
}

function stepAt(gap: number, { minIntervalMs }: IntervalLimits, clock: ClockPhase | null): number {
  if (clock) return Math.max(Math.min(clock.binMs / 2, minIntervalMs), 0.002 * gap)
  return Math.max(minIntervalMs / 2, 0.04 * gap)
}

/** Jitter of ±10 % would miss a sharp end, so it is bounded by the delay that a poll is worth. */
function sharplySpread(importId: string, gapMs: number, limits: IntervalLimits, k: number): number {
  const clamped = Math.min(Math.max(gapMs, limits.minIntervalMs), limits.maxIntervalMs)
  const mostMs = Math.min(0.1 * clamped, jitterOfK * k)
  return Math.min(Math.max(clamped + mostMs * (2 * phase(importId) - 1), limits.minIntervalMs), limits.maxIntervalMs)
}
