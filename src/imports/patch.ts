// Owns changing what a client said of an import when it registered it.
import { after, type Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { changeImport } from './change.ts'
import type { ImportRow } from './columns.ts'

export interface ImportPatch {
  /** Replaces all of it. */
  metadata?: Record<string, unknown> | undefined
  /** Counts from the registration, or from the last resume. */
  deadlineMs?: number | undefined
}

/** Changes what is given; the rest stays. Nobody is told: events from now on show it. @throws {AppError} not_found */
export function patchImport(
  { db, clock }: { db: Database; clock: Clock },
  importId: string,
  { metadata, deadlineMs }: ImportPatch,
): Promise<void> {
  return changeImport(db, importId, clock.now(), (row) => {
    const set = {
      ...(metadata !== undefined && { metadata }),
      ...(deadlineMs !== undefined && { deadlineMs, deadlineAt: after(trackedSince(row), deadlineMs) }),
    }
    return Object.keys(set).length === 0 ? null : { set, event: null }
  })
}

/** When it was registered, or resumed last. */
function trackedSince({ deadlineAt, deadlineMs }: ImportRow): Date {
  return after(deadlineAt, -deadlineMs)
}
