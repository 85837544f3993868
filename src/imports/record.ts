// Owns storing what a poll told: a changed report in one transaction of its own, with its event, its deliveries and
// the details that came with it. Unchanged reports and failed polls are record-unchanged.ts's.
import { and, eq, isNotNull, type SQL, sql } from 'drizzle-orm'
import { newId } from '../base/ids.ts'
import { storableJson } from '../base/storable-text.ts'
import type { Database, Transaction } from '../db/client.ts'
import {
  imports,
  type MovingFields,
  type StoredHeldOutcome,
  type StoredPollError,
  snapshots,
} from '../db/schema/index.ts'
import {
  type Attention,
  type AttentionEventType,
  eventOf,
  type ImportEventType,
  type ImportState,
  isOver,
  type LostReason,
} from '../model/import-state.ts'
import { tellsOutcome } from '../model/reported-state.ts'
import { type DetailPage, firstPage, type Report, type StatusAnswer } from '../providers/contract.ts'
import { findProvider } from '../providers/index.ts'
import { countFailedCall, type FailedCall } from '../reporting/failed-calls.ts'
import { dropEarlierRows } from './earlier-run.ts'
import { reportAt } from './outcome.ts'
import { rowsMissing, storePage } from './pages.ts'
import { type ConnectionOfImport, type ImportRow, writeImportEvents } from './transition.ts'

/** When a poll was answered, and the version of the import that it was asked at. */
export interface Observation {
  importId: string
  /** The import's `polls` when it was asked: an answer that comes after another one is dropped. */
  expectedPolls: number
  polledAt: Date
  /** The call that failed, if one did. */
  failedCall: FailedCall | null
}

/** An observation that changes the state, so it has to be the one that was seen: stopping and resuming count no polls. */
export interface Transition extends Observation {
  from: ImportState
}

/** A report that differs from the last one. */
export interface ChangedReport extends Transition {
  connection: ConnectionOfImport
  answer: StatusAnswer
  fingerprint: string
  /** What is known to move in the body; absent: nothing. */
  movingFields?: MovingFields | null
  /** How far the provider's clock is ahead; absent: not at all. */
  clockAheadMs?: number
  to: ImportState
  lostReason: LostReason | null
  attention: Attention | null
  /** What the attention writes, where the import comes to show it by this report. */
  attentionEvent: AttentionEventType | null
  /** The outcome that is asked for again; null: there is none, or it is final. */
  heldOutcome: StoredHeldOutcome | null
  /** What the outcome lacks; null: nothing. */
  lastError: StoredPollError | null
  /** An earlier answer had rows of this outcome, or said that there are some; absent: none did. */
  hadDetails?: boolean
  progressChanges: [number, number][]
  /** Null: the import is over. */
  nextPollAt: Date | null
  /** 1; 0 for an answer that was handed over instead of polled. */
  polls: 0 | 1
}

export type RecordResult =
  | { kind: 'recorded'; collect: boolean; events: readonly ImportEventType[] }
  /** Somebody else recorded a later answer, or ended the tracking, in the meantime. */
  | { kind: 'stale' }

/** Records a changed report. */
export function recordReport(db: Database, change: ChangedReport): Promise<RecordResult> {
  return db.transaction((tx) => recordReportIn(tx, change))
}

/** As `recordReport`, in the caller's transaction. */
export async function recordReportIn(tx: Transaction, change: ChangedReport): Promise<RecordResult> {
  const { answer, connection, polledAt, from, to } = change
  const report = reportAt(to, answer.report)
  const over = isOver(to)
  const details = over && to !== 'lost' ? answer.details : null
  const snapshotId = newId()
  let row = await updateLive(tx, change, {
    ...reportColumns(report),
    state: to,
    lostReason: change.lostReason,
    attention: change.attention,
    attentionsTold: toldWith(change.attentionEvent),
    progressChanges: change.progressChanges,
    snapshotId,
    fingerprint: change.fingerprint,
    movingFields: change.movingFields ?? null,
    providerClockAheadMs: change.clockAheadMs ?? 0,
    nextPollAt: change.nextPollAt,
    finishedAt: over ? polledAt : null,
    pollFailures: 0,
    notFoundPolls: 0,
    notFoundSince: null,
    heldOutcome: change.heldOutcome,
    lastError: change.lastError,
    refusedSince: null,
    ...(change.polls === 1 && polledColumns(polledAt)),
    ...(over && to !== 'lost' && (details === null ? untoldDetails(change) : detailsColumns(details, polledAt))),
  })
  if (!row) return { kind: 'stale' }
  if (change.failedCall) await countFailedCall(tx, connection.id, change.failedCall, polledAt)
  if (over && to !== 'lost' && (await dropEarlierRows(tx, row.id))) row = await reread(tx, row)
  await insertSnapshot(tx, snapshotId, report, change)
  const events: ImportEventType[] = from === to ? [] : [eventOf(to)]
  if (details !== null && details.next !== firstPage) {
    await storePage(tx, { importId: change.importId, page: 0, cursor: null, details }, polledAt)
    row = await reread(tx, row)
  }
  if (change.attentionEvent) events.push(change.attentionEvent)
  if (details !== null && row.detailsState === 'complete') events.push('import.rows_collected')
  if (over && to !== 'lost' && row.detailsState === 'incomplete') events.push('import.rows_incomplete')
  await writeImportEvents(tx, row, connection, events, polledAt)
  return { kind: 'recorded', collect: row.nextCollectAt !== null, events }
}

