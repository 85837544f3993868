// Owns the tables of history by day, so that a chart doesn't read all of it. Only reporting/ writes them. Readers use
// the views of the schema `reporting` (migrations/0002_reporting.sql).
import {
  bigint,
  bigserial,
  date,
  doublePrecision,
  index,
  integer,
  pgSchema,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { time } from './columns.ts'
import { connections } from './connections.ts'

/** Holds views only. It is the one schema that `reporting_reader` may use. */
export const reporting = pgSchema('reporting')

const count = (name: string) => integer(name).notNull().default(0)
const sum = (name: string) => bigint(name, { mode: 'number' })

/** The outcomes of a connection's imports on a day (UTC). */
export const dailyOutcomes = pgTable(
  'daily_outcomes',
  {
    day: date('day').notNull(),
    connectionId: uuid('connection_id')
      .notNull()
      .references(() => connections.id),
    /** Imports registered on this day. All other columns count imports that ended on it. */
    registered: count('registered'),
    succeeded: count('succeeded'),
    partial: count('partial'),
    failed: count('failed'),
    canceled: count('canceled'),
    lost: count('lost'),
    stopped: count('stopped'),
    /** Null: none of the imports has this count. */
    rowsTotal: sum('rows_total'),
    rowsProcessed: sum('rows_processed'),
    rowsSucceeded: sum('rows_succeeded'),
    rowsFailed: sum('rows_failed'),
    rowsSkipped: sum('rows_skipped'),
    totalP50S: doublePrecision('total_p50_s'),
    totalP90S: doublePrecision('total_p90_s'),
    totalP99S: doublePrecision('total_p99_s'),
    polls: sum('polls').notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.day, table.connectionId] }),
    index('daily_outcomes_connection').on(table.connectionId, table.day),
  ],
)

/** Skipped lines by column: of a connection's imports that ended on a day (UTC) and whose details are collected. */
export const dailySkippedColumns = pgTable(
  'daily_skipped_columns',
  {
    day: date('day').notNull(),
    connectionId: uuid('connection_id')
      .notNull()
      .references(() => connections.id),
    /** Null: the provider named no column. */
    column: sum('column'),
    lines: sum('lines').notNull(),
    /** How many imports have at least one such line. */
    imports: count('imports'),
  },
  (table) => [unique('daily_skipped_columns_key').on(table.connectionId, table.day, table.column).nullsNotDistinct()],
)

/** Days of connections to compute again: a row for each change. */
export const dailyOutcomesDue = pgTable(
  'daily_outcomes_due',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    day: date('day').notNull(),
    connectionId: uuid('connection_id').notNull(),
  },
  (table) => [index('daily_outcomes_due_day').on(table.day, table.connectionId)],
)

const failedCallColumns = () => ({
  day: date('day').notNull(),
  connectionId: uuid('connection_id').notNull(),
  /** `status`, `summary` or `details`. */
  call: text('call').notNull(),
  /** A ProviderErrorKind. */
  code: text('code').notNull(),
  calls: sum('calls').notNull(),
  firstAt: time('first_at').notNull(),
  lastAt: time('last_at').notNull(),
})

/** Failed calls to providers that aren't added up yet (reporting/failed-calls.ts). */
export const failedCalls = pgTable('failed_calls', {
  id: bigserial('id', { mode: 'number' }).primaryKey(),
  ...failedCallColumns(),
})

/** Failed calls to a connection's provider on a day (UTC). Dropping months of history doesn't touch them. */
export const dailyFailedCalls = pgTable(
  'daily_failed_calls',
  {
    ...failedCallColumns(),
    connectionId: uuid('connection_id')
      .notNull()
      .references(() => connections.id),
  },
  (table) => [
    primaryKey({ columns: [table.day, table.connectionId, table.call, table.code] }),
    index('daily_failed_calls_connection').on(table.connectionId, table.day),
  ],
)

/** How long a connection's imports take; migrations/0002_reporting.sql has comments on it. */
export const durationBaseline = reporting
  .view('duration_baseline', {
    connectionId: uuid('connection_id').notNull(),
    n: sum('n').notNull(),
    medianS: doublePrecision('median_s').notNull(),
    logMedian: doublePrecision('log_median').notNull(),
    logMad: doublePrecision('log_mad').notNull(),
    p99S: doublePrecision('p99_s').notNull(),
  })
  .existing()
