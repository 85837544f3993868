// Owns writing down that something happened, and whom to tell: in the transaction in which it happened.
import { sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { newId } from '../ids.ts'
import { eventBody } from './event-body.ts'
import type { EventType } from './event-types.ts'

export interface NewEvent {
  type: EventType
  importId: string | null
  connectionId: string | null
  /** What endpoints select connections by. */
  connectionName: string | null
  occurredAt: Date
  /** The import, connection or endpoint as the API shows it. */
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
  const column = (values: readonly unknown[], type: string) => sql`${sql.param(values)}::${sql.raw(type)}[]`

  // The endpoints are locked FOR KEY SHARE, as their foreign key does anyway: one that is being disabled or deleted
  // (endpoints/disable.ts locks it FOR UPDATE) is either seen so here, or sees the deliveries written here.
  await tx.execute(sql`
    WITH given AS (
      SELECT * FROM unnest(
        ${column(ids, 'uuid')},
        ${column(pluck(events, 'type'), 'text')},
        ${column(pluck(events, 'importId'), 'uuid')},
        ${column(pluck(events, 'connectionId'), 'uuid')},
        ${column(pluck(events, 'connectionName'), 'text')},
        ${column(pluck(events, 'occurredAt'), 'timestamptz')},
        ${column(events.map(eventBody), 'text')}
      ) AS event (id, type, import_id, connection_id, connection_name, occurred_at, body)
    ), written AS (
      INSERT INTO events (id, type, import_id, connection_id, occurred_at, body)
      SELECT id, type, import_id, connection_id, occurred_at, body FROM given
    )
    INSERT INTO deliveries (id, event_id, endpoint_id, state, next_attempt_at, created_at)
    SELECT ${timeOrderedId(sql`given.occurred_at`)}, given.id, endpoint.id,
      CASE WHEN endpoint.disabled_at IS NULL THEN 'pending' ELSE 'skipped' END,
      CASE WHEN endpoint.disabled_at IS NULL THEN given.occurred_at END,
      given.occurred_at
    FROM given JOIN webhook_endpoints endpoint ON endpoint.deleted_at IS NULL
      AND given.type = ANY (endpoint.types)
      AND (endpoint.connections IS NULL OR given.connection_name = ANY (endpoint.connections))
    FOR KEY SHARE OF endpoint`)
  return ids
}

/** A UUIDv7 (RFC 9562) made by Postgres: it is only there that the number of deliveries is known. */
function timeOrderedId(moment: ReturnType<typeof sql>) {
  const time = sql`lpad(to_hex((extract(epoch FROM ${moment}) * 1000)::bigint), 12, '0')`
  return sql`(left(${time}, 8) || '-' || right(${time}, 4) || '-7' || substr(gen_random_uuid()::text, 16))::uuid`
}

function pluck<Key extends keyof NewEvent>(events: readonly NewEvent[], key: Key): NewEvent[Key][] {
  return events.map((event) => event[key])
}
