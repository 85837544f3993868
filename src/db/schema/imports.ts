// Owns the tables of imports and their history. Snapshots, skipped lines and row results are partitioned by the month
// of `import_id` (history/partitions.ts). They have no foreign keys, because dropping a month would lock the other
// table.
import { sql } from 'drizzle-orm'
import {
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
import { count, id, time } from './columns.ts'
import { connections } from './connections.ts'

/** The error of the last call. A call that succeeds removes it. */
export interface StoredPollError {
  code: string
  message: string
  at: string
  /** The start of an unreadable answer, at most 2 KiB, with secrets masked. The API doesn't show it. */
  body?: string
}

/** An outcome that the provider reported while polling still asks for its evidence (imports/outcome.ts). */
export interface StoredHeldOutcome {
  state: 'succeeded' | 'partial'
  /** When the provider first reported it, ISO 8601. */
  since: string
  /** How often polling asked for it again. */
  asked: number
  /** The answer had rows, or said that there are some. */
  hasDetails: boolean
  /** Its rows are collected before it is over, because only they tell how it ended. */
  awaitsRows?: boolean
}

/**
 * Fields of the body by their JSON Pointers: `leftOut` no longer count as a change, `moved` may join them
 * (imports/moving-fields.ts).
 */
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
    /** Where the provider said that the next poll goes. Null: where its job id says. It may be signed, so nothing shows it. */
    pollUrl: text('poll_url'),
    /** A state of model/import-state.ts. */
    state: text('state').notNull(),
    lostReason: text('lost_reason'),
    /** An attention of model/import-state.ts. */
    attention: text('attention'),
    /** The attentions that are told once in the life of an import (stalled, overdue) and have been told. */
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
    /** When the provider will forget the job, if it says so. */
    providerExpiresAt: time('provider_expires_at'),
    /** By how many milliseconds the provider's clock was ahead of ours when these times were read. Negative: behind. */
    providerClockAheadMs: count('provider_clock_ahead_ms').notNull().default(0),
    registeredAt: time('registered_at').notNull(),
    /** While the import is live, its row in `polling` holds these two. */
    firstPolledAt: time('first_polled_at'),
    lastPolledAt: time('last_polled_at'),
    finishedAt: time('finished_at'),
    /**
     * How long it ran, by our clock: from the provider's start, else from its creation, else from the registration. Null:
     * it isn't over, or nobody can know.
     */
    ranMs: count('ran_ms'),
    /** The time between the last poll that saw it live and the one that saw it over. Null as above. */
    detectionGapMs: count('detection_gap_ms'),
    /** How long tracking may take, in milliseconds, and when that time ends. Then the import is `lost` (deadline). */
    deadlineMs: count('deadline_ms').notNull(),
    deadlineAt: time('deadline_at').notNull(),
    /** Status calls, failed ones included. While the import is live, its row in `polling` counts them. */
    polls: integer('polls').notNull().default(0),
    /** When tracking was last resumed. Null: never. */
    resumedAt: time('resumed_at'),
    heldOutcome: jsonb('held_outcome').$type<StoredHeldOutcome>(),
    lastError: jsonb('last_error').$type<StoredPollError>(),
    /** Since when the provider has refused all calls about this import (401, 403). */
    refusedSince: time('refused_since'),
    /** The last few changes of progress, oldest first: [epoch ms, progress]. The polling policy reads them. */
    progressChanges: jsonb('progress_changes').$type<[number, number][]>().notNull().default([]),
    /** The open snapshot, which the next equal report extends, and the fingerprint that makes a report equal to it. */
    snapshotId: uuid('snapshot_id'),
    fingerprint: text('fingerprint'),
    /** The fields of the body that change with every answer. Null: none is known yet. */
    movingFields: jsonb('moving_fields').$type<MovingFields>(),
    /** none | pending | collecting | complete | incomplete */
    detailsState: text('details_state').notNull().default('none'),
    skippedLines: count('skipped_lines').notNull().default(0),
    rowResults: count('row_results').notNull().default(0),
    /** How many skipped lines and row results the provider announces. Null: it doesn't say. */
    rowsAnnounced: count('rows_announced'),
    /** Why collecting gets no rows. Storing a page removes it. */
    detailsError: jsonb('details_error').$type<StoredPollError>(),
    /** When a page is due. Null: none is. The time stays while pages are requested. */
    nextCollectAt: time('next_collect_at'),
    /** How many requests for pages failed in a row, and how many in a row answered 404. */
    collectFailures: integer('collect_failures').notNull().default(0),
    collectNotFounds: integer('collect_not_founds').notNull().default(0),
    /**
     * How many times in a row the list could not continue from here: a page of another form, a refused cursor, missing
     * rows.
     */
    collectFaults: integer('collect_faults').notNull().default(0),
    /** The list was begun again from its first page. That happens once. */
    collectBegunAnew: boolean('collect_begun_anew').notNull().default(false),
    /** The next page replaces the stored pages from this one on. Null: it follows the last one. */
    collectReplacesFrom: integer('collect_replaces_from'),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull(),
    /** The sequence of the import's newest event. 0: there is none yet. */
    lastSequence: integer('last_sequence').notNull().default(0),
  },
  (table) => [
    uniqueIndex('imports_connection_job').on(table.connectionId, table.jobId),
    index('imports_collect_due')
      .on(table.connectionId, table.nextCollectAt)
      .where(sql`${table.nextCollectAt} is not null`),
    index('imports_held').on(table.id).where(sql`${table.heldOutcome} is not null`),
    index('imports_refused').on(table.connectionId).where(sql`${table.refusedSince} is not null`),
    // Lists of imports, in their order: each filter has an index (imports/find.ts). No report changes these columns but
    // state and attention, so a report that changes neither still touches no index.
    index('imports_registered').on(table.registeredAt, table.id, table.connectionId),
    index('imports_connection_registered').on(table.connectionId, table.registeredAt, table.id),
    index('imports_state').on(table.state, table.registeredAt, table.id),
    index('imports_attention')
      .on(table.attention, table.registeredAt, table.id)
      .where(sql`${table.attention} is not null`),
    index('imports_job').on(table.jobId.op('text_pattern_ops'), table.registeredAt, table.id),
    index('imports_metadata').using('gin', table.metadata.op('jsonb_path_ops')),
    // The views of `reporting`, and queries on them, select by these and by the time of registration.
    index('imports_finished').on(table.finishedAt).where(sql`${table.finishedAt} is not null`),
    // What ended after a moment, from the oldest on (imports/ended-after.ts).
    index('imports_ran_class')
      .on(
        sql`(floor(ln(greatest(extract(epoch from finished_at - registered_at)::float8, 1)) / ln(2::float8))::int)`,
        table.registeredAt,
        table.id,
      )
      .where(sql`${table.finishedAt} is not null`),
    index('imports_connection_finished')
      .on(table.connectionId, table.finishedAt)
      .where(sql`${table.finishedAt} is not null`),
    // The newest imports of a connection that say how long its imports take. The condition is the index's own:
    // otherwise the planner could take the index over all connections, and read on and on for a connection with few
    // imports.
    index('imports_connection_ended')
      .on(table.connectionId, table.finishedAt)
      .where(sql`${table.state} in ('succeeded', 'partial', 'failed')`),
  ],
)

