// Owns resuming an import that is over: polling begins again, with a deadline as long as the first one. If the provider
// ended the import, the resume has to be forced.

import { and, eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Acting } from '../actions/write.ts'
import { AppError } from '../api/refusal.ts'
import { after, type Clock } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, snapshots } from '../db/schema/index.ts'
import { reopenMonthOf } from '../history/reopen.ts'
import { endedByProvider, type ImportState, isOver } from '../model/import-state.ts'
import { type Change, changeImport } from './change.ts'
import type { ImportRow } from './columns.ts'
import { forgottenOutcome } from './earlier-run.ts'
import { startPolling } from './polling-row.ts'
import { inlineJobId } from './register.ts'

export const resumeSchema = z
  .strictObject({
    force: z
      .boolean()
      .default(false)
      .describe('Also resumes an import that the provider has ended, because its job runs again. The history stays.'),
  })
  .meta({ id: 'ResumeImport' })

/**
 * Resumes tracking. A live import stays as it is.
 * @throws {AppError} `not_found`; `conflict` if the provider ended the import and it isn't forced, if there is no job
 * to poll, or if the connection is deleted; `unavailable` while the month of its history is being dropped.
 */
export function resumeImport(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  importId: string,
  { force = false }: { force?: boolean } = {},
): Promise<void> {
  const now = clock.now()
  return changeImport({ db, by }, importId, now, (row) => resuming(row, { now, force }))
}

/** @throws {AppError} `conflict` if the provider ended the import and it isn't forced, or if there is no job to poll. */
export function resuming(row: ImportRow, { now, force }: { now: Date; force: boolean }): Change | null {
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
    // The time without polls would count as time without progress.
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
  return { set, event: 'import.resumed', verb: 'import.resume', details: force ? { force } : null, prepare }
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

/** Without its connection the import couldn't be polled. The lock keeps the connection from being deleted meanwhile. */
async function requireConnection(tx: Transaction, id: string): Promise<void> {
  const [row] = await tx
    .select({ deletedAt: connections.deletedAt })
    .from(connections)
    .where(eq(connections.id, id))
    .for('key share')
  if (row?.deletedAt) throw new AppError('conflict', 'The connection of the import is deleted.')
}

/**
 * Returns the open snapshot, which the next equal report extends. Returns undefined if it was dropped with its month.
 */
async function openSnapshot(tx: Transaction, { id, snapshotId }: ImportRow) {
  if (snapshotId === null) return undefined
  const [open] = await tx
    .select({ polls: snapshots.polls, lastSeenAt: snapshots.lastSeenAt })
    .from(snapshots)
    .where(and(eq(snapshots.importId, id), eq(snapshots.id, snapshotId)))
  return open
}
