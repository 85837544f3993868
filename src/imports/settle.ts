// Owns ending an import by an outcome that was told and never shown whole, where no answer says it any more: the provider
// has forgotten the job meanwhile, or nobody may ask.
import { sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import type { StoredHeldOutcome, StoredPollError } from '../db/schema/index.ts'
import { eventOf, type ImportEventType, type ImportState } from '../model/import-state.ts'
import { countFailedCall } from '../reporting/failed-calls.ts'
import { dropEarlierRows } from './earlier-run.ts'
import { heldError, maxHeldMs } from './outcome.ts'
import { detailsToldBefore, polledColumns, type RecordResult, reread, type Transition, updateLive } from './record.ts'
import { type ConnectionOfImport, writeImportEvents } from './transition.ts'

/** What one call ends at the most; the next one goes on. */
const batchSize = 200

export interface SettledImport extends Transition {
  connection: ConnectionOfImport
  held: StoredHeldOutcome
  lastError: StoredPollError
  polls: 0 | 1
}

/** Records that an import ended as it was told: with the counts of that answer, and with rows where they can be had apart. */
export function recordSettled(db: Database, settled: SettledImport): Promise<RecordResult> {
  return db.transaction(async (tx): Promise<RecordResult> => {
    const { connection, held, polledAt } = settled
    let row = await updateLive(tx, settled, {
      state: held.state,
      attention: null,
      heldOutcome: null,
      progress: 1,
      nextPollAt: null,
      finishedAt: polledAt,
      lastError: settled.lastError,
      detailsError: null,
      ...(settled.polls === 1 && polledColumns(polledAt)),
      ...(held.hasDetails ? detailsToldBefore(connection, settled) : { detailsState: 'none' }),
    })
    if (!row) return { kind: 'stale' }
    if (settled.failedCall) await countFailedCall(tx, connection.id, settled.failedCall, polledAt)
    if (await dropEarlierRows(tx, row.id)) row = await reread(tx, row)
    const events: ImportEventType[] = [eventOf(held.state)]
    if (row.detailsState === 'incomplete') events.push('import.rows_incomplete')
    await writeImportEvents(tx, row, connection, events, polledAt)
    return { kind: 'recorded', collect: row.nextCollectAt !== null, events }
  })
}

/** How long a poll must be due before nobody counts on it any more. */
const dueForMs = 60_000

/**
 * Settles outcomes whose time is over, or the import's, and that nobody may ask for: their connection is paused, has to
 * wait, or has used up its requests. Called after the due polls are claimed, so that what may be asked is. Returns how many.
 */
export async function settleUnasked({ db, clock }: { db: Database; clock: Clock }): Promise<number> {
  const now = clock.now()
  const [heldSince, dueSince] = [maxHeldMs, dueForMs].map((ms) => new Date(now.getTime() - ms))
  const { rows } = await db.execute<Unasked>(sql`
    SELECT i.id, i.state, i.polls, i.held_outcome AS held, c.id AS "connectionId", c.name, c.provider
    FROM imports i JOIN connections c ON c.id = i.connection_id
    WHERE i.held_outcome IS NOT NULL AND i.next_poll_at IS NOT NULL AND i.poll_lease_until IS NULL
      AND ((i.held_outcome->>'since')::timestamptz <= ${heldSince} OR i.deadline_at <= ${now})
      AND (i.next_poll_at <= ${dueSince} OR c.blocked_until > ${now})
    LIMIT ${batchSize}`)
  let settled = 0
  for (const { id, state, polls, held, connectionId, name, provider } of rows) {
    const seen = { importId: id, expectedPolls: polls, polledAt: now, from: state, failedCall: null }
    const connection = { id: connectionId, name, provider }
    const lastError = heldError('Nobody may ask for it.', now)
    const result = await recordSettled(db, { ...seen, connection, held, lastError, polls: 0 })
    if (result.kind === 'recorded') settled++
  }
  return settled
}

interface Unasked extends Record<string, unknown> {
  id: string
  state: ImportState
  polls: number
  held: StoredHeldOutcome
  connectionId: string
  name: string
  provider: string
}
