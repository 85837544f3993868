// Owns writing down that something happened, and whom to tell: in the transaction in which it happened.
import { sql } from 'drizzle-orm'
import { newId } from '../base/ids.ts'
import type { Transaction } from '../db/client.ts'
import { timeOrderedId } from '../db/time-ordered-id.ts'
import type { EventType } from '../model/event-types.ts'
import { eventBody } from './body.ts'
import { takeSequences } from './sequence.ts'
import { isWanted } from './subscription.ts'

export interface NewEvent {
  type: EventType
  importId: string | null
  connectionId: string | null
  /** What endpoints select events by: the connection's name and provider, and the import's metadata. */
  connectionName: string | null
  provider?: string | null
  metadata?: Readonly<Record<string, unknown>> | null
  /** The endpoint that it is about: it isn't told itself. */
  endpointId?: string | null
  occurredAt: Date
  /** The import, connection, endpoint or delivery as the API shows it. */
  data: Readonly<Record<string, unknown>>
}

/**
 * Inserts the event, and a delivery for each endpoint that asked for it: due at once, or `skipped` where the endpoint
 * is disabled. Returns the event's id, which is the webhook's id on every attempt.
 */
export async function writeEvent(tx: Transaction, event: NewEvent): Promise<string> {
  const [id = ''] = await writeEvents(tx, [event])
  return id
}

/** {@link writeEvent} for many, in one statement. Returns their ids, in order. */
export async function writeEvents(tx: Transaction, events: readonly NewEvent[]): Promise<string[]> {
  if (events.length === 0) return []
  const ids = events.map(() => newId())
  const sequences = await takeSequences(tx, events)
  const bodies = events.map((event, index) => eventBody({ ...event, sequence: sequences[index] ?? null }))
  const column = (values: readonly unknown[], type: string) => sql`${sql.param(values)}::${sql.raw(type)}[]`

  // The endpoints are locked FOR KEY SHARE, as their foreign key does anyway: one that is being disabled or deleted
  // (webhooks/endpoints/disable.ts locks it FOR UPDATE) is either seen so here, or sees the deliveries written here.
  await tx.execute(sql`
    WITH event AS (
      SELECT * FROM unnest(
        ${column(ids, 'uuid')},
        ${column(pluck(events, 'type'), 'text')},
        ${column(pluck(events, 'importId'), 'uuid')},
        ${column(pluck(events, 'connectionId'), 'uuid')},
        ${column(pluck(events, 'connectionName'), 'text')},
        ${column(pluck(events, 'provider'), 'text')},
        ${column(events.map(metadataJson), 'jsonb')},
        ${column(pluck(events, 'endpointId'), 'uuid')},
        ${column(pluck(events, 'occurredAt'), 'timestamptz')},
        ${column(sequences, 'int')},
        ${column(bodies, 'text')}
      ) AS given (id, type, import_id, connection_id, connection_name, provider, metadata, endpoint_id, occurred_at, sequence, body)
    ), written AS (
      INSERT INTO events (id, type, import_id, connection_id, endpoint_id, occurred_at, sequence, body)
      SELECT id, type, import_id, connection_id, endpoint_id, occurred_at, sequence, body FROM event
    )
    INSERT INTO deliveries (id, event_id, endpoint_id, state, next_attempt_at, created_at)
    SELECT ${timeOrderedId(sql`event.occurred_at`)}, event.id, endpoint.id,
      CASE WHEN endpoint.disabled_at IS NULL THEN 'pending' ELSE 'skipped' END,
      CASE WHEN endpoint.disabled_at IS NULL THEN event.occurred_at END,
      event.occurred_at
    FROM event JOIN webhook_endpoints endpoint ON endpoint.deleted_at IS NULL AND ${isWanted}
    FOR KEY SHARE OF endpoint`)
  return ids
}

function metadataJson({ metadata }: NewEvent): string | null {
  return metadata ? JSON.stringify(metadata) : null
}

function pluck<Key extends keyof NewEvent>(events: readonly NewEvent[], key: Key): NewEvent[Key][] {
  return events.map((event) => event[key])
}
