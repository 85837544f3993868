// Owns resuming an import that was lost or stopped: it is asked about again, with a deadline as long as its first one.
import { after, type Clock } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { AppError } from '../errors.ts'
import { reopenMonthOf } from '../reporting/reopen.ts'
import { changeImport } from './change.ts'
import { canFollow, type ImportState, isOver } from './state.ts'

/** Resumes tracking. A live import stays as it is. @throws {AppError} not_found; conflict when the provider ended it; unavailable. */
export function resumeImport({ db, clock }: { db: Database; clock: Clock }, importId: string): Promise<void> {
  const now = clock.now()
  return changeImport(db, importId, now, ({ state, deadlineMs }) => {
    if (!isOver(state as ImportState)) return null
    if (!canFollow(state as ImportState, 'pending'))
      throw new AppError(
        'conflict',
        `The provider has ended the import (${state}); only lost and stopped ones can be resumed.`,
      )
    const set = {
      state: 'pending',
      lostReason: null,
      finishedAt: null,
      lastError: null,
      pollFailures: 0,
      notFoundPolls: 0,
      deadlineAt: after(now, deadlineMs),
      nextPollAt: now,
    }
    return { set, event: 'import.resumed', prepare: (tx) => withHistory(tx, importId, now) }
  })
}

/** Makes room for its history, where its month was dropped; then there is no snapshot that a report could extend. */
async function withHistory(tx: Transaction, importId: string, now: Date) {
  const gone = await reopenMonthOf(tx, importId, now)
  return gone.includes('snapshots') ? { snapshotId: null, fingerprint: null } : {}
}
