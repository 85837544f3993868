// Owns what is stored of an import and its history. Snapshots, skipped lines and row results are partitioned by the
// month of `import_id` (history/partitions.ts), and so have no foreign keys: dropping a month would lock the other table.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { newId } from '../../base/ids.ts'
import { id, time } from './columns.ts'
import { connections } from './connections.ts'

const count = (name: string) => bigint(name, { mode: 'number' })

/** What went wrong at the last call; gone when one succeeds. */
export interface StoredPollError {
  code: string
  message: string
  at: string
  /** The start of an answer that could not be read, secrets masked, at most 2 KiB. Not shown by the API. */
  body?: string
}

/** An outcome that the provider has told, while what shows it is asked for again (imports/outcome.ts). */
export interface StoredHeldOutcome {
  state: 'succeeded' | 'partial'
  /** When it was told first, ISO 8601. */
  since: string
  /** How often it was asked for again. */
  asked: number
  /** Its answer had rows, or said that there are some. */
  hasDetails: boolean
}

/** Fields of the body by their JSON Pointers: what makes no change, and what may be found to (imports/moving-fields.ts). */
export interface MovingFields {
  leftOut: string[]
  moved: Record<string, [times: number, lastPoll: number]>
}

export const imports = pgTable(
  'imports',
  {
    id: id(),
    connectionId: uuid('connection_id')
      .notNull()
      .references(() => connections.id),
    /** The provider's id of the job, opaque. */
    jobId: text('job_id').notNull(),
    /** One of model/import-state.ts. */
    state: text('state').notNull(),
    lostReason: text('lost_reason'),
    /** One of model/import-state.ts. */
    attention: text('attention'),
    /** Of those that are told once in the life of an import (stalled, overdue), the ones that were told. */
    attentionsTold: text('attentions_told').array().notNull().default(sql`'{}'`),
    providerStatus: text('provider_status'),
    message: text('message'),
    /** 0 to 1. */
    progress: doublePrecision('progress'),
    rowsTotal: count('rows_total'),
    rowsProcessed: count('rows_processed'),
    rowsSucceeded: count('rows_succeeded'),
    rowsFailed: count('rows_failed'),
    rowsInserted: count('rows_inserted'),
    rowsUpdated: count('rows_updated'),
    rowsSkipped: count('rows_skipped'),
    providerCreatedAt: time('provider_created_at'),
    providerStartedAt: time('provider_started_at'),
    providerFinishedAt: time('provider_finished_at'),
    /** When the provider will forget the job, where it says so. */
    providerExpiresAt: time('provider_expires_at'),
    /** By how many milliseconds the provider's clock was ahead of ours when these times were read; negative: behind. */
    providerClockAheadMs: count('provider_clock_ahead_ms').notNull().default(0),
    registeredAt: time('registered_at').notNull(),
    /** While the import is live, its row in `polling` says these two. */
    firstPolledAt: time('first_polled_at'),
    lastPolledAt: time('last_polled_at'),
    finishedAt: time('finished_at'),
    /** How long tracking may take, in milliseconds, and when that time is over: then the import is `lost` (deadline). */
    deadlineMs: count('deadline_ms').notNull(),
    deadlineAt: time('deadline_at').notNull(),
    /** Status calls, failed ones too. While the import is live, its row in `polling` counts them. */
    polls: integer('polls').notNull().default(0),
    /** When tracking was resumed last; null: never. */
    resumedAt: time('resumed_at'),
    heldOutcome: jsonb('held_outcome').$type<StoredHeldOutcome>(),
    lastError: jsonb('last_error').$type<StoredPollError>(),
    /** Since when calls about it are refused (401, 403), without one that was answered. */
    refusedSince: time('refused_since'),
    /** The last few changes of progress, oldest first: [epoch ms, progress]. The polling policy reads them. */
    progressChanges: jsonb('progress_changes').$type<[number, number][]>().notNull().default([]),
    /** The snapshot that the next equal report extends, and what makes a report equal to it. */
    snapshotId: uuid('snapshot_id'),
    fingerprint: text('fingerprint'),
    /** What was found to move in the body with every answer; null: nothing yet. */
    movingFields: jsonb('moving_fields').$type<MovingFields>(),
    /** none | pending | collecting | complete | incomplete */
    detailsState: text('details_state').notNull().default('none'),
    skippedLines: count('skipped_lines').notNull().default(0),
    rowResults: count('row_results').notNull().default(0),
    /** How many skipped lines and row results the provider says there are; null: it doesn't say. */
    rowsAnnounced: count('rows_announced'),
    /** Why rows don't come; gone when a page is stored. */
    detailsError: jsonb('details_error').$type<StoredPollError>(),
    /** When a page is due; null: none is. It stays while pages are asked for. */
    nextCollectAt: time('next_collect_at'),
    /** Pages in a row that could not be had, and that said 404. */
    collectFailures: integer('collect_failures').notNull().default(0),
    collectNotFounds: integer('collect_not_founds').notNull().default(0),
    /** Times in a row that the list could not go on from here: a page of another form, a refused cursor, missing rows. */
    collectFaults: integer('collect_faults').notNull().default(0),
    /** The list was begun anew from its first page, which is done once. */
    collectBegunAnew: boolean('collect_begun_anew').notNull().default(false),
    /** The next page replaces the stored ones from this one on; null: it follows the last one. */
    collectReplacesFrom: integer('collect_replaces_from'),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull(),
    /** The sequence of its newest event; 0: it has none yet. */
    lastSequence: integer('last_sequence').notNull().default(0),
  },
  (table) => [
    uniqueIndex('imports_connection_job').on(table.connectionId, table.jobId),
    index('imports_collect_due')
      .on(table.connectionId, table.nextCollectAt)
      .where(sql`${table.nextCollectAt} is not null`),
    index('imports_held').on(table.id).where(sql`${table.heldOutcome} is not null`),
    index('imports_refused').on(table.connectionId).where(sql`${table.refusedSince} is not null`),
    index('imports_state').on(table.state, table.id),
    // What the views of `reporting` and whoever asks them select by.
    index('imports_registered').on(table.registeredAt, table.connectionId),
    index('imports_finished').on(table.finishedAt).where(sql`${table.finishedAt} is not null`),
    index('imports_connection_finished')
      .on(table.connectionId, table.finishedAt)
      .where(sql`${table.finishedAt} is not null`),
    // The newest of a connection that say how long its imports take. It has a condition of its own, so that the planner
    // can't take the index of all connections' for it, and read on and on for one that imports little.
    index('imports_connection_ended')
      .on(table.connectionId, table.finishedAt)
      .where(sql`${table.state} in ('succeeded', 'partial', 'failed')`),
  ],
)

