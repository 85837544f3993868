// Owns how long work on an import is leased, and giving a lease back. Who gets one is dispatch/'s.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** How long a claimed poll may take before it is due again: longer than two calls (45 s each) and its place in the queue. */
export const pollLeaseMs = 100_000
/** How long a collection is leased; every stored page renews it. */
export const collectLeaseMs = 60_000

/** Gives back polls that were not made: they are due again at once. */
export async function releasePolls(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`UPDATE imports SET poll_lease_until = NULL WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}

/** Gives back collections that were not begun. */
export async function releaseCollections(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`UPDATE imports SET collect_lease_until = NULL WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}
