// Owns events in tests: written as the service writes them, and read.
import { asc, eq } from 'drizzle-orm'
import { newId } from '../../../src/base/ids.ts'
import { deliveries, events } from '../../../src/db/schema/index.ts'
import { type NewEvent, writeEvent } from '../../../src/events/write.ts'
import type { ManualClock } from '../clock.ts'
import type { Ground } from './ground.ts'

export function eventsIn(ground: Ground) {
  const eventsOf = (importId: string) =>
    ground.db.select().from(events).where(eq(events.importId, importId)).orderBy(asc(events.id))
  return {
    eventsOf,
    eventTypesOf: async (importId: string) => (await eventsOf(importId)).map(({ type }) => type),
    /** The types of the events that the endpoint has deliveries of, in order. */
    async eventTypesTo(endpointId: string): Promise<string[]> {
      const rows = await ground.db
        .select({ type: events.type })
        .from(deliveries)
        .innerJoin(events, eq(events.id, deliveries.eventId))
        .where(eq(deliveries.endpointId, endpointId))
        .orderBy(deliveries.id)
      return rows.map(({ type }) => type)
    },
  }
}

export function eventWritingIn(ground: Ground<ManualClock>) {
  return {
    /** Writes an event in a transaction of its own, a millisecond later than anything else. Returns its id. */
    event(event: Partial<NewEvent> = {}): Promise<string> {
      ground.clock.advance(1)
      return ground.db.transaction((tx) => writeEvent(tx, { ...someEvent(ground.clock), ...event }))
    },
  }
}

export function someEvent(clock: Ground['clock']): NewEvent {
  return {
    type: 'import.succeeded',
    importId: null,
    connectionId: null,
    connectionName: 'crm',
    occurredAt: clock.now(),
    data: { id: newId(), state: 'succeeded', message: 'über 100 Zeilen' },
  }
}

/** What makes an event one of this import. */
export function ofImport({ id, connectionId }: { id: string; connectionId: string }) {
  return { importId: id, connectionId }
}