/**
 * What a poll changes of a live import: a narrow row, since nearly every poll changes nothing else. It is there as long
 * as the import is live, and counts for it: what `imports` and `snapshots` say of polls is written when it goes.
 */
export const polling = pgTable(
  'polling',
  {
    importId: uuid('import_id')
      .primaryKey()
      .references(() => imports.id),
    connectionId: uuid('connection_id').notNull(),
    /** When a poll is due. It stays while one is under way. */
    dueAt: time('due_at').notNull(),
    /** Status calls so far. Also the version that a report must have been asked at. */
    polls: integer('polls').notNull(),
    firstPolledAt: time('first_polled_at'),
    lastPolledAt: time('last_polled_at'),
    /** Polls in a row that failed, and that said 404. */
    failures: integer('failures').notNull().default(0),
    notFounds: integer('not_founds').notNull().default(0),
    /** When the first poll in that row said 404. */
    notFoundSince: time('not_found_since'),
    /** Polls that saw the open snapshot's report, and when the last of them did; 0 and null: none is open. */
    seen: integer('seen').notNull().default(0),
    seenAt: time('seen_at'),
  },
  (table) => [index('polling_due').on(table.connectionId, table.dueAt)],
)

/** A report, and how long it stayed the same: run-length encoded history. */
export const snapshots = pgTable(
  'snapshots',
  {
    id: uuid('id').notNull().$defaultFn(newId),
    importId: uuid('import_id').notNull(),
    state: text('state').notNull(),
    providerStatus: text('provider_status'),
    progress: doublePrecision('progress'),
    message: text('message'),
    rows: jsonb('rows').$type<Record<string, number | null>>().notNull(),
    /** The provider's answer, less its row lists. */
    body: jsonb('body').notNull(),
    firstSeenAt: time('first_seen_at').notNull(),
    /** Of the open snapshot, `polling` says these two (`seenAt`, `seen`); they are written when it closes. */
    lastSeenAt: time('last_seen_at').notNull(),
    /** Polls that saw this report. */
    polls: integer('polls').notNull(),
  },
  (table) => [primaryKey({ columns: [table.importId, table.id] })],
)

/** The checkpoint of collecting: one row a page of skipped lines or row results, stored with the page. */
export const detailPages = pgTable(
  'detail_pages',
  {
    importId: uuid('import_id')
      .notNull()
      .references(() => imports.id),
    /** From 0, in the provider's order. */
    page: integer('page').notNull(),
    /** The cursor that this page was asked with; null for what came with the status. */
    cursor: text('cursor'),
    /** The cursor of the next page; null where the provider gave none. */
    nextCursor: text('next_cursor'),
    skippedLines: integer('skipped_lines').notNull(),
    rowResults: integer('row_results').notNull(),
    storedAt: time('stored_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.importId, table.page] }),
    // Cursors are opaque, and may be longer than an index entry.
    uniqueIndex('detail_pages_cursor').on(table.importId, sql`md5(${table.cursor})`),
  ],
)

export const skippedLines = pgTable(
  'skipped_lines',
  {
    importId: uuid('import_id').notNull(),
    page: integer('page').notNull(),
    /** From 0 within the page. */
    position: integer('position').notNull(),
    line: count('line'),
    column: count('column'),
  },
  (table) => [primaryKey({ columns: [table.importId, table.page, table.position] })],
)

export const rowResults = pgTable(
  'row_results',
  {
    importId: uuid('import_id').notNull(),
    /** From 0, over all pages. Where the provider names no row, its position in the answer. */
    row: count('row').notNull(),
    page: integer('page').notNull(),
    recordId: text('record_id'),
    created: boolean('created'),
    existing: boolean('existing'),
    errorCode: text('error_code'),
    errorMessage: text('error_message'),
    /** The failed item as the provider repeats it, where it does. */
    item: jsonb('item'),
  },
  (table) => [primaryKey({ columns: [table.importId, table.row] })],
)
