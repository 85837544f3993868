// Owns resuming an import that is over: it is asked about again, with a deadline as long as its first one. One that the
// provider ended has to be forced.

import { and, eq } from 'drizzle-orm'
import { z } from 'zod'
import { AppError } from '../api/refusal.ts'
import { after, type Clock } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, snapshots } from '../db/schema/index.ts'
import { reopenMonthOf } from '../history/reopen.ts'
import { endedByProvider, type ImportState, isOver } from '../model/import-state.ts'
import { changeImport } from './change.ts'
import type { ImportRow } from './columns.ts'
import { forgottenOutcome } from './earlier-run.ts'
import { startPolling } from './polling-row.ts'
import { inlineJobId } from './register.ts'

export const resumeSchema = z
  .strictObject({
    force: z
      .boolean()
      .default(false)
      .describe('Also where the provider has ended it: its job runs again, or ran on. The history stays.'),
  })
  .meta({ id: 'ResumeImport' })

/**
 * Resumes tracking. A live import stays as it is.
 * @throws {AppError} not_found; conflict when the provider ended it and it isn't forced, when there is no job to ask
 * about, or its connection is deleted; unavailable while the month of its history is being dropped.
 */
export function resumeImport(
  { db, clock }: { db: Database; clock: Clock },
  importId: string,
  { force = false }: { force?: boolean } = {},
): Promise<void> {
  const now = clock.now()
  return changeImport(db, importId, now, (row) => {
    const state = row.state as ImportState
    if (!isOver(state)) return null
    if (endedByProvider(state)) requireForced(row, force)
    const set = {
      ...(endedByProvider(state) && forgottenOutcome(row, now)),
      state: 'pending',
      lostReason: null,
      attention: null,
      finishedAt: null,
      lastError: null,
      refusedSince: null,
      heldOutcome: null,
      // The time that nobody asked would pass for one without progress.
      progressChanges: [],
      resumedAt: now,
      deadlineAt: after(now, row.deadlineMs),
    }
    const prepare = async (tx: Transaction) => {
      await requireConnection(tx, row.connectionId)
      await reopenMonthOf(tx, row.id, now)
      const open = await openSnapshot(tx, row)
      await startPolling(tx, [{ ...row, ...(open && { seen: open.polls, seenAt: open.lastSeenAt }), dueAt: now }])
      return open ? {} : { snapshotId: null, fingerprint: null }
    }
    return { set, event: 'import.resumed', prepare }
  })
}

function requireForced({ id, state, jobId }: ImportRow, force: boolean): void {
  if (!force)
    throw new AppError(
      'conflict',
      `The provider has ended the import (${state}). Lost and stopped ones can be resumed; {"force": true} tracks this one again, too.`,
    )
  if (jobId === inlineJobId(id))
    throw new AppError('conflict', 'The import came with its result: there is no job to ask about.')
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

/** The snapshot that goes on; none where it went with its month. */
async function openSnapshot(tx: Transaction, { id, snapshotId }: ImportRow) {
  if (snapshotId === null) return undefined
  const [open] = await tx
    .select({ polls: snapshots.polls, lastSeenAt: snapshots.lastSeenAt })
    .from(snapshots)
    .where(and(eq(snapshots.importId, id), eq(snapshots.id, snapshotId)))
  return open
}
