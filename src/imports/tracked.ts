// Owns the fields of an import that polling needs: as a list of columns, and as the object made from a row of them.
import { type SQL, sql } from 'drizzle-orm'
import type { MovingFields, StoredHeldOutcome } from '../db/schema/index.ts'
import type { Attention, ImportState } from '../model/import-state.ts'
import type { ReadRows } from './rows-read.ts'

/** A live import at the begin of a poll. */
export interface TrackedImport {
  id: string
  connectionId: string
  jobId: string
  /** Where the provider said that the next poll goes. Null: where its job id says. */
  pollUrl: string | null
  state: ImportState
  attention: Attention | null
  attentionsTold: string[]
  /** When this poll was due. */
  dueAt: Date
  polls: number
  failures: number
  notFounds: number
  notFoundSince: Date | null
  registeredAt: Date
  resumedAt: Date | null
  deadlineAt: Date
  providerCreatedAt: Date | null
  providerStartedAt: Date | null
  providerExpiresAt: Date | null
  heldOutcome: StoredHeldOutcome | null
  /** What was read of the rows that tell its outcome. Absent: it doesn't await any, or goes on awaiting them. */
  rowsRead?: ReadRows
  /** True: the last poll failed, or the outcome lacks something. */
  hasError: boolean
  /** True: the provider refuses calls about it. */
  isRefused: boolean
  snapshotId: string | null
  fingerprint: string | null
  movingFields: MovingFields | null
  progressChanges: [number, number][]
  /** When a poll last saw the report of the open snapshot. */
  seenAt: Date | null
  /** Null: the connection tells no kinds of imports apart. */
  metadata: Record<string, unknown> | null
}

/**
 * Columns of `imports i` and its row `polling p`. Times are read as numbers, which is much faster than as texts.
 * @param needsMetadata SQL for whether the connection tells kinds of imports apart by their metadata.
 */
export function trackedColumns(needsMetadata: SQL): SQL {
  return sql`${columns}, CASE WHEN ${needsMetadata} THEN i.metadata END AS metadata`
}

const columns = sql.raw(`
  i.id, i.connection_id AS "connectionId", i.job_id AS "jobId", i.poll_url AS "pollUrl", i.state, i.attention, i.attentions_told AS "attentionsTold",
  ${ms('p.due_at')} AS "dueAt", p.polls, p.failures, p.not_founds AS "notFounds", ${ms('p.not_found_since')} AS "notFoundSince",
  ${ms('i.registered_at')} AS "registeredAt", ${ms('i.resumed_at')} AS "resumedAt", ${ms('i.deadline_at')} AS "deadlineAt",
  ${ms('i.provider_created_at')} AS "providerCreatedAt", ${ms('i.provider_started_at')} AS "providerStartedAt",
  ${ms('i.provider_expires_at')} AS "providerExpiresAt", i.held_outcome AS "heldOutcome",
  i.last_error IS NOT NULL AS "hasError", i.refused_since IS NOT NULL AS "isRefused", i.snapshot_id AS "snapshotId",
  i.fingerprint, i.moving_fields AS "movingFields", i.progress_changes AS "progressChanges",
  ${ms('p.seen_at')} AS "seenAt"`)

/** Returns SQL for milliseconds since the epoch. */
function ms(column: string): string {
  return `date_part('epoch', ${column}) * 1000`
}

type TimeKey = {
  [Key in keyof TrackedImport]-?: TrackedImport[Key] extends Date | null ? Key : never
}[keyof TrackedImport]

/** A row of `trackedColumns`. */
export type TrackedRow = Omit<TrackedImport, TimeKey> & Record<TimeKey, number | null>

export function trackedOf(row: TrackedRow): TrackedImport {
  return {
    ...row,
    dueAt: timeOf(row.dueAt) as Date,
    notFoundSince: timeOf(row.notFoundSince),
    registeredAt: timeOf(row.registeredAt) as Date,
    resumedAt: timeOf(row.resumedAt),
    deadlineAt: timeOf(row.deadlineAt) as Date,
    providerCreatedAt: timeOf(row.providerCreatedAt),
    providerStartedAt: timeOf(row.providerStartedAt),
    providerExpiresAt: timeOf(row.providerExpiresAt),
    seenAt: timeOf(row.seenAt),
  }
}

function timeOf(epochMs: number | null): Date | null {
  return epochMs === null ? null : new Date(Math.round(epochMs))
}
