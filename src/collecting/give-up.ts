// Owns giving up a list of rows: what is stored stays, `details.state` says that it isn't all, and an event tells.
// A tick looks for overdue collections here, because no worker walks the lists of a paused connection.
import { and, eq, isNotNull, isNull, type SQL, sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, imports, type StoredPollError } from '../db/schema/index.ts'
import { type ConnectionOfImport, writeImportEvents } from '../imports/transition.ts'
import type { ProviderErrorKind } from '../providers/error.ts'
import { countFailedCall } from '../reporting/failed-calls.ts'
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
    collectLeaseUntil: null,
    collectFailures: 0,
    collectNotFounds: 0,
    collectFaults: 0,
    collectBegunAnew: false,
    collectReplacesFrom: null,
  }
}

export interface GivenUp {
  connection: ConnectionOfImport
  /** Why. */
  error: StoredPollError
  /** The call that failed just now; null: none did. */
  failed: ProviderErrorKind | null
  now: Date
}

/** Gives up the list of the import that `where` selects. Returns false if there is none any more. */
export function giveUp(
  db: Database,
  where: SQL | undefined,
  { connection, error, failed, now }: GivenUp,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [row] = await tx
      .update(imports)
      .set({ ...ended('incomplete'), detailsError: error })
      .where(and(where, isNotNull(imports.nextCollectAt)))
      .returning()
    if (!row) return false
    await countFailedPage(tx, connection.id, { failed, error })
    await writeImportEvents(tx, row, connection, ['import.rows_incomplete'], now)
    return true
  })
}

/** Counts the call for a page, where that failed. */
export async function countFailedPage(
  tx: Transaction,
  connectionId: string,
  { failed, error }: { failed: ProviderErrorKind | null; error: StoredPollError },
): Promise<void> {
  if (failed === null) return
  await countFailedCall(tx, connectionId, { call: 'details', code: failed }, new Date(error.at))
}

/** Gives up what has taken too long, whether anybody may ask for it or not. Returns how many. */
export async function giveUpOverdue({ db, clock }: { db: Database; clock: Clock }): Promise<number> {
  const now = clock.now()
  const overdue = await db
    .select({
      id: imports.id,
      detailsError: imports.detailsError,
      connection: { id: connections.id, name: connections.name, provider: connections.provider },
    })
    .from(imports)
    .innerJoin(connections, eq(connections.id, imports.connectionId))
    .where(isOverdue(now))
    .limit(batchSize)
  let given = 0
  for (const { id, detailsError, connection } of overdue) {
    const error = detailsError ?? tooLate(now)
    if (
      await giveUp(db, and(eq(imports.id, id), isNull(imports.collectLeaseUntil)), {
        connection,
        error,
        failed: null,
        now,
      })
    )
      given++
  }
  return given
}

/** Not a list that was never asked for: after a week away, a worker asks before it gives up. */
function isOverdue(now: Date): SQL {
  const age = sql`${now}::timestamptz - coalesce(${imports.finishedAt}, ${imports.registeredAt})`
  return sql`${imports.nextCollectAt} IS NOT NULL AND ${imports.collectLeaseUntil} IS NULL AND (
    ${age} > ${giveUpAfterMs} * interval '1 ms'
      AND (${imports.collectFailures} > 0 OR ${connections.pausedAt} IS NOT NULL OR ${connections.blockedUntil} > ${now})
    OR ${age} > ${giveUpStuckAfterMs} * interval '1 ms' AND ${imports.collectBegunAnew} AND ${imports.collectFaults} >= ${confirming})`
}

/** Why rows weren't had where no call says it. */
export function tooLate(now: Date): StoredPollError {
  return { code: 'deadline', message: 'The rows could not be had within a week.', at: now.toISOString() }
}
