// Owns storing polls that changed no report, many imports in one statement: most of them write one narrow row each.
import { sql } from 'drizzle-orm'
import { arrayLiteral, textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import type { StoredHeldOutcome, StoredPollError } from '../db/schema/index.ts'
import type { Attention, AttentionEventType } from '../model/import-state.ts'
import { countFailedCalls } from '../reporting/failed-calls.ts'
import { type Foreseen, type Observation, type Stored, stillAsAsked } from './observation.ts'
import { toldOnce } from './report-columns.ts'
import { type Happened, writeImportEvents } from './transition.ts'

/** A poll that saw the same report again, or failed. */
export interface UnchangedPoll extends Observation {
  /** True: the poll saw the report again. False: the poll failed. */
  sameReport: boolean
  dueAt: Date
  /** The gap that the policy wanted until then, in milliseconds. */
  wantedMs?: number | null
  /** Absent: nothing is known. */
  foreseen?: Foreseen | null
  failures: number
  notFounds: number
  notFoundSince: Date | null
  /** The changes to the import's own row. Null: none, as after nearly every poll. */
  note: Note | null
}

export interface Note {
  attention: Attention | null
  attentionEvent: AttentionEventType | null
  heldOutcome: StoredHeldOutcome | null
  lastError: StoredPollError | null
}

/**
 * Records polls that change no report. The caller may let them not wait for the disk, because lost polls can be made
 * again.
 */
export async function recordUnchanged(tx: Transaction, polls: readonly UnchangedPoll[]): Promise<Stored> {
  if (polls.length === 0) return { ids: new Set(), hasEvents: false, collects: false }
  const noted = await storeNotes(tx, polls)
  const counted = polls.filter(({ importId, note }) => note === null || noted.has(importId))
  const ids = await countPolls(tx, counted)
  await countFailedCalls(
    tx,
    polls.filter(({ importId }) => ids.has(importId)),
  )
  const raised = counted.flatMap(({ importId, note, polledAt }): Happened[] =>
    note?.attentionEvent && ids.has(importId) ? [{ importId, types: [note.attentionEvent], at: polledAt }] : [],
  )
  await writeImportEvents(tx, raised)
  return { ids, hasEvents: raised.length > 0, collects: false }
}

/** Returns the ids of the imports that hadn't moved on since their polls began. */
async function storeNotes(tx: Transaction, polls: readonly UnchangedPoll[]): Promise<Set<string>> {
  const rows = polls.flatMap(({ importId, expectedPolls, from, sameReport, note }) =>
    note === null
      ? []
      : {
          id: importId,
          expected_polls: expectedPolls,
          from,
          same_report: sameReport,
          attention: note.attention,
          told: toldOnce(note.attentionEvent),
          held_outcome: note.heldOutcome,
          last_error: note.lastError,
        },
  )
  if (rows.length === 0) return new Set()
  const { rows: noted } = await tx.execute<{ id: string }>(sql`
    /* record.notes */
    WITH change AS MATERIALIZED (
      SELECT * FROM json_to_recordset(${JSON.stringify(rows)}::json) AS change (
        id uuid, expected_polls int, "from" text, same_report boolean, attention text, told text, held_outcome jsonb, last_error jsonb
      )
    ), ${stillAsAsked}
    UPDATE imports i SET
      attention = c.attention,
      attentions_told = CASE WHEN c.told IS NULL THEN i.attentions_told ELSE array_append(i.attentions_told, c.told) END,
      held_outcome = c.held_outcome,
      last_error = c.last_error,
      refused_since = CASE WHEN NOT c.same_report THEN i.refused_since END
    FROM change c JOIN asked ON asked.import_id = c.id
    WHERE i.id = c.id
    RETURNING i.id`)
  return new Set(noted.map(({ id }) => id))
}

/** Returns the ids of the imports that hadn't moved on since their polls began. */
async function countPolls(tx: Transaction, polls: readonly UnchangedPoll[]): Promise<Set<string>> {
  const numbers = (read: (poll: UnchangedPoll) => number | boolean | null) => arrayLiteral(polls.map(read))
  const { rows } = await tx.execute<{ id: string }>(sql`
    /* record.unchanged */
    UPDATE polling p SET
      due_at = to_timestamp(c.due_ms / 1000), wanted_ms = c.wanted_ms, eta_ms = c.eta_ms, eta_earliest_ms = c.eta_earliest_ms,
      eta_latest_ms = c.eta_latest_ms, overdue_at = to_timestamp(c.overdue_ms / 1000), polls = p.polls + 1, failures = c.failures, not_founds = c.not_founds,
      not_found_since = to_timestamp(c.not_found_ms / 1000),
      first_polled_at = coalesce(p.first_polled_at, to_timestamp(c.at_ms / 1000)), last_polled_at = to_timestamp(c.at_ms / 1000),
      seen = CASE WHEN c.same_report THEN p.seen + 1 ELSE p.seen END,
      seen_at = CASE WHEN c.same_report THEN to_timestamp(c.at_ms / 1000) ELSE p.seen_at END
    FROM unnest(
      ${textArrayLiteral(polls.map(({ importId }) => importId))}::uuid[],
      ${numbers(({ expectedPolls }) => expectedPolls)}::int[],
      ${numbers(({ polledAt }) => polledAt.getTime())}::float8[],
      ${numbers(({ dueAt }) => dueAt.getTime())}::float8[],
      ${numbers(({ wantedMs = null }) => wantedMs)}::int[],
      ${numbers(({ foreseen }) => foreseen?.etaMs ?? null)}::int[],
      ${numbers(({ foreseen }) => foreseen?.etaEarliestMs ?? null)}::int[],
      ${numbers(({ foreseen }) => foreseen?.etaLatestMs ?? null)}::int[],
      ${numbers(({ foreseen }) => foreseen?.overdueAt?.getTime() ?? null)}::float8[],
      ${numbers(({ sameReport }) => sameReport)}::boolean[],
      ${numbers(({ failures }) => failures)}::int[],
      ${numbers(({ notFounds }) => notFounds)}::int[],
      ${numbers(({ notFoundSince }) => notFoundSince?.getTime() ?? null)}::float8[]
    ) AS c (id, expected_polls, at_ms, due_ms, wanted_ms, eta_ms, eta_earliest_ms, eta_latest_ms, overdue_ms, same_report, failures, not_founds, not_found_ms)
    WHERE p.import_id = c.id AND p.polls = c.expected_polls
    RETURNING p.import_id AS id`)
  return new Set(rows.map(({ id }) => id))
}
