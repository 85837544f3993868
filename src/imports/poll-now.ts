// Owns polling an import at once. The connection's block, pause and budget still hold.

import type { Acting } from '../actions/write.ts'
import { AppError } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { type ImportState, isOver } from '../model/import-state.ts'
import { type Change, changeImport } from './change.ts'
import type { ImportRow } from './columns.ts'
import { pollAt } from './polling-row.ts'

/** @throws {AppError} `not_found`; `conflict` if the import is over. */
export function pollNow({ db, clock, by }: { db: Database; clock: Clock } & Acting, importId: string): Promise<void> {
  const now = clock.now()
  return changeImport({ db, by }, importId, now, (row) => pollingNow(row, now))
}

/** @throws {AppError} `conflict` if the import is over. */
export function pollingNow({ id, state }: ImportRow, now: Date): Change {
  if (isOver(state as ImportState))
    throw new AppError('conflict', `The import is over (${state}); there is nothing to poll.`)
  const prepare = async (tx: Transaction) => {
    await pollAt(tx, id, now)
    return {}
  }
  return { set: {}, event: null, verb: 'import.poll', prepare }
}
