// Owns when the next poll is due, given the gap that the policy wants: later where the connection's imports share a
// scarce budget (budget/shares.ts), though no later than when a poll has something to find out. Pure.
import type { NextPoll } from '../connections/backoff.ts'

export interface DuePoll extends NextPoll {
  /** The gap that the policy wants, in milliseconds. */
  wantedMs: number
}

export interface Share {
  /** By which factor the budget makes gaps longer. 1: it leaves enough. */
  stretch: number
  /** When the import is expected to end, in milliseconds from now. Each import gets a look then. Null: nobody knows. */
  endsInMs?: number | null
  /** Moments at which a poll has something to find out, such as the deadline, in milliseconds from now. */
  lookInMs: readonly number[]
}

/** More milliseconds don't fit their column. */
const mostMs = 2 ** 31 - 1

/** Returns the next poll as the budget allows it. It is never sooner than the policy wants it. */
export function dueOf(next: NextPoll, { stretch, endsInMs = null, lookInMs }: Share): DuePoll {
  const wantedMs = Math.min(Math.round(next.delayMs), mostMs)
  const stretchedMs = next.delayMs * stretch
  const sharedMs = endsInMs === null ? stretchedMs : Math.min(stretchedMs, Math.max(endsInMs, next.delayMs))
  return { ...next, delayMs: Math.max(next.delayMs, Math.min(sharedMs, ...lookInMs.filter((ms) => ms > 0))), wantedMs }
}
