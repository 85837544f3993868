// Owns transactions that Postgres ends, with their locks, if their client says nothing for a while. A client whose
// connection has gone silent can't end its transaction, and Postgres would keep the locks for hours.
import { sql } from 'drizzle-orm'
import type { Database, Transaction } from './client.ts'

/** Longer than this process waits for a silent Postgres, in milliseconds, so that it has given the transaction up by then. */
const idleMs = 15_000

/** As `db.transaction`, for work that never waits for anything but Postgres. */
export function briefTransaction<Result>(db: Database, work: (tx: Transaction) => Promise<Result>): Promise<Result> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`SELECT set_config('idle_in_transaction_session_timeout', ${String(idleMs)}, true)`)
    return work(tx)
  })
}
