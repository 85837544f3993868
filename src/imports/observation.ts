// Owns what a poll saw of an import, and which imports are still as they were when their polls began. record.ts stores
// reports that changed, record-unchanged.ts polls that changed none.
//
// A transaction that changes an import locks its row before its row in `polling`. So two transactions never wait for
// each other in a circle.
import { sql } from 'drizzle-orm'
import type { ImportState } from '../model/import-state.ts'
import type { FailedCall } from '../reporting/failed-calls.ts'

/** When a poll was answered, and the import's version when the poll began. */
export interface Observation {
  importId: string
  /** The import's `polls` when the poll began. If another answer has been stored since, this one is dropped. */
  expectedPolls: number
  /** The import's state when the poll began. It is checked, too, because stopping and resuming count no polls. */
  from: ImportState
  polledAt: Date
  /** The call that failed. Null: none did. */
  failedCall: FailedCall | null
  /** `hasPages`: its provider has rows in pages of their own. */
  connection: { id: string; provider: string; hasPages: boolean }
}

/** In milliseconds, as `imports` keeps them. */
export interface Ran {
  ms: number | null
  detectionGapMs: number | null
}

/** What a poll foresees of a live import: its end, in milliseconds after the poll. Null: nothing is known. */
export interface Foreseen {
  etaMs: number | null
  etaEarliestMs: number | null
  etaLatestMs: number | null
  overdueAt: Date | null
}

/** The stored part of a round. Imports that had moved on meanwhile aren't in it. */
export interface Stored {
  ids: ReadonlySet<string>
  hasEvents: boolean
  /** True: rows are to be collected. */
  collects: boolean
}

/**
 * Of the rows in `change`, those whose imports are as they were asked about, locked: the import first, then its row in
 * `polling`. Whoever waited here for another answer to be stored sees that it was.
 */
export const stillAsAsked = sql`locked AS MATERIALIZED (
      SELECT i.id, i.snapshot_id FROM change c JOIN imports i ON i.id = c.id
      WHERE i.state = c."from" ORDER BY i.id FOR NO KEY UPDATE OF i
    ), asked AS MATERIALIZED (
      SELECT p.*, locked.snapshot_id FROM locked JOIN change c ON c.id = locked.id
        JOIN polling p ON p.import_id = c.id AND p.polls = c.expected_polls
      FOR UPDATE OF p
    )`
