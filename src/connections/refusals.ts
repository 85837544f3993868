// Owns what refused calls (401, 403) say about a connection. One import may be refused for reasons of its own. So a
// refusal counts against the connection only until the provider answers a call over it, and until that import's own
// refusals end.
import { and, eq, gte, isNull, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, imports } from '../db/schema/index.ts'
import { lockConnection, pauseConnection, probeIntervalMs } from './pause.ts'
import type { PauseReason } from './present.ts'

/** A 401 concerns the credentials. A 403 may concern one import, until a second import gets one. */
const refusedToPause: Record<PauseReason, number> = { unauthorized: 1, forbidden: 2 }

/**
 * Notes that the provider refused a call about an import, and pauses the connection if enough of its imports are
 * refused. If the connection is already paused, only its next probe moves. If the connection was replaced after
 * `updatedAt`, nothing changes: the provider refused credentials that are no longer in use.
 * @returns true if this call paused the connection.
 */
export async function noteRefusal(
  tx: Transaction,
  refusal: { connectionId: string; importId: string; reason: PauseReason; updatedAt: Date; now: Date },
): Promise<boolean> {
  const { connectionId, importId, reason, updatedAt, now } = refusal
  const connection = await lockConnection(tx, connectionId)
  if (connection.updatedAt > updatedAt) return false
  const [known] = await tx.select({ refusedSince: imports.refusedSince }).from(imports).where(eq(imports.id, importId))
  if (!known) return false
  if (known.refusedSince === null) await tx.update(imports).set({ refusedSince: now }).where(eq(imports.id, importId))
  if (connection.pausedAt !== null) {
    const nextProbeAt = after(now, probeIntervalMs)
    await tx.update(connections).set({ nextProbeAt }).where(eq(connections.id, connectionId))
    return false
  }
  const since = firstRefusal(known.refusedSince, connection.refusedSince, now)
  if (since === null) return false
  await tx.update(connections).set({ refusedSince: since }).where(eq(connections.id, connectionId))
  if (refusedToPause[reason] > 1 && (await countRefused(tx, connectionId, since)) < refusedToPause[reason]) return false
  await pauseConnection(tx, { connectionId, reason, now, nextProbeAt: after(now, probeIntervalMs) })
  return true
}

/**
 * Returns the first refusal over the connection that no answer has followed. Returns null if the refusal concerns this
 * import alone.
 */
function firstRefusal(ofImport: Date | null, ofConnection: Date | null, now: Date): Date | null {
  if (ofImport === null) return ofConnection === null || now < ofConnection ? now : ofConnection
  return ofConnection !== null && ofImport >= ofConnection ? ofConnection : null
}

async function countRefused(tx: Transaction, connectionId: string, since: Date): Promise<number> {
  const [counted] = await tx
    .select({ refused: sql<number>`count(*)::int` })
    .from(imports)
    .where(and(eq(imports.connectionId, connectionId), gte(imports.refusedSince, since), isNull(imports.finishedAt)))
  return counted?.refused ?? 0
}

/** Clears a connection's refusals, because the provider answered a call made after `refusedSince`. */
export async function forgetRefusals(
  db: Database | Transaction,
  connectionId: string,
  refusedSince: Date,
): Promise<void> {
  await db
    .update(connections)
    .set({ refusedSince: null })
    .where(and(eq(connections.id, connectionId), eq(connections.refusedSince, refusedSince)))
}

/** Clears the refusals of a connection's imports, because a caller says that the connection works again. */
export async function forgetRefusedImports(tx: Transaction, connectionId: string): Promise<void> {
  // A transaction that has locked one of them is recording a newer answer.
  await tx.execute(sql`
    /* import.forget_refusals */
    UPDATE imports SET refused_since = NULL WHERE id IN (
      SELECT id FROM imports WHERE connection_id = ${connectionId} AND refused_since IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED)`)
}
