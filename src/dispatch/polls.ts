// Owns which polls are due now: the one query that says so. It respects what each connection allows
// (pauses, 429s, requests in flight, a second, a month), so that a claimed import may be asked about at once.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { type Claim, claimByConnection } from './connections.ts'

/** How long a claimed poll may take before it is due again: longer than two calls (45 s each) and its place in the queue. */
export const pollLeaseMs = 100_000

/** Claims due polls, each leased until `now` + 100 s. `saturated`: more are due than the connections allow just now. */
export function claimPolls(db: Database, now: Date): Promise<Claim> {
  return claimByConnection(db, now, {
    lockKey: 0x706f6c6c, // "poll"
    leaseMs: pollLeaseMs,
    dueAt: sql`next_poll_at`,
    leaseUntil: sql`poll_lease_until`,
    probesWhilePaused: true,
  })
}

/** Gives back polls that could not be enqueued: they are due again at once. */
export async function releasePolls(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`UPDATE imports SET poll_lease_until = NULL WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}
