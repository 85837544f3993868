// Owns giving up a list of rows. Stored rows stay, `details.state` says that they aren't all, and an event is written.
// A tick looks for overdue collections here, because no worker walks the lists of a paused connection.
import { and, eq, isNotNull, type SQL, sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, imports, type StoredPollError } from '../db/schema/index.ts'
import { pollForOutcome } from '../imports/rows-read.ts'
import { writeImportEvents } from '../imports/transition.ts'
import type { ProviderErrorKind } from '../providers/error.ts'
import { countFailedCalls } from '../reporting/failed-calls.ts'
import { confirming } from './judge.ts'

/** How long to wait for rows while the provider, or our way to it, is in trouble. */
export const giveUpAfterMs = 7 * 24 * 60 * 60 * 1_000
/** How long to wait if the provider answers and the list was begun again, but still can't continue. */
const giveUpStuckAfterMs = 2 * 60 * 60 * 1_000
/** How many lists one call gives up at most. The next call continues. */
const batchSize = 200

/** Returns the columns of a list that is no longer collected. */
export function ended(detailsState: 'complete' | 'incomplete') {
  return {
    detailsState,
    nextCollectAt: null,
    collectFailures: 0,
    collectNotFounds: 0,
    collectFaults: 0,
    collectBegunAnew: false,
    collectReplacesFrom: null,
  }
}

export interface GivenUp {
  /** The reason. */
  error: StoredPollError
  /** The call that failed just now. Null: none did. */
  failed: ProviderErrorKind | null
  now: Date
}

/** Gives up the list of an import. Returns false if it has none any more. */
export async function giveUp(tx: Transaction, importId: string, { error, failed, now }: GivenUp): Promise<boolean> {
  const [row] = await tx
    .update(imports)
    .set({ ...ended('incomplete'), detailsError: error })
    .where(and(eq(imports.id, importId), isNotNull(imports.nextCollectAt)))
    .returning()
  if (!row) return false
  await countFailedPage(tx, row.connectionId, { failed, error })
  if (await pollForOutcome(tx, row, now)) return true
  await writeImportEvents(tx, [{ importId, types: ['import.rows_incomplete'], at: now }])
  return true
}

/** Counts the call for a page if it failed. */
export async function countFailedPage(
  tx: Transaction,
  connectionId: string,
  { failed, error }: { failed: ProviderErrorKind | null; error: StoredPollError },
): Promise<void> {
  if (failed === null) return
  const failedCall = { call: 'details', code: failed } as const
  await countFailedCalls(tx, [{ connection: { id: connectionId }, failedCall, polledAt: new Date(error.at) }])
}

/** Gives up lists that have taken too long, whether they may be requested or not. Returns how many. */
export async function giveUpOverdue({ db, clock }: { db: Database; clock: Clock }): Promise<number> {
  const now = clock.now()
  const overdue = await db
    .select({ id: imports.id, detailsError: imports.detailsError })
    .from(imports)
    .innerJoin(connections, eq(connections.id, imports.connectionId))
    .where(isOverdue(now))
    .limit(batchSize)
  let given = 0
  for (const { id, detailsError } of overdue) {
    const error = detailsError ?? tooLate(now)
    if (await db.transaction((tx) => giveUp(tx, id, { error, failed: null, now }))) given++
  }
  return given
}

/** Lists that were never requested don't count: after a week's outage, a worker asks before it gives up. */
function isOverdue(now: Date): SQL {
  const age = sql`${now}::timestamptz - coalesce(${imports.finishedAt}, (${imports.heldOutcome}->>'since')::timestamptz, ${imports.registeredAt})`
  return sql`${imports.nextCollectAt} IS NOT NULL AND NOT EXISTS (
    SELECT FROM leases WHERE kind = 'collect' AND owner_id = ${imports.connectionId} AND until > ${now} AND size > 0
  ) AND (
    ${age} > ${giveUpAfterMs} * interval '1 ms'
      AND (${imports.collectFailures} > 0 OR ${connections.pausedAt} IS NOT NULL OR ${connections.blockedUntil} > ${now})
    OR ${age} > ${giveUpStuckAfterMs} * interval '1 ms' AND ${imports.collectBegunAnew} AND ${imports.collectFaults} >= ${confirming})`
}

/** Returns the error of rows that never came although no call explains it. */
export function tooLate(now: Date): StoredPollError {
  return { code: 'deadline', message: 'The rows could not be had within a week.', at: now.toISOString() }
}
