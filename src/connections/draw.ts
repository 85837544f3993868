// Owns drawing on a connection's budget for requests beyond the one that dispatch allowed: further pages, second calls.
import { eq } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { type Budget, isMetered, nextRequestAt, spend } from './budget.ts'

/**
 * Reserves the next request of a connection, and says when it may start: at `now` or later, where a second's or a
 * month's share is used up, or where the provider has said 429.
 */
export async function drawRequest(db: Database, connection: { id: string; limits: Budget }, now: Date): Promise<Date> {
  const { id, limits } = connection
  if (!isMetered(limits)) return blockedUntil(db, id, now)
  return db.transaction(async (tx) => {
    const [row] = await tx.select().from(connections).where(eq(connections.id, id)).for('no key update')
    if (!row) return now
    const spending = {
      nextRequestAt: row.nextRequestAt?.getTime() ?? null,
      budgetMonth: row.budgetMonth,
      monthRequests: row.monthRequests,
    }
    const at = Math.max(nextRequestAt(limits, spending, now.getTime()), (row.blockedUntil ?? now).getTime())
    const spent = spend(limits, spending, 1, at)
    await tx
      .update(connections)
      .set({ ...spent, nextRequestAt: spent.nextRequestAt === null ? null : new Date(spent.nextRequestAt) })
      .where(eq(connections.id, id))
    return new Date(at)
  })
}

async function blockedUntil(db: Database, id: string, now: Date): Promise<Date> {
  const columns = { blockedUntil: connections.blockedUntil }
  const [row] = await db.select(columns).from(connections).where(eq(connections.id, id))
  return row?.blockedUntil && row.blockedUntil > now ? row.blockedUntil : now
}
