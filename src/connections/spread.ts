// Owns that imports which have waited for the same moment don't go on all at once. Each has its place in the time after
// it, by its id (base/ids.ts, `phase`). Pure; rooms.ts asks it.

/** Of the wait. */
const spreadShare = 0.1

/** The time after a wait of `waitMs` over which imports are spread. */
export function spreadMs(waitMs: number, { maxIntervalMs }: { maxIntervalMs: number }): number {
  return Math.min(spreadShare * waitMs, maxIntervalMs)
}

/** The share of the imports that may go on at `now`, from 0 to 1: those whose phase isn't above it. */
export function shareAt(
  now: number,
  { spreadFrom, spreadUntil }: { spreadFrom: number | null; spreadUntil: number | null },
): number {
  // Before it there is no wait: a resume by hand or a new connection has ended it early.
  if (spreadFrom === null || spreadUntil === null || now < spreadFrom || now >= spreadUntil) return 1
  return (now - spreadFrom) / (spreadUntil - spreadFrom)
}
