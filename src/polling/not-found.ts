// Owns when a provider's 404 counts as "no such job". One 404 proves nothing: a new job may not have reached the server
// that answers, or a proxy may be wrong.

/** This many polls in a row must answer 404, … */
const confirmingPolls = 3
/** … and for a job tracked for less than this … */
const youngMs = 60_000
/** … over at least this long. */
const confirmingMs = 10_000
/** A 404 is confirmed within this time, unless the connection doesn't allow it. */
export const confirmWithinMs = 5_000

export interface NotFound {
  /** How many polls in a row, including this one. */
  polls: number
  since: Date
}

/** Returns the row of 404s with one more. */
export function oneMore(
  { notFounds, notFoundSince }: { notFounds: number; notFoundSince: Date | null },
  now: Date,
): NotFound {
  return { polls: notFounds + 1, since: notFounds > 0 && notFoundSince !== null ? notFoundSince : now }
}

export function isConfirmed(
  { polls, since }: NotFound,
  { registeredAt, resumedAt }: { registeredAt: Date; resumedAt: Date | null },
  now: Date,
): boolean {
  const isYoung = now.getTime() - (resumedAt ?? registeredAt).getTime() < youngMs
  return polls >= confirmingPolls && (!isYoung || now.getTime() - since.getTime() >= confirmingMs)
}
