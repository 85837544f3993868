// Owns the deadlines of imports that may not be polled, because their connection is paused, blocked, or has used up its
// requests. No poll would see these deadlines pass.
import { type SQL, sql } from 'drizzle-orm'
import { after, type Clock } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import type { StoredHeldOutcome } from '../db/schema/index.ts'
import type { ImportState } from '../model/import-state.ts'
import type { ProviderFacts } from '../model/provider-facts.ts'
import { isKnown, type Pinned, pinnedFacts } from '../providers/facts.ts'
import { recordLost, recordSettled } from './end.ts'
import type { Stored } from './observation.ts'
import { heldError, maxAwaitRowsMs, maxHeldMs } from './outcome.ts'

interface Deps {
  db: Database
  clock: Clock
}

/** How many imports one call ends at most. The next call continues. */
const batchSize = 200
/** How long a poll must be overdue before this gives it up. */
const dueForMs = 60_000

/** Ends as `lost` the imports that are past their deadline and may not be polled. Returns how many. */
export async function loseOverdue({ db, clock }: Deps): Promise<number> {
  const now = clock.now()
  const unasked = await findUnasked(
    db,
    sql`(c.paused_at IS NOT NULL OR c.blocked_until > ${now} OR c.used_up_until > ${now})
      AND i.deadline_at <= ${now} AND i.held_outcome IS NULL`,
    now,
  )
  return endEach(db, unasked, (tx, { seen, pauseReason }) =>
    recordLost(tx, {
      ...seen,
      polledAt: now,
      reason: pauseReason === 'unauthorized' ? 'unauthorized' : 'deadline',
      lastError: null,
      polls: 0,
    }),
  )
}

/**
 * Settles held outcomes that may not be polled for and whose time, or whose import's deadline, is over. Called after
 * the due polls are claimed, so that permitted polls go first. Returns how many.
 */
export async function settleUnasked({ db, clock }: Deps): Promise<number> {
  const now = clock.now()
  const unasked = await findUnasked(
    db,
    sql`i.held_outcome IS NOT NULL
      AND ((i.held_outcome->>'since')::timestamptz <= CASE WHEN i.held_outcome ? 'awaitsRows' THEN ${after(now, -maxAwaitRowsMs)}::timestamptz ELSE ${after(now, -maxHeldMs)}::timestamptz END OR i.deadline_at <= ${now})
      AND (p.due_at <= ${after(now, -dueForMs)} OR c.blocked_until > ${now})`,
    now,
  )
  const lastError = heldError('Nobody may ask for it.', now)
  return endEach(db, unasked, (tx, { seen, held }) =>
    recordSettled(tx, { ...seen, polledAt: now, held: held as StoredHeldOutcome, lastError, polls: 0 }),
  )
}

interface Unasked {
  seen: {
    importId: string
    expectedPolls: number
    from: ImportState
    failedCall: null
    connection: { id: string; provider: string; hasPages: boolean }
  }
  held: StoredHeldOutcome | null
  pauseReason: string | null
}

/** Skips connections with a poll under way: it may be this import's, and then decides by itself. */
async function findUnasked(db: Database, where: SQL, now: Date): Promise<Unasked[]> {
  const { rows } = await db.execute<UnaskedRow>(sql`
    /* import.find_unasked */
    SELECT i.id, i.state, p.polls, i.held_outcome AS held, c.id AS "connectionId", c.provider, c.provider_facts AS "providerFacts", c.pause_reason AS "pauseReason"
    FROM imports i JOIN polling p ON p.import_id = i.id JOIN connections c ON c.id = i.connection_id
    WHERE ${where}
      AND NOT EXISTS (SELECT FROM leases WHERE kind = 'poll' AND owner_id = c.id AND until > ${now} AND size > 0)
    LIMIT ${batchSize}`)
  return rows.map(({ id, state, polls, held, connectionId, provider, providerFacts, pauseReason }) => ({
    seen: {
      importId: id,
      expectedPolls: polls,
      from: state,
      failedCall: null,
      connection: { id: connectionId, provider, hasPages: hasPages({ provider, providerFacts }) },
    },
    held,
    pauseReason,
  }))
}

interface UnaskedRow extends Record<string, unknown> {
  id: string
  state: ImportState
  polls: number
  held: StoredHeldOutcome | null
  connectionId: string
  provider: string
  providerFacts: ProviderFacts | null
  pauseReason: string | null
}

/** A provider that only another version knows can't be asked by this one for its rows. */
function hasPages(pinned: Pinned): boolean {
  return isKnown(pinned) && pinnedFacts(pinned).hasPages
}

async function endEach(
  db: Database,
  unasked: readonly Unasked[],
  end: (tx: Transaction, one: Unasked) => Promise<Stored>,
): Promise<number> {
  let ended = 0
  for (const one of unasked) ended += (await db.transaction((tx) => end(tx, one))).ids.size
  return ended
}
