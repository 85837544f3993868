// Owns drawing on a connection's budget for requests beyond the one that dispatch allowed: further pages, second calls.
import { eq } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { type Budget, isMetered, nextRequestAt, spend } from './budget.ts'

/**
 * Reserves the next request of a connection, and says when it may start: at `now` or later, where a second's or a
 * month's share is used up, or where the provider has said 429.
 */
export function drawRequest(db: Database, connection: { id: string; limits: Budget }, now: Date): Promise<Date> {
  const { id, limits } = connection
  return db.transaction(async (tx) => {
    const found = tx.select().from(connections).where(eq(connections.id, id))
    const [row] = isMetered(limits) ? await found.for('no key update') : await found
    if (!row) return now
    const blockedUntil = row.blockedUntil ?? now
    if (!isMetered(limits)) return blockedUntil > now ? blockedUntil : now

    const spending = {
      nextRequestAt: row.nextRequestAt?.getTime() ?? null,
      budgetMonth: row.budgetMonth,
      monthRequests: row.monthRequests,
    }
    const at = Math.max(nextRequestAt(limits, spending, now.getTime()), blockedUntil.getTime())
    const spent = spend(limits, spending, 1, at)
    await tx
      .update(connections)
      .set({ ...spent, nextRequestAt: spent.nextRequestAt === null ? null : new Date(spent.nextRequestAt) })
      .where(eq(connections.id, id))
    return new Date(at)
  })
}
