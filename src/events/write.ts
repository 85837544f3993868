// Owns writing an event and its deliveries, in the transaction of the change that it reports.
import { sql } from 'drizzle-orm'
import { newId } from '../base/ids.ts'
import type { Transaction } from '../db/client.ts'
import { timeOrderedId } from '../db/time-ordered-id.ts'
import { unnest } from '../db/unnest.ts'
import type { EventType } from '../model/event-types.ts'
import { eventBody } from './body.ts'
import { takeSequences } from './sequence.ts'
import { isWanted } from './subscription.ts'

export interface NewEvent {
  type: EventType
  importId: string | null
  connectionId: string | null
  /** The fields that endpoints filter by: the connection's name and provider, and the import's metadata. */
  connectionName: string | null
  provider?: string | null
  metadata?: Readonly<Record<string, unknown>> | null
  /** The endpoint that the event is about, which doesn't get it. */
  endpointId?: string | null
  occurredAt: Date
  /** The import, connection, endpoint or delivery, as the API shows it. */
  data: Readonly<Record<string, unknown>>
}

/**
 * Inserts the event, and a delivery for each endpoint that subscribes to it. A delivery is due at once, or `skipped` if
 * its endpoint is disabled. Returns the event's id, which every attempt sends as the webhook's id.
 */
export async function writeEvent(tx: Transaction, event: NewEvent): Promise<string> {
  const [id = ''] = await writeEvents(tx, [event])
  return id
}

/** Writes many events as {@link writeEvent} does, in one statement. Returns their ids in the given order. */
export async function writeEvents(tx: Transaction, events: readonly NewEvent[]): Promise<string[]> {
  if (events.length === 0) return []
  const ids = events.map(() => newId())
  const sequences = await takeSequences(tx, events)
  const rows = events.map((event, index) => {
    const sequence = sequences[index] ?? null
    const metadata = event.metadata ? JSON.stringify(event.metadata) : null
    return {
      provider: null,
      endpointId: null,
      ...event,
      id: ids[index],
      metadata,
      sequence,
      body: eventBody({ ...event, sequence }),
    }
  })

  // Locks the endpoints FOR KEY SHARE, as their foreign key does anyway. Disabling or deleting an endpoint locks it FOR
  // UPDATE (webhooks/endpoints/disable.ts). So either this statement sees that change, or that change sees these
  // deliveries.
  await tx.execute(sql`
    /* event.write */
    WITH event AS (
      SELECT * FROM ${unnest('given', rows, columns)}
    ), written AS (
      INSERT INTO events (id, type, import_id, connection_id, endpoint_id, occurred_at, sequence, body)
      SELECT id, type, import_id, connection_id, endpoint_id, occurred_at, sequence, body FROM event
    )
    INSERT INTO deliveries (id, event_id, type, endpoint_id, state, next_attempt_at, created_at)
    SELECT ${timeOrderedId(sql`event.occurred_at`)}, event.id, event.type, endpoint.id,
      CASE WHEN endpoint.disabled_at IS NULL THEN 'pending' ELSE 'skipped' END,
      CASE WHEN endpoint.disabled_at IS NULL THEN event.occurred_at END,
      event.occurred_at
    FROM event JOIN webhook_endpoints endpoint ON endpoint.deleted_at IS NULL AND ${isWanted}
    FOR KEY SHARE OF endpoint`)
  return ids
}

const columns = {
  id: 'uuid',
  type: 'text',
  importId: 'uuid',
  connectionId: 'uuid',
  connectionName: 'text',
  provider: 'text',
  metadata: 'jsonb',
  endpointId: 'uuid',
  occurredAt: 'timestamptz',
  sequence: 'int',
  body: 'text',
}
