// Owns resuming a paused connection because a caller says that its credentials work again.
import { and, eq, isNull } from 'drizzle-orm'
import { type Acting, writeAction } from '../actions/write.ts'
import { notFound } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { resumeConnection } from './pause.ts'
import type { ApiConnection } from './present.ts'
import { forgetRefusedImports } from './refusals.ts'
import { showConnection } from './show.ts'

/**
 * Resumes the connection of this name. A block by a 429 or 503 stays, because the provider asked for it.
 * @throws {AppError} not_found
 */
export function resumeConnectionByName(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  name: string,
): Promise<ApiConnection> {
  return db.transaction(async (tx) => {
    const [found] = await tx
      .select({ id: connections.id, pausedAt: connections.pausedAt })
      .from(connections)
      .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
    if (!found) throw notFound('connection')
    const now = clock.now()
    const row = await resumeConnection(tx, { connectionId: found.id, now, by: 'somebody' })
    await forgetRefusedImports(tx, row.id)
    if (found.pausedAt !== null)
      await writeAction(tx, by, { at: now, verb: 'connection.resume', subject: { id: row.id, name } })
    return showConnection(tx, row, now)
  })
}
