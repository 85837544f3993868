// Owns the changes that a report makes to its import and snapshot, as one JSON object for a statement to unpack. Pure.

import { storableJson } from '../base/storable-text.ts'
import type { StoredPollError } from '../db/schema/index.ts'
import { isOver } from '../model/import-state.ts'
import { tellsOutcome } from '../model/reported-state.ts'
import type { DetailPage } from '../providers/contract.ts'
import { reportAt } from './outcome.ts'
import { rowsMissing } from './pages.ts'
import type { ChangedReport } from './record.ts'

/** The columns of the JSON object, for `json_to_recordset`. */
export const changedColumns = `
  id uuid, expected_polls int, counted int, "from" text, at timestamptz, due_at timestamptz, wanted_ms int, eta_ms int, eta_earliest_ms int, eta_latest_ms int, overdue_at timestamptz, "over" boolean, is_final boolean,
  state text, lost_reason text, attention text, told text, provider_status text, message text, progress float8,
  rows_total bigint, rows_processed bigint, rows_succeeded bigint, rows_failed bigint, rows_inserted bigint,
  rows_updated bigint, rows_skipped bigint, created_at timestamptz, started_at timestamptz, finished_at timestamptz,
  expires_at timestamptz, clock_ahead bigint, snapshot_id uuid, fingerprint text, moving_fields jsonb, held_outcome jsonb,
  last_error jsonb, progress_changes jsonb, tells_details boolean, details_state text, details_error jsonb,
  next_collect_at timestamptz, rows_announced bigint, rows jsonb, body jsonb, ran bigint, detection_gap bigint`

export function changedRow(change: ChangedReport, snapshotId: string): Record<string, unknown> {
  const { answer, to, polledAt } = change
  const report = reportAt(to, answer.report)
  const over = isOver(to)
  const details = beginsRows(change) ? detailsOf(change) : null
  const { rows } = report
  return {
    id: change.importId,
    expected_polls: change.expectedPolls,
    counted: change.polls,
    from: change.from,
    at: polledAt,
    due_at: change.dueAt,
    wanted_ms: change.wantedMs ?? null,
    eta_ms: change.foreseen?.etaMs ?? null,
    eta_earliest_ms: change.foreseen?.etaEarliestMs ?? null,
    eta_latest_ms: change.foreseen?.etaLatestMs ?? null,
    overdue_at: change.foreseen?.overdueAt ?? null,
    over,
    is_final: tellsOutcome(report.state),
    state: to,
    lost_reason: change.lostReason,
    attention: change.attention,
    told: toldOnce(change.attentionEvent),
    provider_status: report.providerStatus,
    message: report.message,
    progress: report.progress,
    rows_total: rows.total,
    rows_processed: rows.processed,
    rows_succeeded: rows.succeeded,
    rows_failed: rows.failed,
    rows_inserted: rows.inserted,
    rows_updated: rows.updated,
    rows_skipped: details?.rowsSkipped ?? rows.skipped,
    created_at: report.createdAt,
    started_at: report.startedAt,
    finished_at: report.finishedAt,
    expires_at: report.expiresAt,
    clock_ahead: change.clockAheadMs ?? 0,
    snapshot_id: snapshotId,
    fingerprint: change.fingerprint,
    moving_fields: change.movingFields ?? null,
    held_outcome: change.heldOutcome,
    last_error: change.lastError,
    progress_changes: change.progressChanges,
    tells_details: details !== null,
    details_state: details?.state ?? null,
    details_error: details?.error ?? null,
    next_collect_at: details?.collectAt ?? null,
    rows_announced: details?.announced ?? null,
    rows,
    body: storableJson(report.body),
    ran: change.ran?.ms ?? null,
    detection_gap: change.ran?.detectionGapMs ?? null,
  }
}

/** Returns true if the rows of this report are the import's from now on. */
export function beginsRows({ to, awaitsRows }: Pick<ChangedReport, 'to' | 'awaitsRows'>): boolean {
  if (awaitsRows) return awaitsRows === 'from_now'
  return isOver(to) && to !== 'lost'
}

/** Returns the attention of this event if it is told once in the life of an import. Otherwise returns null. */
export function toldOnce(event: ChangedReport['attentionEvent']): string | null {
  return event === null || event === 'import.attention' ? null : event.slice('import.'.length)
}

/** The collection of an import that has just ended. */
export interface DetailsTold {
  state: 'none' | 'pending' | 'complete' | 'incomplete'
  error: StoredPollError | null
  /** When its first page is due. Null: none is. */
  collectAt: Date | null
  announced?: number | null
  rowsSkipped?: number
}

function detailsOf({ answer: { details }, connection, polledAt, lastError, hadDetails }: ChangedReport): DetailsTold {
  if (details !== null) return detailsGiven(details, polledAt)
  return hadDetails && lastError
    ? detailsToldBefore(connection, { polledAt, lastError })
    : { state: 'none', error: null, collectAt: null }
}

/** Rows that came with an earlier status can't be had any more. Rows with pages of their own may be. */
export function detailsToldBefore(
  { hasPages }: { hasPages: boolean },
  { polledAt, lastError }: { polledAt: Date; lastError: StoredPollError },
): DetailsTold {
  return hasPages
    ? { state: 'pending', error: null, collectAt: polledAt }
    : { state: 'incomplete', error: lastError, collectAt: null }
}

function detailsGiven(details: DetailPage, at: Date): DetailsTold {
  const given = details.skippedLines.length + details.rowResults.length
  const announced = details.announced ?? null
  if (details.next !== null) return { state: 'pending', error: null, collectAt: at, announced }
  // The provider has no pages for rows that come with the status.
  if (given < (announced ?? 0))
    return {
      state: 'incomplete',
      error: rowsMissing({ stored: given, announced: announced ?? 0 }, at),
      collectAt: null,
    }
  const rowsSkipped = details.skippedLines.length > 0 && { rowsSkipped: details.skippedLines.length }
  return { state: 'complete', error: null, collectAt: null, ...rowsSkipped }
}
