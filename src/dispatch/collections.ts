// Owns which collections are due now: imports that are over and whose skipped lines or row results aren't all stored.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { type Claim, claimByConnection } from './connections.ts'

/** How long a collection is leased; every stored page renews it. */
export const collectLeaseMs = 60_000

/** Claims due collections, as `claimPolls` does. */
export function claimCollections(db: Database, now: Date): Promise<Claim> {
  return claimByConnection(db, now, {
    lockKey: 0x636f6c6c, // "coll"
    leaseMs: collectLeaseMs,
    dueAt: sql`next_collect_at`,
    leaseUntil: sql`collect_lease_until`,
    probesWhilePaused: false,
  })
}

/** Gives back collections that could not be enqueued. */
export async function releaseCollections(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`UPDATE imports SET collect_lease_until = NULL WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}
