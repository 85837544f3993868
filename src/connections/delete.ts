// Owns deleting a connection. Its credentials are deleted, its history stays.
import { and, count, eq, inArray, isNotNull, isNull, or } from 'drizzle-orm'
import { type Acting, writeAction } from '../actions/write.ts'
import { AppError, notFound } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { connections, connectionTokens, imports } from '../db/schema/index.ts'
import { liveStates } from '../model/import-state.ts'

/**
 * Deletes a connection, which frees its name.
 * @throws {AppError} `not_found`; `conflict` while it has live imports, or imports whose rows are being collected.
 */
export async function deleteConnection(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  name: string,
): Promise<void> {
  await db.transaction(async (tx) => {
    // The lock holds off registrations, because an import's foreign key locks the same row.
    const [connection] = await tx
      .select({ id: connections.id })
      .from(connections)
      .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
      .for('update')
    if (!connection) throw notFound('connection')

    const unfinished = or(inArray(imports.state, liveStates), isNotNull(imports.nextCollectAt))
    const [live] = await tx
      .select({ count: count() })
      .from(imports)
      .where(and(eq(imports.connectionId, connection.id), unfinished))
    if (live && live.count > 0)
      throw new AppError('conflict', `The connection has ${live.count} live imports; stop them first.`)

    const now = clock.now()
    const asking = { pausedAt: null, pauseReason: null, nextProbeAt: null, refusedSince: null }
    await tx
      .update(connections)
      .set({ deletedAt: now, updatedAt: now, credentials: '', ...asking, blockedUntil: null })
      .where(eq(connections.id, connection.id))
    await writeAction(tx, by, { at: now, verb: 'connection.delete', subject: { id: connection.id, name } })
    await tx.delete(connectionTokens).where(eq(connectionTokens.connectionId, connection.id))
  })
}
