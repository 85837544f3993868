// Owns resuming an import that was lost or stopped: it is asked about again, with a deadline as long as its first one.
import { eq, sql } from 'drizzle-orm'
import { after, type Clock } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { AppError } from '../errors.ts'
import { reopenMonthOf } from '../reporting/reopen.ts'
import { changeImport } from './change.ts'
import { canFollow, type ImportState, isOver } from './state.ts'
import type { ImportRow } from './transition.ts'

/**
 * Resumes tracking. A live import stays as it is.
 * @throws {AppError} not_found; conflict when the provider ended it, or its connection is deleted; unavailable while the
 * month of its history is being dropped.
 */
export function resumeImport({ db, clock }: { db: Database; clock: Clock }, importId: string): Promise<void> {
  const now = clock.now()
  return changeImport(db, importId, now, (row) => {
    const { state, deadlineMs, connectionId } = row
    if (!isOver(state as ImportState)) return null
    if (!canFollow(state as ImportState, 'pending'))
      throw new AppError(
        'conflict',
        `The provider has ended the import (${state}); only lost and stopped ones can be resumed.`,
      )
    const set = {
      state: 'pending',
      lostReason: null,
      attention: null,
      finishedAt: null,
      lastError: null,
      pollFailures: 0,
      notFoundPolls: 0,
      deadlineAt: after(now, deadlineMs),
      nextPollAt: now,
    }
    const prepare = async (tx: Transaction) => {
      await requireConnection(tx, connectionId)
      return withHistory(tx, row, now)
    }
    return { set, event: 'import.resumed', prepare }
  })
}

/** Nothing could be asked without it. Locked, so that it isn't deleted meanwhile. */
async function requireConnection(tx: Transaction, id: string): Promise<void> {
  const [row] = await tx
    .select({ deletedAt: connections.deletedAt })
    .from(connections)
    .where(eq(connections.id, id))
    .for('key share')
  if (row?.deletedAt) throw new AppError('conflict', 'The connection of the import is deleted.')
}

/** Makes room for its history, where its month was dropped. A snapshot that went with it can't be extended. */
async function withHistory(tx: Transaction, { id, snapshotId }: ImportRow, now: Date): Promise<Partial<ImportRow>> {
  await reopenMonthOf(tx, id, now)
  if (snapshotId === null) return {}
  const { rowCount } = await tx.execute(sql`SELECT FROM snapshots WHERE import_id = ${id} AND id = ${snapshotId}`)
  return rowCount === 1 ? {} : { snapshotId: null, fingerprint: null }
}