/** An import that can't be followed to its end. */
export interface LostImport extends Transition {
  connection: ConnectionOfImport
  reason: LostReason
  lastError: StoredPollError | null
  polls: 0 | 1
}

/** Records that an import is lost: what is known of it stays, and nothing claims that it failed. */
export function recordLost(db: Database, lost: LostImport): Promise<RecordResult> {
  return db.transaction(async (tx): Promise<RecordResult> => {
    const row = await updateLive(tx, lost, {
      state: 'lost',
      lostReason: lost.reason,
      attention: null,
      heldOutcome: null,
      nextPollAt: null,
      finishedAt: lost.polledAt,
      ...(lost.lastError && { lastError: lost.lastError }),
      ...(lost.polls === 1 && polledColumns(lost.polledAt)),
    })
    if (!row) return { kind: 'stale' }
    if (lost.failedCall) await countFailedCall(tx, lost.connection.id, lost.failedCall, lost.polledAt)
    await writeImportEvents(tx, row, lost.connection, ['import.lost'], lost.polledAt)
    return { kind: 'recorded', collect: false, events: ['import.lost'] }
  })
}

type Columns = Parameters<ReturnType<Transaction['update']>['set']>[0] & Record<string, unknown>

/** Updates an import that is still live and as it was when it was asked; undefined: it isn't. The poll's lease ends with it. */
export async function updateLive(tx: Transaction, seen: Transition, columns: Columns): Promise<ImportRow | undefined> {
  const [row] = await tx
    .update(imports)
    .set({ ...columns, pollLeaseUntil: null })
    .where(
      and(
        eq(imports.id, seen.importId),
        eq(imports.polls, seen.expectedPolls),
        eq(imports.state, seen.from),
        isNotNull(imports.nextPollAt),
      ),
    )
    .returning()
  return row
}

export async function reread(tx: Transaction, { id }: ImportRow): Promise<ImportRow> {
  const [row] = await tx.select().from(imports).where(eq(imports.id, id))
  if (!row) throw new Error(`Import ${id} disappeared inside its transaction.`)
  return row
}

/** The attentions that are told once, with the one that an event tells of. */
export function toldWith(event: AttentionEventType | null): SQL {
  if (event === null || event === 'import.attention') return sql`${imports.attentionsTold}`
  return sql`array_append(${imports.attentionsTold}, ${event.slice('import.'.length)})`
}

export function polledColumns(at: Date) {
  return {
    polls: sql`${imports.polls} + 1`,
    firstPolledAt: sql`coalesce(${imports.firstPolledAt}, ${at})`,
    lastPolledAt: at,
  }
}

/**
 * What a report says. What it doesn't say any more is kept as it was known, but for the progress and the counts of a
 * report that tells an outcome: older ones aren't those of the end.
 */
function reportColumns(report: Report) {
  const { rows } = report
  const figures = {
    progress: report.progress,
    rowsTotal: rows.total,
    rowsProcessed: rows.processed,
    rowsSucceeded: rows.succeeded,
    rowsFailed: rows.failed,
    rowsInserted: rows.inserted,
    rowsUpdated: rows.updated,
    rowsSkipped: rows.skipped,
  }
  const known = {
    ...figures,
    providerStatus: report.providerStatus,
    providerCreatedAt: report.createdAt,
    providerStartedAt: report.startedAt,
    providerFinishedAt: report.finishedAt,
    providerExpiresAt: report.expiresAt,
  }
  return {
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null)),
    ...(tellsOutcome(report.state) && figures),
    message: report.message,
  }
}

/** Where the last answer says nothing of rows. */
function untoldDetails({ connection, polledAt, lastError, hadDetails }: ChangedReport) {
  return hadDetails && lastError
    ? detailsToldBefore(connection, { polledAt, lastError })
    : { detailsState: 'none', detailsError: null }
}

/** Rows that came with the status can't be had any more; those that have pages of their own may. */
export function detailsToldBefore(
  { provider }: ConnectionOfImport,
  { polledAt, lastError }: { polledAt: Date; lastError: StoredPollError },
) {
  return findProvider(provider).details
    ? { detailsState: 'pending', detailsError: null, nextCollectAt: polledAt }
    : { detailsState: 'incomplete', detailsError: lastError }
}

function detailsColumns(details: DetailPage, at: Date) {
  const given = details.skippedLines.length + details.rowResults.length
  // Nothing can be asked for that doesn't come with the status.
  const announced = details.announced ?? 0
  if (details.next === null && given < announced)
    return { detailsState: 'incomplete', detailsError: rowsMissing({ stored: given, announced }, at) }
  return details.next === null
    ? {
        detailsState: 'complete',
        detailsError: null,
        ...(details.skippedLines.length > 0 && { rowsSkipped: details.skippedLines.length }),
      }
    : { detailsState: 'pending', detailsError: null, nextCollectAt: at, rowsAnnounced: details.announced ?? null }
}

async function insertSnapshot(tx: Transaction, id: string, report: Report, { importId, to, polledAt }: ChangedReport) {
  await tx.insert(snapshots).values({
    id,
    importId,
    state: to,
    providerStatus: report.providerStatus,
    progress: report.progress,
    message: report.message,
    rows: { ...report.rows },
    body: storableJson(report.body),
    firstSeenAt: polledAt,
    lastSeenAt: polledAt,
    polls: 1,
  })
}
