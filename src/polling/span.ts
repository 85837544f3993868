// Owns when an import began and ended, by our clock, as far as polling can know. Pure.
import { after } from '../base/clock.ts'
import type { TrackedImport } from '../imports/tracked.ts'
import type { Report } from '../providers/contract.ts'

/** Clocks and whole seconds differ by less, in milliseconds. */
const noiseMs = 3_000

/** How long an import ran. Epoch milliseconds. */
export interface Span {
  startedAt: number
  endedAt: number
  /** How far apart the calls were between which it ended; 0 if the provider told the time. */
  uncertainMs: number
}

type Began = Pick<
  TrackedImport,
  'registeredAt' | 'resumedAt' | 'providerStartedAt' | 'providerCreatedAt' | 'seenAt' | 'heldOutcome'
>

/**
 * Returns when the import began: the provider's start, else its creation, else our registration. A time that lies ahead
 * is none.
 */
export function beganAt(
  { registeredAt, resumedAt, providerStartedAt, providerCreatedAt }: Began,
  { startedAt, createdAt }: Pick<Report, 'startedAt' | 'createdAt'>,
  { clockAheadMs, now }: { clockAheadMs: number; now: Date },
): Date {
  const theirs = startedAt ?? providerStartedAt ?? createdAt ?? providerCreatedAt
  // The provider's clock may differ from ours, so its current time tells how long ago this was.
  const told = theirs && after(theirs, -clockAheadMs)
  const began = told && told.getTime() <= now.getTime() + noiseMs ? told : registeredAt
  // After a resume somebody waits for news, however long ago the job began. The job may also run again.
  return resumedAt !== null && resumedAt > began ? resumedAt : began
}

/**
 * Returns how long an import ran that this poll saw over. Returns null if nobody can know: it was over before it was
 * asked about, and the provider doesn't tell when it ended.
 */
export function spanOf(
  tracked: Began,
  report: Pick<Report, 'startedAt' | 'createdAt' | 'finishedAt'>,
  { clockAheadMs, now }: { clockAheadMs: number; now: Date },
): Span | null {
  const startedAt = beganAt(tracked, report, { clockAheadMs, now }).getTime()
  const lastLive = tracked.seenAt?.getTime() ?? null
  // The provider called it done some polls ago. Since then only the evidence was missing.
  const over = tracked.heldOutcome ? Date.parse(tracked.heldOutcome.since) : now.getTime()
  const told = report.finishedAt && after(report.finishedAt, -clockAheadMs).getTime()
  const earliest = lastLive !== null && lastLive <= over ? lastLive : startedAt
  const isPossible = told !== null && told >= earliest - noiseMs && told <= over + noiseMs
  const uncertainMs = isPossible || tracked.heldOutcome ? 0 : over - earliest
  if (!isPossible && (lastLive === null || tracked.resumedAt !== null)) return null
  const endedAt = isPossible ? Math.min(Math.max(told, earliest), over) : over - uncertainMs / 2
  return endedAt > startedAt ? { startedAt, endedAt, uncertainMs } : null
}
