// Owns reserving requests of a connection's budget beyond the one that its claim allowed: further pages, second calls.
import { eq } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { type Budget, isMetered, nextRequestAt, type Spending, spend } from './budget.ts'

interface Metered {
  id: string
  limits: Budget
}

/** What is further off isn't reserved: who has to wait for so long asks again then. */
export const reservedAheadMs = 2_000

/**
 * Reserves the next request of a connection, and says when it may start: at `now` or later, where a second's or a
 * month's share is used up, or where the provider has said 429. More than two seconds later: nothing is reserved.
 */
export async function reserveRequest(db: Database, connection: Metered, now: Date): Promise<Date> {
  const { id, limits } = connection
  if (!isMetered(limits)) return blockedUntil(db, id, now)
  return changeSpending(db, id, now, (spending, blocked) => {
    const at = Math.max(nextRequestAt(limits, spending, now.getTime()), (blocked ?? now).getTime())
    const isSoon = at <= now.getTime() + reservedAheadMs
    return { at: new Date(at), spent: isSoon ? spend(limits, spending, 1, at) : null }
  })
}

/** Counts a request that was made without being reserved, since the one before it showed only then that it was needed. */
export async function countRequest(db: Database | Transaction, { id, limits }: Metered, now: Date): Promise<void> {
  if (!isMetered(limits)) return
  await changeSpending(db, id, now, (spending) => ({ at: now, spent: spend(limits, spending, 1, now.getTime()) }))
}

function changeSpending(
  db: Database | Transaction,
  id: string,
  now: Date,
  change: (spending: Spending, blockedUntil: Date | null) => { at: Date; spent: Spending | null },
): Promise<Date> {
  return db.transaction(async (tx) => {
    const [row] = await tx.select().from(connections).where(eq(connections.id, id)).for('no key update')
    if (!row) return now
    const { budgetMonth, monthRequests } = row
    const spending = { nextRequestAt: row.nextRequestAt?.getTime() ?? null, budgetMonth, monthRequests }
    const { at, spent } = change(spending, row.blockedUntil)
    if (spent)
      await tx
        .update(connections)
        .set({ ...spent, nextRequestAt: spent.nextRequestAt === null ? null : new Date(spent.nextRequestAt) })
        .where(eq(connections.id, id))
    return at
  })
}

async function blockedUntil(db: Database, id: string, now: Date): Promise<Date> {
  const columns = { blockedUntil: connections.blockedUntil }
  const [row] = await db.select(columns).from(connections).where(eq(connections.id, id))
  return row?.blockedUntil && row.blockedUntil > now ? row.blockedUntil : now
}
