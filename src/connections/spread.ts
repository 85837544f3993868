// Owns spreading imports that have waited for the same moment, so that they don't all continue at once. Each has a
// place in the time after it, by its id (base/ids.ts, `phase`). Pure; rooms.ts asks it.

/** The share of the wait over which imports are spread. */
const spreadShare = 0.1

/** Returns the time after a wait of `waitMs` over which imports are spread, in milliseconds. */
export function spreadMs(waitMs: number, { maxIntervalMs }: { maxIntervalMs: number }): number {
  return Math.min(spreadShare * waitMs, maxIntervalMs)
}

/** Returns the share of the imports that may continue at `now`, from 0 to 1: those whose phase isn't above it. */
export function shareAt(
  now: number,
  { spreadFrom, spreadUntil }: { spreadFrom: number | null; spreadUntil: number | null },
): number {
  // Before `spreadFrom` there is no wait: a resume by hand or a new connection has ended it early.
  if (spreadFrom === null || spreadUntil === null || now < spreadFrom || now >= spreadUntil) return 1
  return (now - spreadFrom) / (spreadUntil - spreadFrom)
}
