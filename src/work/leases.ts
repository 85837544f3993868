// Owns how long work on an import is leased, and giving a lease back. Who gets one is rooms.ts's in connections/.
import { sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database } from '../db/client.ts'

/** How long a poll is leased: longer than a call takes (45 s). It is renewed before a second one. */
export const pollLeaseMs = 55_000
/** How long a collection is leased; stored pages renew it. */
export const collectLeaseMs = 55_000
/** With less of a lease left, a call (45 s) might outlast it. */
export const leaseToCallMs = 48_000

/** Makes the lease last for a call that begins now; false: it is over, and another poll may be under way. */
export async function holdPoll(
  db: Database,
  { importId, leaseUntil, now }: { importId: string; leaseUntil: Date | null; now: Date },
): Promise<boolean> {
  if (leaseUntil !== null && leaseUntil > after(now, leaseToCallMs)) return true
  const { rowCount } = await db.execute(sql`
    UPDATE imports SET poll_lease_until = ${after(now, pollLeaseMs)} WHERE id = ${importId} AND poll_lease_until > ${now}`)
  return rowCount === 1
}

/** Gives back polls that were not made: they are due again at once. */
export async function releasePolls(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`UPDATE imports SET poll_lease_until = NULL WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}

/** Gives back collections that were not begun. */
export async function releaseCollections(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`UPDATE imports SET collect_lease_until = NULL WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}
