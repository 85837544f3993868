// Owns reserving further requests of a connection's budget, for pages and second calls.
import { eq } from 'drizzle-orm'
import { isMetered, nextRequestAt, type Spending, spend } from '../budget/budget.ts'
import { spendingOf } from '../budget/spending.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import type { DefaultLimits } from '../model/limits.ts'
import { spentColumns } from './spread.ts'

interface Metered {
  id: string
  limits: DefaultLimits
}

/** How far ahead a request may be reserved. A caller with a longer wait asks again later. */
export const reservedAheadMs = 2_000

/**
 * Reserves the next request of a connection and returns when it may start. That is `now`, or later if the pace or what
 * is left of the day or the month doesn't allow it, or the provider blocked the connection. If it is more than two
 * seconds later, nothing is reserved.
 */
export async function reserveRequest(db: Database, connection: Metered, now: Date): Promise<Date> {
  const { id, limits } = connection
  if (!isMetered(limits)) return blockedUntil(db, id, now)
  return changeSpending(db, connection, now, (spending, blocked) => {
    const at = Math.max(nextRequestAt(limits, spending, now.getTime()), (blocked ?? now).getTime())
    const isSoon = at <= now.getTime() + reservedAheadMs
    return { at: new Date(at), spent: isSoon ? spend(limits, spending, 1, at) : null }
  })
}

/**
 * Counts a request that was made without a reservation, because only the answer before it showed that it was needed.
 */
export async function countRequest(db: Database | Transaction, connection: Metered, now: Date): Promise<void> {
  const { limits } = connection
  if (!isMetered(limits)) return
  await changeSpending(db, connection, now, (spending) => ({
    at: now,
    spent: spend(limits, spending, 1, now.getTime()),
  }))
}

function changeSpending(
  db: Database | Transaction,
  { id, limits }: Metered,
  now: Date,
  change: (spending: Spending, blockedUntil: Date | null) => { at: Date; spent: Spending | null },
): Promise<Date> {
  return db.transaction(async (tx) => {
    const [row] = await tx.select().from(connections).where(eq(connections.id, id)).for('no key update')
    if (!row) return now
    const { at, spent } = change(spendingOf(row), row.blockedUntil)
    if (spent)
      await tx
        .update(connections)
        .set(spentColumns(limits, spent, at.getTime()))
        .where(eq(connections.id, id))
    return at
  })
}

async function blockedUntil(db: Database, id: string, now: Date): Promise<Date> {
  const columns = { blockedUntil: connections.blockedUntil }
  const [row] = await db.select(columns).from(connections).where(eq(connections.id, id))
  return row?.blockedUntil && row.blockedUntil > now ? row.blockedUntil : now
}
