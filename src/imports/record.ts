// Owns storing reports that changed, many imports in one statement, with their events, deliveries and rows. end.ts owns
// ends that no report brings.
import { sql } from 'drizzle-orm'
import { newId } from '../base/ids.ts'
import type { Transaction } from '../db/client.ts'
import type { MovingFields, StoredHeldOutcome, StoredPollError } from '../db/schema/index.ts'
import {
  type Attention,
  type AttentionEventType,
  eventOf,
  type ImportEventType,
  type ImportState,
  isOver,
  type LostReason,
} from '../model/import-state.ts'
import { firstPage, type StatusAnswer } from '../providers/contract.ts'
import { countFailedCalls } from '../reporting/failed-calls.ts'
import { dropEarlierRows } from './earlier-run.ts'
import { type Foreseen, type Observation, type Ran, type Stored, stillAsAsked } from './observation.ts'
import { storePage } from './pages.ts'
import { beginsRows, changedColumns, changedRow } from './report-columns.ts'
import { type Happened, writeImportEvents } from './transition.ts'

/** A report that differs from the last one. */
export interface ChangedReport extends Observation {
  answer: StatusAnswer
  fingerprint: string
  /** The known moving fields of the body. Absent: none are known. */
  movingFields?: MovingFields | null
  /** By how many milliseconds the provider's clock is ahead. Absent: 0. */
  clockAheadMs?: number
  to: ImportState
  lostReason: LostReason | null
  attention: Attention | null
  /** The event that the attention writes, if the import comes to show it by this report. */
  attentionEvent: AttentionEventType | null
  /** The outcome that polling asks for again. Null: there is none, or it is final. */
  heldOutcome: StoredHeldOutcome | null
  /** The error that names the outcome's gap. Null: there is none. */
  lastError: StoredPollError | null
  /** True: an earlier answer had rows of this outcome, or said that there are some. */
  hadDetails?: boolean
  /** Whether its rows are collected before it is over, from this report on or from an earlier one on. */
  awaitsRows?: 'from_now' | 'already' | null
  progressChanges: [number, number][]
  /** If the import is over: how long it ran. Absent: nobody can know. */
  ran?: Ran
  /** When the next poll is due. Null: the import is over. */
  dueAt: Date | null
  /** The gap that the policy wanted until then, in milliseconds. */
  wantedMs?: number | null
  /** Absent: nothing is known. */
  foreseen?: Foreseen | null
  /** 0 for an answer that came inline instead of by a poll. */
  polls: 0 | 1
}

/** Records changed reports. */
export async function recordReports(tx: Transaction, changes: readonly ChangedReport[]): Promise<Stored> {
  if (changes.length === 0) return { ids: new Set(), hasEvents: false, collects: false }
  const collecting = await storeReports(tx, changes)
  const stored = changes.filter(({ importId }) => collecting.has(importId))
  await countFailedCalls(tx, stored)
  const ended = stored.filter(beginsRows)
  await dropEarlierRows(
    tx,
    ended.map(({ importId }) => importId),
  )
  for (const { importId, answer, polledAt } of ended)
    if (answer.details !== null && answer.details.next !== firstPage)
      await storePage(tx, { importId, page: 0, cursor: null, details: answer.details }, polledAt)
  const happened = stored.map((change): Happened => {
    const types = eventsOf(change, collecting.get(change.importId) ?? '')
    return { importId: change.importId, types, at: change.polledAt }
  })
  await writeImportEvents(tx, happened)
  return {
    ids: new Set(collecting.keys()),
    hasEvents: happened.some(({ types }) => types.length > 0),
    collects: [...collecting.values()].includes('pending'),
  }
}

function eventsOf({ from, to, attentionEvent, answer }: ChangedReport, detailsState: string): ImportEventType[] {
  const events: ImportEventType[] = from === to ? [] : [eventOf(to)]
  if (attentionEvent) events.push(attentionEvent)
  if (!isOver(to) || to === 'lost') return events
  if (answer.details !== null && detailsState === 'complete') events.push('import.rows_collected')
  if (detailsState === 'incomplete') events.push('import.rows_incomplete')
  return events
}

