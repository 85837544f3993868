// Owns what is foreseen of a live import at a poll: when it is likely to end, and from when on it is overdue. Pure.
import { type Baseline, durationAt } from '../baselines/baseline.ts'
import { type ProgressChange, readPace } from '../baselines/progress.ts'
import type { Foreseen } from '../imports/observation.ts'

export interface Outlook extends Foreseen {
  /** When the import is expected to end, in milliseconds. Null: nobody knows, or that time has passed. */
  endsInMs: number | null
}

/** Longer times don't fit their columns. */
const mostMs = 2 ** 31 - 1
/** How sure the range is: nine of ten imports end after its begin, and nine of ten before its end. */
const shares = { earliest: 0.1, median: 0.5, latest: 0.9 }

/**
 * Returns what is foreseen, given how long the import has run: of imports that ran so long, by the history and its own
 * progress. So a straggler's end moves on.
 */
export function foresee(
  baseline: Baseline,
  {
    startedAt,
    now,
    progressChanges,
    stalled,
  }: { startedAt: number; now: number; progressChanges: readonly ProgressChange[]; stalled: boolean },
): Outlook {
  const elapsedMs = Math.max(now - startedAt, 0)
  const pace = stalled ? null : readPace(progressChanges, startedAt)
  const after = (share: number) => {
    const durationMs = durationAt(baseline, share, { elapsedMs, pace, startedAt })
    return durationMs === null ? null : Math.min(Math.max(Math.round(durationMs - elapsedMs), 0), mostMs)
  }
  const etaMs = after(shares.median)
  const restMs = baseline.medianMs === null ? etaMs : baseline.medianMs - elapsedMs
  return {
    endsInMs: restMs !== null && restMs > 0 ? restMs : null,
    etaMs,
    etaEarliestMs: after(shares.earliest),
    etaLatestMs: after(shares.latest),
    overdueAt: baseline.overdueAfterMs === null ? null : new Date(startedAt + baseline.overdueAfterMs),
  }
}
