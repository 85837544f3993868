// Owns the tables of webhooks: endpoints, events, deliveries and attempts. Events are partitioned by the month of `id`,
// attempts by the month of `delivery_id` (history/partitions.ts). So they have no foreign keys, and nothing refers to
// them.
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
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { id, time } from './columns.ts'

/** A secret that still signs beside the current one until `expiresAt`. */
export interface PreviousSecret {
  /** Encrypted for the context `endpoint:<id>`. */
  secret: string
  expiresAt: string
}

export const webhookEndpoints = pgTable('webhook_endpoints', {
  id: id(),
  url: text('url').notNull(),
  /** The event types that the endpoint subscribes to. */
  types: text('types').array().notNull(),
  /** The names of the connections whose events it gets. Null: all. */
  connections: text('connections').array(),
  /** The providers whose events it gets. Null: all. */
  providers: text('providers').array(),
  /** The keys and values that an import's metadata must contain for its events to be sent. Null: any. */
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
  /** The receiver asked for no attempts before this moment (429, 503, …). */
  blockedUntil: time('blocked_until'),
  /** The last attempt that succeeded, to the minute. Null: none has. */
  lastSuccessAt: time('last_success_at'),
  /** How many attempts have failed since the last success, and when the first of them did. */
  failures: integer('failures').notNull().default(0),
  firstFailureAt: time('first_failure_at'),
  /** Since when its breaker has been open: probes are sent one at a time, and not before `nextProbeAt`. */
  failingSince: time('failing_since'),
  nextProbeAt: time('next_probe_at'),
  /** How many probes have failed since the breaker opened. */
  failedProbes: integer('failed_probes').notNull().default(0),
  deletedAt: time('deleted_at'),
})

/** Numbers the positions of events in the feed. */
export const eventPositions = pgSequence('event_positions')

export const events = pgTable(
  'events',
  {
    id: id(),
    type: text('type').notNull(),
    importId: uuid('import_id'),
    connectionId: uuid('connection_id'),
    /** The endpoint that the event is about, which doesn't get it. Null: it is about none. */
    endpointId: uuid('endpoint_id'),
    occurredAt: time('occurred_at').notNull(),
    /** The event's number among the events of its import (events/sequence.ts). Null: it has no import. */
    sequence: integer('sequence'),
    /** The webhook's body: every attempt signs and sends exactly these bytes. */
    body: text('body').notNull(),
    /** The event's place in the feed, assigned after its commit (events/feed.ts). Null: not assigned yet. */
    position: bigint('position', { mode: 'number' }),
  },
  (table) => [
    index('events_feed').on(table.position, table.id),
    index('events_import').on(table.importId, table.id),
    index('events_of_no_import').on(table.id).where(sql`${table.importId} is null`),
  ],
)

/** The places in the feed of events that were deleted with their import, for readers whose cursor is such an event. */
export const deletedEvents = pgTable('deleted_events', {
  id: uuid('id').primaryKey(),
  position: bigint('position', { mode: 'number' }).notNull(),
})

export const deliveries = pgTable(
  'deliveries',
  {
    id: id(),
    eventId: uuid('event_id').notNull(),
    /** The event's type, for lists. Null: a version wrote the delivery that had no such column. */
    type: text('type'),
    endpointId: uuid('endpoint_id')
      .notNull()
      .references(() => webhookEndpoints.id),
    /** pending | delivered | exhausted | skipped */
    state: text('state').notNull(),
    /** Automatic attempts so far. Only these count for the retry schedule. */
    attempts: integer('attempts').notNull().default(0),
    /** Attempts that a caller asked for. */
    manualAttempts: integer('manual_attempts').notNull().default(0),
    /** All attempts of both kinds before recovering or replaying began the schedule again. */
    earlierAttempts: integer('earlier_attempts').notNull().default(0),
    /** Lets first attempts go first: an attempt has failed, or the delivery was recovered or replayed. */
    isRetry: boolean('is_retry').notNull().default(false),
    /** A caller asked for an attempt that hasn't been made yet. */
    manualRequested: boolean('manual_requested').notNull().default(false),
    /** When an attempt is due. Null: none is. The time stays while an attempt is under way: the endpoint's worker knows. */
    nextAttemptAt: time('next_attempt_at'),
    deliveredAt: time('delivered_at'),
    /** The first digit of the last finished attempt's status. 0: it got no answer. Null: no attempt has finished. */
    statusClass: smallint('status_class'),
    createdAt: time('created_at').notNull(),
  },
  (table) => [
    index('deliveries_due')
      .on(table.endpointId, table.isRetry, table.nextAttemptAt)
      .where(sql`${table.nextAttemptAt} is not null and not ${table.manualRequested}`),
    index('deliveries_requested').on(table.endpointId, table.nextAttemptAt).where(sql`${table.manualRequested}`),
    uniqueIndex('deliveries_event_endpoint').on(table.eventId, table.endpointId),
    index('deliveries_endpoint').on(table.endpointId, table.id),
    // Lists of deliveries: each filter has an index.
    index('deliveries_state').on(table.state, table.id),
    index('deliveries_type').on(table.type, table.id),
    index('deliveries_status').on(table.statusClass, table.id).where(sql`${table.statusClass} is not null`),
    index('deliveries_exhausted').on(table.endpointId, table.id).where(sql`${table.state} = 'exhausted'`),
  ],
)

/**
 * One request to an endpoint, written before it goes out and finished afterwards. An `in_flight` row that stays means
 * that a process died.
 */
export const deliveryAttempts = pgTable(
  'delivery_attempts',
  {
    deliveryId: uuid('delivery_id').notNull(),
    /** From 1, manual attempts included. */
    number: integer('number').notNull(),
    manual: boolean('manual').notNull(),
    startedAt: time('started_at').notNull(),
    durationMs: integer('duration_ms'),
    /** An outcome of webhooks/outcome.ts. */
    outcome: text('outcome').notNull(),
    status: integer('status'),
    responseSnippet: text('response_snippet'),
    /** A code of egress/error-codes.ts. Null: there was an answer, or the end isn't known. */
    errorCode: text('error_code'),
  },
  (table) => [
    primaryKey({ columns: [table.deliveryId, table.number] }),
    index('delivery_attempts_snippets').on(table.startedAt).where(sql`${table.responseSnippet} is not null`),
  ],
)
