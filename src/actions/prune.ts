// Owns deleting actions past their retention.
import { sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import { firstIdAt } from '../base/ids.ts'
import type { HistoryRetention } from '../config/config.ts'
import type { Database } from '../db/client.ts'

/** How many actions one statement deletes at most. Each may have touched a thousand imports. */
const batchSize = 100

/**
 * Deletes actions of months that are no longer kept, batch by batch. Both clocks have to say so: what is deleted is gone
 * for good. Several processes may run it at once.
 */
export async function deleteOldActions(
  { db, clock, historyRetention }: { db: Database; clock: Clock; historyRetention: HistoryRetention },
  signal: AbortSignal,
): Promise<void> {
  const { actions: months } = historyRetention
  if (months === undefined) return
  const now = clock.now()
  const since = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months))
  for (let full = true; full && !signal.aborted; ) {
    const { rowCount } = await db.execute(sql`
      /* action.prune */
      DELETE FROM actions WHERE id IN (
        SELECT id FROM actions
        WHERE id < ${firstIdAt(since)} AND at < date_trunc('month', now(), 'UTC') - make_interval(months => ${months}::int)
        ORDER BY id LIMIT ${batchSize} FOR UPDATE SKIP LOCKED)`)
    full = (rowCount ?? 0) >= batchSize
  }
}
