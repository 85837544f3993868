// Owns the time of the next poll. Pure. The rules and measurements are in "When to ask again": the hazard h(t) of the
// duration, and k, the delay that one poll is worth. The best gap is √(2k / h). connections/ owns what a 429 or refused
// credentials mean for the connection's other imports.
import { type IntervalLimits, type NextPoll, spread } from '../connections/backoff.ts'

/** The delay that one poll is worth, in milliseconds. */
const k = 2_000
/** If progress tells the remaining time, the next poll comes after this share of it. */
const beta = 0.5
/** At 100 % without an end, the gap is this share of the time since then. */
const waitAtFull = 0.15
/** After this many expected changes without a change, the progress has stalled. */
const stallTicks = 3
const keptChanges = 6

/** A change of progress: when polling first saw it (epoch ms), and the progress, 0 to 1. */
export type ProgressChange = [at: number, progress: number]

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
}

/** Returns the next poll after a report that isn't terminal. */
export function nextPoll(outlook: PollOutlook): NextPoll {
  const { importId, now, startedAt, limits } = outlook
  if (outlook.unmapped)
    return { delayMs: spread(importId, limits.maxIntervalMs, limits), basis: 'slow', stalled: false }
  const pace = readPace(outlook.progressChanges, now)
  if (pace.kind === 'moving')
    return { delayMs: spread(importId, pace.gapMs, limits), basis: 'progress', stalled: false }
  const elapsed = Math.max(now - startedAt, 0)
  // With neither history nor progress, h = 1/t.
  const gapMs = Math.sqrt(2 * k * elapsed)
  return { delayMs: spread(importId, gapMs, limits), basis: 'elapsed', stalled: pace.kind === 'stalled' }
}

/** Returns the connection's limits with a shorter longest interval, as far as its shortest interval allows. */
export function within(maxMs: number, { minIntervalMs, maxIntervalMs }: IntervalLimits): IntervalLimits {
  return { minIntervalMs, maxIntervalMs: Math.max(Math.min(maxMs, maxIntervalMs), minIntervalMs) }
}

/**
 * Returns the changes of progress with a new observation. Only the last few are kept, and they start afresh if progress
 * goes backwards.
 */
export function trackProgress(
  changes: readonly ProgressChange[],
  now: number,
  progress: number | null,
): ProgressChange[] {
  if (progress === null) return [...changes]
  const last = changes.at(-1)
  if (last && last[1] === progress) return [...changes]
  if (last && progress < last[1]) return [[now, progress]]
  return [...changes, [now, progress] satisfies ProgressChange].slice(-keptChanges)
}

type Pace = { kind: 'unknown' } | { kind: 'stalled' } | { kind: 'moving'; gapMs: number }

function readPace(changes: readonly ProgressChange[], now: number): Pace {
  const first = changes[0]
  const last = changes.at(-1)
  if (!first || !last || changes.length < 2) return { kind: 'unknown' }
  const sinceChange = now - last[0]
  if (last[1] >= 1) return { kind: 'moving', gapMs: waitAtFull * sinceChange }
  const tick = (last[0] - first[0]) / (changes.length - 1)
  if (sinceChange > stallTicks * tick) return { kind: 'stalled' }
  const speed = (last[1] - first[1]) / (last[0] - first[0])
  return { kind: 'moving', gapMs: beta * ((1 - last[1]) / speed - sinceChange) }
}
