// Owns the row in `polling` of a live import, from the begin to the end of tracking. record.ts owns its changes by
// polls.
import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { imports, polling, type StoredPollError } from '../db/schema/index.ts'
import { liveStates } from '../model/import-state.ts'

/** An import whose tracking begins. Absent fields have no value yet. */
export interface StartedImport {
  id: string
  connectionId: string
  dueAt: Date
  polls?: number
  firstPolledAt?: Date | null
  lastPolledAt?: Date | null
  /** How many polls saw the open snapshot's report. Absent: no snapshot is open. */
  seen?: number
  seenAt?: Date | null
}

/** Begins polling these imports. */
export async function startPolling(tx: Transaction, started: readonly StartedImport[]): Promise<void> {
  if (started.length === 0) return
  const column = (read: (one: StartedImport) => unknown) => sql.param(started.map(read))
  await tx.execute(sql`
    /* polling.start */
    INSERT INTO polling (import_id, connection_id, due_at, polls, first_polled_at, last_polled_at, seen, seen_at)
    SELECT * FROM unnest(
      ${column(({ id }) => id)}::uuid[],
      ${column(({ connectionId }) => connectionId)}::uuid[],
      ${column(({ dueAt }) => dueAt)}::timestamptz[],
      ${column(({ polls = 0 }) => polls)}::int[],
      ${column(({ firstPolledAt = null }) => firstPolledAt)}::timestamptz[],
      ${column(({ lastPolledAt = null }) => lastPolledAt)}::timestamptz[],
      ${column(({ seen = 0 }) => seen)}::int[],
      ${column(({ seenAt = null }) => seenAt)}::timestamptz[]
    )`)
}

/**
 * Makes a live import's next poll due at this moment. A poll that is under way sets the time of the next one itself.
 */
export async function pollAt(tx: Transaction, importId: string, dueAt: Date): Promise<void> {
  await tx.update(polling).set({ dueAt }).where(eq(polling.importId, importId))
}

/**
 * Makes a live import's next poll due by this moment, if a scarce budget has put it off for longer. It is never due sooner
 * than the policy wanted it.
 */
export async function pollBy(tx: Transaction, importId: string, at: Date): Promise<void> {
  const wantedAt = sql`${polling.lastPolledAt} + ${polling.wantedMs} * interval '1 millisecond'`
  await tx
    .update(polling)
    .set({ dueAt: sql`least(${polling.dueAt}, greatest(${at}::timestamptz, ${wantedAt}))` })
    .where(and(eq(polling.importId, importId), isNotNull(polling.lastPolledAt)))
}

/** Puts off a live import's poll because its result couldn't be stored, and says so on the import. */
export async function putOffPoll(
  tx: Transaction,
  importId: string,
  { at, dueAt }: { at: Date; dueAt: Date },
): Promise<void> {
  const lastError: StoredPollError = {
    code: 'not_stored',
    message: 'What the provider answered could not be stored; the log says why.',
    at: at.toISOString(),
  }
  await tx.update(imports).set({ lastError }).where(eq(imports.id, importId))
  await pollAt(tx, importId, dueAt)
}

/**
 * Ends polling a live import, and writes its polls to its own row and to the open snapshot. The caller has locked the
 * import's row.
 */
export async function endPolling(tx: Transaction, importId: string): Promise<void> {
  await tx.execute(sql`
    /* polling.end */
    WITH ended AS (DELETE FROM polling WHERE import_id = ${importId} RETURNING *),
    closed AS (
      UPDATE snapshots SET polls = ended.seen, last_seen_at = ended.seen_at
      FROM ended JOIN imports ON imports.id = ended.import_id
      WHERE snapshots.import_id = ${importId} AND snapshots.id = imports.snapshot_id AND ended.seen > 1
    )
    UPDATE imports SET
      polls = ended.polls, first_polled_at = ended.first_polled_at, last_polled_at = ended.last_polled_at
    FROM ended WHERE id = ended.import_id`)
}

/** Begins polling live imports again whose rows were deleted. The counts of their last polls are lost. */
export async function mendPolling(tx: Transaction, now: Date): Promise<void> {
  await tx.execute(sql`
    /* polling.mend */
    INSERT INTO polling (import_id, connection_id, due_at, polls, first_polled_at, last_polled_at, seen, seen_at)
    SELECT i.id, i.connection_id, ${now}, i.polls, i.first_polled_at, i.last_polled_at, coalesce(s.polls, 0), s.last_seen_at
    FROM imports i LEFT JOIN snapshots s ON s.import_id = i.id AND s.id = i.snapshot_id
    WHERE i.state = ANY(${sql.param(liveStates)}::text[]) AND NOT EXISTS (SELECT FROM polling WHERE import_id = i.id)
    FOR NO KEY UPDATE OF i SKIP LOCKED
    ON CONFLICT DO NOTHING`)
}
