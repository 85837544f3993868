// Owns when it is believed that a provider doesn't know a job. One 404 proves nothing: a job that was just made may not
// have reached the server that answers, and a proxy may have lost its way.

/** This many polls in a row must say it, … */
const confirmingPolls = 3
/** … and of a job that is tracked for less than this … */
const youngMs = 60_000
/** … over at least this long. */
const confirmingMs = 10_000
/** A 404 is confirmed within this, unless the connection may not be asked that often. */
export const confirmWithinMs = 5_000

export interface NotFound {
  /** In a row, this one included. */
  polls: number
  since: Date
}

/** The row of polls that say 404, with one more of them. */
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
