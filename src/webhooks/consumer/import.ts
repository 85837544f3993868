// Owns the type of an import in events, for consumers: the API's own form (imports/present.ts), without its schema.

/** `lost` means that the tracker can't know how the import ended. It never claims a failure. */
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

/** Counts of rows as the provider reports them. Null is unknown, which differs from 0. */
export interface Rows {
  total: number | null
  processed: number | null
  succeeded: number | null
  failed: number | null
  inserted: number | null
  updated: number | null
  skipped: number | null
}

/** Times are ISO 8601 in UTC. Unknown values are null. */
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
   * Why a person should look at the import: `unmapped_status`, `forbidden`, `outcome_incomplete`, `budget`, `stalled`
   * or `overdue`. Later versions may add others.
   */
  attention: string | null
  /** The provider's own word for the state. */
  providerStatus: string | null
  /** The provider's text for people. */
  message: string | null
  /** From 0 to 1. */
  progress: number | null
  rows: Rows
  /** How far its skipped lines and row results are stored. */
  details: {
    state: 'none' | 'pending' | 'collecting' | 'complete' | 'incomplete'
    skippedLines: number
    rowResults: number
    /** Why no rows come. */
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
  /** When the tracker saw that the import is over. */
  finishedAt: string | null
  polls: number
  /** The error of the last poll, or what the outcome lacks. Null once a poll succeeds and shows all. */
  lastError: { code: string; message: string; at: string } | null
  /** The metadata of the registration, or of a later change. */
  metadata: Record<string, unknown>
  /** Its page. Null: the service doesn't know the address of its pages. */
  url: string | null
}
