// Owns spreading imports that have waited for the same moment, so that they don't all continue at once. Each has a
// place in the time after it, by its id (base/ids.ts, `phase`). Pure; rooms.ts asks it.
import { after } from '../base/clock.ts'
import type { Spending } from '../budget/budget.ts'
import { spendingColumns } from '../budget/spending.ts'
import type { DefaultLimits } from '../model/limits.ts'
import type { ConnectionRow } from './present.ts'

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

/** Returns the columns that hold this spending. If the day or the month is used up, imports are spread after its end. */
export function spentColumns(limits: DefaultLimits, spent: Spending, now: number): Partial<ConnectionRow> {
  const columns = spendingColumns(limits, spent, now)
  const until = columns.usedUpUntil ?? null
  if (until === null) return columns
  return { ...columns, spreadFrom: until, spreadUntil: after(until, spreadMs(until.getTime() - now, limits)) }
}
