// Owns which browser sessions users signed out of: by their cookies alone, every process would still accept them.
import { eq, lt } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { endedSessions } from '../db/schema/index.ts'

/** Ends a session for good. Deletes expired rows along the way. */
export async function endSession(
  { db, clock }: { db: Database; clock: Clock },
  session: { id: string; expiresAt: Date },
): Promise<void> {
  await db.insert(endedSessions).values(session).onConflictDoNothing()
  await db.delete(endedSessions).where(lt(endedSessions.expiresAt, clock.now()))
}

export async function isSessionEnded({ db }: { db: Database }, id: string): Promise<boolean> {
  const rows = await db.select({ id: endedSessions.id }).from(endedSessions).where(eq(endedSessions.id, id))
  return rows.length > 0
}
