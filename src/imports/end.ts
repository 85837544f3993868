// Owns ends that no report brings: an import is lost, or settles with a held outcome that the provider no longer tells.
import { and, eq, sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { imports, polling, type StoredHeldOutcome, type StoredPollError } from '../db/schema/index.ts'
import { eventOf, type ImportEventType, type LostReason } from '../model/import-state.ts'
import { countFailedCalls } from '../reporting/failed-calls.ts'
import { dropEarlierRows } from './earlier-run.ts'
import type { Observation, Ran, Stored } from './observation.ts'
import { endPolling } from './polling-row.ts'
import { detailsToldBefore } from './report-columns.ts'
import { countFailedRows } from './rows-read.ts'
import { writeImportEvents } from './transition.ts'

/** An import that can't be followed to its end. */
export interface LostImport extends Observation {
  reason: LostReason
  lastError: StoredPollError | null
  /** 1: a poll ended it. */
  polls: 0 | 1
}

/** Records a lost import. What is known about it stays, and nothing claims that it failed. */
export async function recordLost(tx: Transaction, lost: LostImport): Promise<Stored> {
  const { importId, reason, lastError } = lost
  const isEnded = await end(tx, lost, { state: 'lost', lostReason: reason, ...(lastError && { lastError }) })
  if (!isEnded) return nothing
  await writeImportEvents(tx, [{ importId, types: ['import.lost'], at: lost.polledAt }])
  return { ids: new Set([importId]), hasEvents: true, collects: false }
}

/** An import whose outcome the provider told, but can no longer show completely. */
export interface SettledImport extends Observation {
  held: StoredHeldOutcome
  lastError: StoredPollError
  /** How long it ran. Absent: nobody can know. */
  ran?: Ran
  /** 1: a poll ended it. */
  polls: 0 | 1
}

/**
 * Records an import with its held outcome: with the counts of that answer, and with rows if they have pages of their
 * own.
 */
export async function recordSettled(tx: Transaction, settled: SettledImport): Promise<Stored> {
  const { importId, connection, held, lastError, polledAt, ran } = settled
  const told = { progress: 1, lastError, ...(ran && { ranMs: ran.ms, detectionGapMs: ran.detectionGapMs }) }
  if (held.awaitsRows) return settleByRows(tx, settled, told)
  const details = held.hasDetails
    ? detailsToldBefore(connection, settled)
    : { state: 'none', error: null, collectAt: null }
  const isEnded = await end(tx, settled, {
    ...told,
    state: held.state,
    detailsState: details.state,
    detailsError: details.error,
    ...(details.collectAt && { nextCollectAt: details.collectAt }),
  })
  if (!isEnded) return nothing
  await dropEarlierRows(tx, [importId])
  const types: ImportEventType[] = [eventOf(held.state)]
  if (details.state === 'incomplete') types.push('import.rows_incomplete')
  await writeImportEvents(tx, [{ importId, types, at: polledAt }])
  return { ids: new Set([importId]), hasEvents: true, collects: details.collectAt !== null }
}

/** Its rows have been collected since, or still are. What was read of them counts: nobody can ask for more. */
async function settleByRows(
  tx: Transaction,
  settled: SettledImport,
  told: Partial<typeof imports.$inferInsert>,
): Promise<Stored> {
  const { importId, held, polledAt } = settled
  const [row] = await tx.select({ state: imports.detailsState }).from(imports).where(eq(imports.id, importId))
  const failed = await countFailedRows(tx, importId)
  const state = failed > 0 ? 'partial' : held.state
  if (!(await end(tx, settled, { ...told, state }))) return nothing
  const types: ImportEventType[] = [eventOf(state)]
  if (row?.state === 'complete') types.push('import.rows_collected')
  if (row?.state === 'incomplete') types.push('import.rows_incomplete')
  await writeImportEvents(tx, [{ importId, types, at: polledAt }])
  return { ids: new Set([importId]), hasEvents: true, collects: false }
}

const nothing: Stored = { ids: new Set(), hasEvents: false, collects: false }

/** Returns false if the import has moved on since. */
async function end(
  tx: Transaction,
  { importId, expectedPolls, from, polledAt, polls, ...seen }: Observation & { polls: 0 | 1 },
  columns: Partial<typeof imports.$inferInsert>,
): Promise<boolean> {
  const ended = { attention: null, heldOutcome: null, finishedAt: polledAt, ...columns }
  const rows = await tx
    .update(imports)
    .set(ended)
    .where(
      and(
        eq(imports.id, importId),
        eq(imports.state, from),
        sql`EXISTS (
      SELECT FROM polling WHERE import_id = ${importId} AND polls = ${expectedPolls})`,
      ),
    )
    .returning({ id: imports.id })
  if (rows.length === 0) return false
  if (polls === 1)
    await tx
      .update(polling)
      .set({
        polls: sql`${polling.polls} + 1`,
        firstPolledAt: sql`coalesce(${polling.firstPolledAt}, ${polledAt})`,
        lastPolledAt: polledAt,
      })
      .where(eq(polling.importId, importId))
  await endPolling(tx, importId)
  await countFailedCalls(tx, [{ ...seen, polledAt }])
  return true
}
