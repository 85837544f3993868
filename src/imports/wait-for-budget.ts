// Owns telling of live imports that nobody may ask about, because their connection's day or month is used up. No poll
// would tell it. polling/ tells of imports that are asked about less often than wanted.
import { sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { writeImportEvents } from './transition.ts'

/** How many imports one call tells of at most. The next call continues. */
const batchSize = 200

/** Shows `budget` as the attention of imports whose polls are due. What ranks above it stays. Returns how many. */
export function tellWaiting({ db, clock }: { db: Database; clock: Clock }): Promise<number> {
  const now = clock.now()
  return db.transaction(async (tx) => {
    const { rows } = await tx.execute<{ id: string }>(sql`
      /* import.wait_for_budget */
      UPDATE imports SET attention = 'budget' WHERE id IN (
        SELECT i.id
        FROM connections c JOIN polling p ON p.connection_id = c.id JOIN imports i ON i.id = p.import_id
        WHERE c.used_up_until > ${now} AND p.due_at <= ${now} AND (i.attention IS NULL OR i.attention IN ('stalled', 'overdue'))
        ORDER BY i.id LIMIT ${batchSize}
        FOR NO KEY UPDATE OF i SKIP LOCKED)
      RETURNING id`)
    await writeImportEvents(
      tx,
      rows.map(({ id }) => ({ importId: id, types: ['import.attention'], at: now })),
    )
    return rows.length
  })
}
