// Owns the rule that the service followed before it learnt from imports that had ended: by progress, else √(2kt).
import type { ProgressChange } from '../../src/baselines/progress.ts'
import { type IntervalLimits, type NextPoll, spread } from '../../src/connections/backoff.ts'

/** The delay that one poll is worth, in milliseconds. */
const k = 2_000
/** If progress tells the remaining time, the next poll comes after this share of it. */
const beta = 0.5
/** At 100 % without an end, the gap is this share of the time since then. */
const waitAtFull = 0.15
/** After this many expected changes without a change, the progress has stalled. */
const stallTicks = 3
const keptChanges = 6

interface Outlook {
  importId: string
  /** Epoch milliseconds, like all times here. */
  now: number
  /** When the job began: the provider's time if it is known, otherwise ours. */
  startedAt: number
  progressChanges: readonly ProgressChange[]
  limits: IntervalLimits
}

/** Returns the next poll after a report that isn't terminal. */
export function nextByEarlierRule(outlook: Outlook): NextPoll {
  const { importId, now, startedAt, limits } = outlook
  const pace = readPace(outlook.progressChanges, now)
  if (pace.kind === 'moving')
    return { delayMs: spread(importId, pace.gapMs, limits), basis: 'progress', stalled: false }
  const elapsed = Math.max(now - startedAt, 0)
  // With neither history nor progress, h = 1/t.
  const gapMs = Math.sqrt(2 * k * elapsed)
  return { delayMs: spread(importId, gapMs, limits), basis: 'elapsed', stalled: pace.kind === 'stalled' }
}

type Pace = { kind: 'unknown' } | { kind: 'stalled' } | { kind: 'moving'; gapMs: number }

function readPace(all: readonly ProgressChange[], now: number): Pace {
  const changes = all.slice(-keptChanges)
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