/** Stores the reports. Returns the details' states of the stored imports, by id. */
async function storeReports(tx: Transaction, changes: readonly ChangedReport[]): Promise<Map<string, string>> {
  const ordered = changes.toSorted((a, b) => (a.importId < b.importId ? -1 : 1))
  const rows = ordered.map((change) => changedRow(change, newId()))
  const { rows: stored } = await tx.execute<{ id: string; detailsState: string }>(sql`
    /* record.reports */
    WITH change AS MATERIALIZED (
      SELECT * FROM json_to_recordset(${JSON.stringify(rows)}::json) AS change (${sql.raw(changedColumns)})
    ), ${stillAsAsked}, stored AS (
      UPDATE imports i SET
        state = c.state,
        lost_reason = c.lost_reason,
        attention = c.attention,
        attentions_told = CASE WHEN c.told IS NULL THEN i.attentions_told ELSE array_append(i.attentions_told, c.told) END,
        provider_status = coalesce(c.provider_status, i.provider_status),
        message = c.message,
        ${sql.join(figures.map(figure), sql`, `)},
        provider_created_at = coalesce(c.created_at, i.provider_created_at),
        provider_started_at = coalesce(c.started_at, i.provider_started_at),
        provider_finished_at = coalesce(c.finished_at, i.provider_finished_at),
        provider_expires_at = coalesce(c.expires_at, i.provider_expires_at),
        provider_clock_ahead_ms = c.clock_ahead,
        polls = CASE WHEN c.over THEN p.polls + c.counted ELSE i.polls END,
        first_polled_at = CASE WHEN c.over THEN coalesce(p.first_polled_at, CASE WHEN c.counted > 0 THEN c.at END) END,
        last_polled_at = CASE WHEN c.over THEN CASE WHEN c.counted > 0 THEN c.at ELSE p.last_polled_at END END,
        finished_at = CASE WHEN c.over THEN c.at END,
        ran_ms = c.ran,
        detection_gap_ms = c.detection_gap,
        held_outcome = c.held_outcome,
        last_error = c.last_error,
        refused_since = NULL,
        progress_changes = c.progress_changes,
        snapshot_id = c.snapshot_id,
        fingerprint = c.fingerprint,
        moving_fields = c.moving_fields,
        details_state = CASE WHEN c.tells_details THEN c.details_state ELSE i.details_state END,
        details_error = CASE WHEN c.tells_details THEN c.details_error ELSE i.details_error END,
        next_collect_at = CASE WHEN c.tells_details THEN c.next_collect_at ELSE i.next_collect_at END,
        rows_announced = CASE WHEN c.tells_details THEN c.rows_announced ELSE i.rows_announced END
      FROM change c JOIN asked p ON p.import_id = c.id
      WHERE i.id = c.id
      RETURNING i.id, i.details_state, p.snapshot_id AS closed_id, p.seen, p.seen_at
    ), closed AS (
      UPDATE snapshots s SET polls = stored.seen, last_seen_at = stored.seen_at FROM stored
      WHERE s.import_id = stored.id AND s.id = stored.closed_id AND stored.seen > 1
        AND s.import_id BETWEEN ${ordered[0]?.importId}::uuid AND ${ordered.at(-1)?.importId}::uuid -- so that other months aren't even planned for
    ), opened AS (
      INSERT INTO snapshots (id, import_id, state, provider_status, progress, message, rows, body, first_seen_at, last_seen_at, polls)
      SELECT c.snapshot_id, c.id, c.state, c.provider_status, c.progress, c.message, c.rows, c.body, c.at, c.at, 1
      FROM change c JOIN stored ON stored.id = c.id
    ), moved AS (
      UPDATE polling p SET
        due_at = c.due_at, wanted_ms = c.wanted_ms, eta_ms = c.eta_ms, eta_earliest_ms = c.eta_earliest_ms,
        eta_latest_ms = c.eta_latest_ms, overdue_at = c.overdue_at, polls = p.polls + c.counted, failures = 0, not_founds = 0, not_found_since = NULL,
        first_polled_at = CASE WHEN c.counted > 0 THEN coalesce(p.first_polled_at, c.at) ELSE p.first_polled_at END,
        last_polled_at = CASE WHEN c.counted > 0 THEN c.at ELSE p.last_polled_at END,
        seen = 1, seen_at = c.at
      FROM change c JOIN stored ON stored.id = c.id WHERE p.import_id = c.id AND NOT c.over
    ), ended AS (
      DELETE FROM polling p USING change c JOIN stored ON stored.id = c.id WHERE p.import_id = c.id AND c.over
    )
    SELECT id, details_state AS "detailsState" FROM stored`)
  return new Map(stored.map(({ id, detailsState }) => [id, detailsState]))
}

const figures = [
  'progress',
  'rows_total',
  'rows_processed',
  'rows_succeeded',
  'rows_failed',
  'rows_inserted',
  'rows_updated',
  'rows_skipped',
]

/**
 * A value that the report leaves out stays as it was known. Figures are the exception if the report tells an outcome:
 * older figures aren't those of the end.
 */
function figure(name: string) {
  return sql.raw(`${name} = CASE WHEN c.is_final THEN c.${name} ELSE coalesce(c.${name}, i.${name}) END`)
}
