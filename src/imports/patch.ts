// Owns changing what a client said about an import when it registered the import.
import { type Acting, givenFields } from '../actions/write.ts'
import { after, type Clock } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { changeImport } from './change.ts'
import type { ImportRow } from './columns.ts'
import { pollBy } from './polling-row.ts'

export interface ImportPatch {
  /** Replaces all metadata. */
  metadata?: Record<string, unknown> | undefined
  /** Counts from the registration, or from the last resume. */
  deadlineMs?: number | undefined
}

/** Changes the given fields. Writes no event, but later events show the change. @throws {AppError} not_found */
export function patchImport(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  importId: string,
  { metadata, deadlineMs }: ImportPatch,
): Promise<void> {
  return changeImport({ db, by }, importId, clock.now(), (row) => {
    const set = {
      ...(metadata !== undefined && { metadata }),
      ...(deadlineMs !== undefined && { deadlineMs, deadlineAt: after(trackedSince(row), deadlineMs) }),
    }
    if (Object.keys(set).length === 0) return null
    const prepare = async (tx: Transaction) => {
      if (set.deadlineAt !== undefined) await pollBy(tx, importId, set.deadlineAt)
      return {}
    }
    const details = { fields: givenFields({ metadata, deadlineMs }) }
    return { set, event: null, verb: 'import.change', details, prepare }
  })
}

/** Returns when the import was registered or last resumed. */
function trackedSince({ deadlineAt, deadlineMs }: ImportRow): Date {
  return after(deadlineAt, -deadlineMs)
}
