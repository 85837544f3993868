// Owns storing the polls that change no state: the same report again, or a poll that failed. Many imports go into
// one statement, since this is what nearly every poll ends in. A poll that writes an event is stored alone.
import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { imports, type StoredHeldOutcome, type StoredPollError } from '../db/schema/index.ts'
import type { Attention, AttentionEventType, ImportState } from '../model/import-state.ts'
import { insertFailedCalls } from '../reporting/failed-calls.ts'
import { type Observation, type RecordResult, toldWith } from './record.ts'
import { type ConnectionOfImport, writeImportEvents } from './transition.ts'

export interface UnchangedPoll extends Observation {
  /** The report was seen once more; false: there was no report. */
  sameReport: boolean
  nextPollAt: Date
  attention: Attention | null
  pollFailures: number
  notFoundPolls: number
  notFoundSince: Date | null
  heldOutcome: StoredHeldOutcome | null
  lastError: StoredPollError | null
}

/** Records polls of different imports. Of one whose import has moved on in the meantime, nothing is stored. */
export async function recordUnchanged(db: Database | Transaction, polls: readonly UnchangedPoll[]): Promise<void> {
  const column = <Value>(read: (poll: UnchangedPoll) => Value) => sql.param(polls.map(read))
  const ids = polls.map(({ importId }) => importId).sort()
  const counting = polls.some(({ failedCall }) => failedCall !== null)
    ? sql`, counted AS (${insertFailedCalls(sql`updated WHERE call IS NOT NULL`)})`
    : sql``
  await db.execute(sql`
    WITH poll AS (
      SELECT * FROM unnest(
        ${column((p) => p.importId)}::uuid[],
        ${column((p) => p.expectedPolls)}::int[],
        ${column((p) => p.polledAt.toISOString())}::timestamptz[],
        ${column((p) => p.nextPollAt.toISOString())}::timestamptz[],
        ${column((p) => p.sameReport)}::boolean[],
        ${column((p) => p.attention)}::text[],
        ${column((p) => p.pollFailures)}::int[],
        ${column((p) => p.notFoundPolls)}::int[],
        ${column((p) => p.notFoundSince?.toISOString() ?? null)}::timestamptz[],
        ${column((p) => p.heldOutcome && JSON.stringify(p.heldOutcome))}::text[],
        ${column((p) => p.lastError && JSON.stringify(p.lastError))}::text[],
        ${column((p) => p.failedCall?.call ?? null)}::text[],
        ${column((p) => p.failedCall?.code ?? null)}::text[]
      ) AS t (
        import_id, expected_polls, polled_at, next_poll_at, same_report, attention, failures, not_found, not_found_since,
        held_outcome, last_error, call, code
      )
    ), updated AS (
      UPDATE imports i SET
        polls = i.polls + 1,
        first_polled_at = coalesce(i.first_polled_at, poll.polled_at),
        last_polled_at = poll.polled_at,
        next_poll_at = poll.next_poll_at,
        poll_lease_until = NULL,
        attention = poll.attention,
        poll_failures = poll.failures,
        not_found_polls = poll.not_found,
        not_found_since = poll.not_found_since,
        held_outcome = poll.held_outcome::jsonb,
        last_error = poll.last_error::jsonb,
        refused_since = CASE WHEN NOT poll.same_report THEN i.refused_since END
      FROM poll
      WHERE i.id = poll.import_id AND i.polls = poll.expected_polls AND i.next_poll_at IS NOT NULL
      RETURNING i.id, i.connection_id, i.snapshot_id, poll.polled_at AS at, poll.same_report, poll.call, poll.code
    )${counting}
    UPDATE snapshots s SET last_seen_at = updated.at, polls = s.polls + 1
    FROM updated WHERE updated.same_report AND s.import_id = updated.id AND s.id = updated.snapshot_id
      AND s.import_id BETWEEN ${ids[0]}::uuid AND ${ids.at(-1)}::uuid -- so that other months aren't even planned for`)
}

/** A poll that changes no state, but after which the import shows another attention, which its event tells. */
export interface RaisedAttention extends UnchangedPoll {
  connection: ConnectionOfImport
  from: ImportState
  attentionEvent: AttentionEventType
}

/** Records one such poll and its event, in one transaction. */
export function recordRaised(db: Database, poll: RaisedAttention): Promise<RecordResult> {
  const { importId, connection, attentionEvent } = poll
  return db.transaction(async (tx): Promise<RecordResult> => {
    const [seen] = await tx
      .select({ id: imports.id })
      .from(imports)
      .where(
        and(
          eq(imports.id, importId),
          eq(imports.polls, poll.expectedPolls),
          eq(imports.state, poll.from),
          isNotNull(imports.nextPollAt),
        ),
      )
      .for('no key update')
    if (!seen) return { kind: 'stale' }
    await recordUnchanged(tx, [poll])
    const attentionsTold = toldWith(attentionEvent)
    const [row] = await tx.update(imports).set({ attentionsTold }).where(eq(imports.id, importId)).returning()
    if (row) await writeImportEvents(tx, row, connection, [attentionEvent], poll.polledAt)
    return { kind: 'recorded', collect: false, events: [attentionEvent] }
  })
}
