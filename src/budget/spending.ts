// Owns a connection's spending as its row keeps it. budget.ts owns what it means.
import type { connections } from '../db/schema/index.ts'
import { type Budget, type Spending, usedUpUntil } from './budget.ts'

type ConnectionRow = typeof connections.$inferSelect

export function spendingOf(row: ConnectionRow): Spending {
  const { budgetDay, dayRequests, budgetMonth, monthRequests, recentRequests } = row
  return {
    nextRequestAt: row.nextRequestAt?.getTime() ?? null,
    budgetDay,
    dayRequests,
    budgetMonth,
    monthRequests,
    recentRequests,
    recentAt: row.recentAt?.getTime() ?? null,
  }
}

/** Returns the columns that hold this spending. */
export function spendingColumns(budget: Budget, spent: Spending, now: number): Partial<ConnectionRow> {
  return {
    ...spent,
    nextRequestAt: timeOf(spent.nextRequestAt),
    recentAt: timeOf(spent.recentAt),
    usedUpUntil: timeOf(usedUpUntil(budget, spent, now)),
  }
}

function timeOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms)
}
