// Owns reading events: an import's, and the feed of all of them, which tells by pulling what webhooks tell by pushing.
import { and, eq, gt, gte, lt, ne, sql } from 'drizzle-orm'
import { z } from 'zod'
import { type Clock, after as later } from '../clock.ts'
import type { Database } from '../db/client.ts'
import { events } from '../db/schema/index.ts'
import { firstIdAt, isId } from '../ids.ts'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../paging.ts'

export const eventSchema = z
  .object({
    id: z.uuid().describe('The `webhook-id` of its webhooks.'),
    type: z.string(),
    timestamp: z.iso.datetime(),
    importId: z.uuid().nullable(),
    data: z.record(z.string(), z.unknown()).describe('The import (or connection, or endpoint) as it was then.'),
  })
  .meta({ id: 'Event' })

export type ApiEvent = z.infer<typeof eventSchema>

/** How far back the feed goes. */
const feedMs = 30 * 24 * 3_600_000

/** The events of an import, the oldest first. */
export function listImportEvents(
  { db }: { db: Database },
  importId: string,
  query: PageQuery,
): Promise<Page<ApiEvent>> {
  return list(db, query, eq(events.importId, importId))
}

/**
 * All events of the last 30 days but tests of endpoints, the oldest first. `after` may also be the id of an event, so
 * that whoever has come to the end can go on from there: nothing will ever appear before an event that was shown.
 */
export async function listEvents(
  { db, clock }: { db: Database; clock: Clock },
  query: PageQuery,
): Promise<Page<ApiEvent>> {
  const settled = await settledUntil(db)
  const since = later(clock.now(), -feedMs)
  const shown = and(
    gte(events.id, firstIdAt(since)),
    lt(events.id, firstIdAt(settled)),
    ne(events.type, 'webhook.test'),
  )
  return list(db, query, shown)
}

/**
 * The moment before which every event is committed or never will be. Ids are made in a transaction and seen when it
 * commits, not in order; so what is younger than the oldest transaction under way is left for the next look.
 * This has to be asked before the events are: a transaction may commit in between, but none can start in the past.
 */
async function settledUntil(db: Database): Promise<Date> {
  const { rows } = await db.execute(sql`
    SELECT extract(epoch FROM least(min(xact_start), clock_timestamp())) * 1000 AS at
    FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'import-tracker' AND pid <> pg_backend_pid()`)
  return new Date(Number(rows[0]?.at))
}

async function list(db: Database, { limit, after }: PageQuery, where: ReturnType<typeof and>): Promise<Page<ApiEvent>> {
  const cursor = after !== undefined && isId(after) ? [after] : readCursor(after, idKey)
  const rows = await db
    .select()
    .from(events)
    .where(and(where, cursor?.[0] === undefined ? undefined : gt(events.id, cursor[0])))
    .orderBy(events.id)
    .limit(limit + 1)
  return pageOf(rows.map(present), limit, (event) => [event.id])
}

function present({ id, importId, body }: typeof events.$inferSelect): ApiEvent {
  const { type, timestamp, data } = JSON.parse(body) as Pick<ApiEvent, 'type' | 'timestamp' | 'data'>
  return { id, type, timestamp, importId, data }
}
