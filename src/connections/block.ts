// Owns that a provider's 429 stops the whole connection, not one import.
import { eq, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'

/** Nothing is asked over this connection before `until`; a later block stays. */
export async function blockConnection(db: Database, connectionId: string, until: Date): Promise<void> {
  await db
    .update(connections)
    .set({ blockedUntil: sql`greatest(${connections.blockedUntil}, ${until.toISOString()}::timestamptz)` })
    .where(eq(connections.id, connectionId))
}
