// Owns an import as its events tell of it, for consumers: the API's own form (imports/present.ts), without its schema.

/** `lost` means that the tracker can't know how it ended; it never claims a failure. */
export type ImportState =
  | 'pending'
  | 'queued'
  | 'running'
  | 'succeeded'
  | 'partial'
  | 'failed'
  | 'canceled'
  | 'lost'
  | 'stopped'

export type LostReason = 'not_found' | 'expired' | 'unauthorized' | 'deadline' | 'archived'

/** Counts of rows as the provider says them; null is unknown, which is not 0. */
export interface Rows {
  total: number | null
  processed: number | null
  succeeded: number | null
  failed: number | null
  inserted: number | null
  updated: number | null
  skipped: number | null
}

/** Times are ISO 8601 in UTC; what is unknown is null. */
export interface Import {
  id: string
  /** The connection's name. */
  connection: string
  provider: string
  /** The provider's id of the job. */
  jobId: string
  state: ImportState
  lostReason: LostReason | null
  /**
   * What somebody should look at: `unmapped_status`, `forbidden`, `outcome_incomplete`, `budget`, `stalled` or
   * `overdue`; there may be more one day.
   */
  attention: string | null
  /** The provider's own word for the state. */
  providerStatus: string | null
  /** What the provider says for people. */
  message: string | null
  /** From 0 to 1. */
  progress: number | null
  rows: Rows
  /** How far its skipped lines and row results are stored. */
  details: {
    state: 'none' | 'pending' | 'collecting' | 'complete' | 'incomplete'
    skippedLines: number
    rowResults: number
    /** Why rows don't come. */
    lastError: { code: string; message: string; at: string } | null
  }
  providerCreatedAt: string | null
  providerStartedAt: string | null
  providerFinishedAt: string | null
  registeredAt: string
  firstPolledAt: string | null
  lastPolledAt: string | null
  /** Null: the import is over. */
  nextPollAt: string | null
  /** When the tracker saw that it is over. */
  finishedAt: string | null
  polls: number
  /** What went wrong at the last poll, or what its outcome lacks; null once a poll succeeds and shows all. */
  lastError: { code: string; message: string; at: string } | null
  /** As it was registered with. */
  metadata: Record<string, unknown>
}
