// Owns giving up a list of rows: what is stored stays, `details.state` says that it isn't all, and an event tells.
// A tick looks for overdue collections here, because no worker walks the lists of a paused connection.
import { and, eq, isNotNull, type SQL, sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, imports, type StoredPollError } from '../db/schema/index.ts'
import { writeImportEvents } from '../imports/transition.ts'
import type { ProviderErrorKind } from '../providers/error.ts'
import { countFailedCalls } from '../reporting/failed-calls.ts'
import { confirming } from './judge.ts'

/** Rows are waited for this long where the provider or our way to it is in trouble. */
export const giveUpAfterMs = 7 * 24 * 60 * 60 * 1_000
/** And this long where the provider answers, the list was begun anew, and it still can't go on. */
const giveUpStuckAfterMs = 2 * 60 * 60 * 1_000
/** What one call gives up at the most; the next one goes on. */
const batchSize = 200

/** What holds once a list isn't collected any more. */
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
  /** Why. */
  error: StoredPollError
  /** The call that failed just now; null: none did. */
  failed: ProviderErrorKind | null
  now: Date
}

/** Gives up the list of an import. Returns false if there is none any more. */
export async function giveUp(tx: Transaction, importId: string, { error, failed, now }: GivenUp): Promise<boolean> {
  const [row] = await tx
    .update(imports)
    .set({ ...ended('incomplete'), detailsError: error })
    .where(and(eq(imports.id, importId), isNotNull(imports.nextCollectAt)))
    .returning({ connectionId: imports.connectionId })
  if (!row) return false
  await countFailedPage(tx, row.connectionId, { failed, error })
  await writeImportEvents(tx, [{ importId, types: ['import.rows_incomplete'], at: now }])
  return true
}

/** Counts the call for a page, where that failed. */
export async function countFailedPage(
  tx: Transaction,
  connectionId: string,
  { failed, error }: { failed: ProviderErrorKind | null; error: StoredPollError },
): Promise<void> {
  if (failed === null) return
  const failedCall = { call: 'details', code: failed } as const
  await countFailedCalls(tx, [{ connection: { id: connectionId }, failedCall, polledAt: new Date(error.at) }])
}

/** Gives up what has taken too long, whether anybody may ask for it or not. Returns how many. */
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

/** Not a list that was never asked for: after a week away, a worker asks before it gives up. */
function isOverdue(now: Date): SQL {
  const age = sql`${now}::timestamptz - coalesce(${imports.finishedAt}, ${imports.registeredAt})`
  return sql`${imports.nextCollectAt} IS NOT NULL AND NOT EXISTS (
    SELECT FROM leases WHERE kind = 'collect' AND owner_id = ${imports.connectionId} AND until > ${now} AND size > 0
  ) AND (
    ${age} > ${giveUpAfterMs} * interval '1 ms'
      AND (${imports.collectFailures} > 0 OR ${connections.pausedAt} IS NOT NULL OR ${connections.blockedUntil} > ${now})
    OR ${age} > ${giveUpStuckAfterMs} * interval '1 ms' AND ${imports.collectBegunAnew} AND ${imports.collectFaults} >= ${confirming})`
}

/** Why rows weren't had where no call says it. */
export function tooLate(now: Date): StoredPollError {
  return { code: 'deadline', message: 'The rows could not be had within a week.', at: now.toISOString() }
}