/**
 * The state of polling a live import: a narrow row, because nearly every poll changes nothing else. The row exists
 * while the import is live. When it is deleted, its counts go to `imports` and `snapshots`.
 */
export const polling = pgTable(
  'polling',
  {
    importId: uuid('import_id')
      .primaryKey()
      .references(() => imports.id),
    connectionId: uuid('connection_id').notNull(),
    /** When a poll is due. The time stays while a poll is under way. */
    dueAt: time('due_at').notNull(),
    /** The gap that the policy wanted before this poll, in milliseconds, however much the budget stretches it. */
    wantedMs: integer('wanted_ms'),
    /**
     * When the import is likely to end, and the range of nine in ten to either side, as the last poll foresaw it: in
     * milliseconds after that poll, or before the first one after the registration. Null: nothing is known.
     */
    etaMs: integer('eta_ms'),
    etaEarliestMs: integer('eta_earliest_ms'),
    etaLatestMs: integer('eta_latest_ms'),
    /** From when on it takes longer than nearly all imports before it. */
    overdueAt: time('overdue_at'),
    /** Status calls so far. A report is recorded only if this is unchanged since its poll began. */
    polls: integer('polls').notNull(),
    firstPolledAt: time('first_polled_at'),
    lastPolledAt: time('last_polled_at'),
    /** How many polls failed in a row, and how many in a row answered 404. */
    failures: integer('failures').notNull().default(0),
    notFounds: integer('not_founds').notNull().default(0),
    /** When the first of these 404s came. */
    notFoundSince: time('not_found_since'),
    /** How many polls saw the open snapshot's report, and when the last one did. 0 and null: none is open. */
    seen: integer('seen').notNull().default(0),
    seenAt: time('seen_at'),
  },
  (table) => [index('polling_due').on(table.connectionId, table.dueAt)],
)

/** A report and how long it stayed the same: a history in runs. */
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
    /** The provider's answer without its row lists. */
    body: jsonb('body').notNull(),
    firstSeenAt: time('first_seen_at').notNull(),
    /**
     * For the open snapshot, `polling` holds these two (`seenAt`, `seen`). They are written when the snapshot closes.
     */
    lastSeenAt: time('last_seen_at').notNull(),
    /** Polls that saw this report. */
    polls: integer('polls').notNull(),
  },
  (table) => [primaryKey({ columns: [table.importId, table.id] })],
)

/** The checkpoint of collecting: a row for each stored page of skipped lines or row results. */
export const detailPages = pgTable(
  'detail_pages',
  {
    importId: uuid('import_id')
      .notNull()
      .references(() => imports.id),
    /** From 0, in the provider's order. */
    page: integer('page').notNull(),
    /** The cursor that this page was requested with. Null: the page came with the status. */
    cursor: text('cursor'),
    /** The cursor of the next page. Null: the provider gave none. */
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
    /** From 0, over all pages. If the provider names no row, the position in the answer. */
    row: count('row').notNull(),
    page: integer('page').notNull(),
    recordId: text('record_id'),
    created: boolean('created'),
    existing: boolean('existing'),
    errorCode: text('error_code'),
    errorMessage: text('error_message'),
    /** Where the row is in the source file, if the provider says it. */
    line: count('line'),
    column: count('column'),
    /** The failed item, if the provider repeats it. */
    item: jsonb('item'),
  },
  (table) => [primaryKey({ columns: [table.importId, table.row] })],
)
