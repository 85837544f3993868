// Owns what is stored of webhooks: whom we tell, what there was to tell, and what came of it. Events are
// partitioned by the month of `id`, attempts by that of `delivery_id` (history/partitions.ts), and so have no foreign
// keys to or from them.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { id, time } from './columns.ts'

/** A secret that still signs beside the current one, until its overlap is over. */
export interface PreviousSecret {
  /** Encrypted for the context `endpoint:<id>`. */
  secret: string
  expiresAt: string
}

export const webhookEndpoints = pgTable('webhook_endpoints', {
  id: id(),
  url: text('url').notNull(),
  /** The event types it wants. */
  types: text('types').array().notNull(),
  /** Names of the connections whose events it wants; null: all. */
  connections: text('connections').array(),
  /** The providers whose events it wants; null: all. */
  providers: text('providers').array(),
  /** What the metadata of an import must have for its events to be wanted; null: anything. */
  metadata: jsonb('metadata').$type<Record<string, string | number | boolean>>(),
  /** JSON of custom headers, encrypted for the context `endpoint:<id>`; null: none. */
  headers: text('headers'),
  /** `whsec_…`, encrypted for the context `endpoint:<id>`. */
  secret: text('secret').notNull(),
  previousSecrets: jsonb('previous_secrets').$type<PreviousSecret[]>().notNull().default([]),
  createdAt: time('created_at').notNull(),
  updatedAt: time('updated_at').notNull(),
  /** Since when nothing is sent to it, and why (`manual`, `gone`, `failing`). */
  disabledAt: time('disabled_at'),
  disabledReason: text('disabled_reason'),
  /** Nothing is sent before this, because the receiver asked to wait (429, 503, …). */
  blockedUntil: time('blocked_until'),
  /** To the minute; null: no attempt has succeeded yet. */
  lastSuccessAt: time('last_success_at'),
  /** Attempts that failed since the last success, and when the first of them did. */
  failures: integer('failures').notNull().default(0),
  firstFailureAt: time('first_failure_at'),
  /** Since when its breaker is open: one probe is sent at a time, and not before `nextProbeAt`. */
  failingSince: time('failing_since'),
  nextProbeAt: time('next_probe_at'),
  /** Probes that failed since the breaker opened. */
  failedProbes: integer('failed_probes').notNull().default(0),
  deletedAt: time('deleted_at'),
})

/** Where the positions of events come from. */
export const eventPositions = pgSequence('event_positions')

export const events = pgTable(
  'events',
  {
    id: id(),
    type: text('type').notNull(),
    importId: uuid('import_id'),
    connectionId: uuid('connection_id'),
    /** The endpoint that it is about, which isn't told itself; null: it is about none. */
    endpointId: uuid('endpoint_id'),
    occurredAt: time('occurred_at').notNull(),
    /** Its number among the events of its import (events/sequence.ts); null: it is of no import. */
    sequence: integer('sequence'),
    /** The webhook's body, exactly as it is sent and signed, every time. */
    body: text('body').notNull(),
    /** Its place in the feed, given after it was committed (events/feed.ts); null: none yet. */
    position: bigint('position', { mode: 'number' }),
  },
  (table) => [
    index('events_feed').on(table.position, table.id),
    index('events_import').on(table.importId, table.id),
    index('events_of_no_import').on(table.id).where(sql`${table.importId} is null`),
  ],
)

/** Where in the feed an event was that was deleted with its import, for readers that have come to it. */
export const deletedEvents = pgTable('deleted_events', {
  id: uuid('id').primaryKey(),
  position: bigint('position', { mode: 'number' }).notNull(),
})

export const deliveries = pgTable(
  'deliveries',
  {
    id: id(),
    eventId: uuid('event_id').notNull(),
    endpointId: uuid('endpoint_id')
      .notNull()
      .references(() => webhookEndpoints.id),
    /** pending | delivered | exhausted | skipped */
    state: text('state').notNull(),
    /** Automatic attempts so far; the retry schedule counts these alone. */
    attempts: integer('attempts').notNull().default(0),
    /** Attempts that somebody asked for. */
    manualAttempts: integer('manual_attempts').notNull().default(0),
    /** All attempts of both kinds before the schedule was begun anew, by recovering or replaying. */
    earlierAttempts: integer('earlier_attempts').notNull().default(0),
    /** It lets first attempts go before: an attempt has failed, or it was recovered or replayed. */
    isRetry: boolean('is_retry').notNull().default(false),
    /** Somebody asked for an attempt that hasn't been made yet. */
    manualRequested: boolean('manual_requested').notNull().default(false),
    /** When an attempt is due; null: none is. It stays while one is under way. */
    nextAttemptAt: time('next_attempt_at'),
    /** An attempt is under way until this: the delivery isn't dispatched before. */
    leaseUntil: time('lease_until'),
    deliveredAt: time('delivered_at'),
    createdAt: time('created_at').notNull(),
  },
  (table) => [
    index('deliveries_due')
      .on(table.endpointId, table.isRetry, table.nextAttemptAt)
      .where(sql`${table.nextAttemptAt} is not null and ${table.leaseUntil} is null and not ${table.manualRequested}`),
    index('deliveries_requested').on(table.endpointId, table.nextAttemptAt).where(sql`${table.manualRequested}`),
    index('deliveries_leased').on(table.endpointId, table.leaseUntil).where(sql`${table.leaseUntil} is not null`),
    uniqueIndex('deliveries_event_endpoint').on(table.eventId, table.endpointId),
    index('deliveries_endpoint').on(table.endpointId, table.id),
    index('deliveries_exhausted').on(table.endpointId, table.id).where(sql`${table.state} = 'exhausted'`),
  ],
)

/** One request to an endpoint. Written before it goes out and finished afterwards: an `in_flight` row that stays is a crash. */
export const deliveryAttempts = pgTable(
  'delivery_attempts',
  {
    deliveryId: uuid('delivery_id').notNull(),
    /** From 1, manual ones counted too. */
    number: integer('number').notNull(),
    manual: boolean('manual').notNull(),
    startedAt: time('started_at').notNull(),
    durationMs: integer('duration_ms'),
    /** One of webhooks/outcome.ts. */
    outcome: text('outcome').notNull(),
    status: integer('status'),
    responseSnippet: text('response_snippet'),
    /** One of egress/error-codes.ts; null: it was answered, or its end isn't known. */
    errorCode: text('error_code'),
  },
  (table) => [
    primaryKey({ columns: [table.deliveryId, table.number] }),
    index('delivery_attempts_snippets').on(table.startedAt).where(sql`${table.responseSnippet} is not null`),
  ],
)
