// Owns when to ask next: a pure function of what is known. Rules and measurements: "When to ask again"
// (the hazard h(t) of the duration, and k, the seconds of delay that one poll is worth; best gap √(2k / h)).
// What a 429 or refused credentials mean for the other imports of the connection is said in connections/.
import { type IntervalLimits, type NextPoll, spread } from '../connections/backoff.ts'

/** Seconds of delay that one poll is worth, in milliseconds. */
const k = 2_000
/** The share of the remaining time after which to look again, where progress tells the remaining time. */
const beta = 0.5
/** At 100 % without being over: the share of the time since then. */
const waitAtFull = 0.15
/** Without a change for this many expected changes, the progress has stalled. */
const stallTicks = 3
const keptChanges = 6

/** A change of progress: when it was first seen (epoch ms), and the progress, 0 to 1. */
export type ProgressChange = [at: number, progress: number]

export interface PollOutlook {
  importId: string
  /** Epoch milliseconds, as are all times here. */
  now: number
  /** When the job began, as far as is known: the provider's time, else ours. */
  startedAt: number
  progressChanges: readonly ProgressChange[]
  /** A status that nobody has mapped: keep asking, but slowly. */
  unmapped: boolean
  limits: IntervalLimits
}

/** When to ask again after a report that isn't terminal. */
export function nextPoll(outlook: PollOutlook): NextPoll {
  const { importId, now, startedAt, limits } = outlook
  if (outlook.unmapped)
    return { delayMs: spread(importId, limits.maxIntervalMs, limits), basis: 'slow', stalled: false }
  const pace = readPace(outlook.progressChanges, now)
  if (pace.kind === 'moving')
    return { delayMs: spread(importId, pace.gapMs, limits), basis: 'progress', stalled: false }
  const elapsed = Math.max(now - startedAt, 0)
  // Neither history nor progress: h = 1/t.
  const gapMs = Math.sqrt(2 * k * elapsed)
  return { delayMs: spread(importId, gapMs, limits), basis: 'elapsed', stalled: pace.kind === 'stalled' }
}

/** The limits of a connection for asking at least this often, as far as it may be asked so often. */
export function within(maxMs: number, { minIntervalMs, maxIntervalMs }: IntervalLimits): IntervalLimits {
  return { minIntervalMs, maxIntervalMs: Math.max(Math.min(maxMs, maxIntervalMs), minIntervalMs) }
}

/** The changes of progress with a new observation: kept short, and started afresh where progress went backwards. */
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
