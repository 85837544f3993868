// Owns stopping an import on a caller's word. The provider isn't told, and its job goes on.

import type { Acting } from '../actions/write.ts'
import { AppError } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { type ImportState, isOver } from '../model/import-state.ts'
import { type Change, changeImport } from './change.ts'
import type { ImportRow } from './columns.ts'
import { endedCollection } from './earlier-run.ts'
import { endPolling } from './polling-row.ts'

/** Ends polling. A stopped import stays as it is. @throws {AppError} `not_found`; `conflict` if it is over. */
export function stopImport(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  importId: string,
): Promise<void> {
  const now = clock.now()
  return changeImport({ db, by }, importId, now, (row) => stopping(row, now))
}

/** @throws {AppError} `conflict` if the import is over. */
export function stopping({ id, state, nextCollectAt }: ImportRow, now: Date): Change | null {
  if (state === 'stopped') return null
  if (isOver(state as ImportState))
    throw new AppError('conflict', `The import is over (${state}); there is nothing to stop.`)
  const set = {
    state: 'stopped',
    attention: null,
    heldOutcome: null,
    finishedAt: now,
    ...(nextCollectAt !== null && endedCollection('stopped', now)),
  }
  const prepare = async (tx: Transaction) => {
    await endPolling(tx, id)
    return {}
  }
  return { set, event: 'import.stopped', verb: 'import.stop', prepare }
}
