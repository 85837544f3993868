// Owns reading events: an import's, and the feed of all of them, which tells by pulling what webhooks tell by pushing.
//
// The feed's order. Transactions that write events overlap and commit in any order. So neither ids (made before the
// commit, by processes whose clocks differ) nor a sequence (drawn before the commit, too) nor the database's time say in
// which order events can be seen: a cursor over any of them passes by what is committed late. Holding back what is
// younger than the oldest transaction doesn't help: whoever hangs in a transaction stops the feed, and every clock has
// to be right. Here, positions are given to what is committed, by whoever reads the feed:
//
// - Only to events that the giver sees: committed ones. One whose transaction is still open gets a higher position
//   later and holds up nobody; one that was rolled back, or whose process died, gets none.
// - One giver at a time, until its own commit: an advisory lock that the transaction holds to its end. The statement
//   after it sees what the giver before has committed, and the sequence is drawn on in there alone. So a position is
//   higher than all that could be seen before it, never changes, and no reader has passed by a place that is filled later.
// - The lock and the update are one message, which Postgres runs as one transaction: a process that hangs doesn't hold
//   the lock.
import { and, desc, eq, gt, gte, inArray, ne, type SQL, sql } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/pg-core'
import { z } from 'zod'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../api/paging.ts'
import { type Clock, after as later } from '../base/clock.ts'
import { firstIdAt, isId } from '../base/ids.ts'
import { parseJson } from '../base/json.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, deletedEvents, events } from '../db/schema/index.ts'

export const eventSchema = z
  .object({
    id: z.uuid().describe('The `webhook-id` of its webhooks.'),
    type: z.string(),
    timestamp: z.iso.datetime(),
    importId: z.uuid().nullable(),
    sequence: z
      .number()
      .int()
      .nullable()
      .describe('From 1, without a gap, for each import; null: the event is of no import. A higher one is newer.'),
    data: z.record(z.string(), z.unknown()).describe('The import (or connection, or endpoint) as it was then.'),
    omitted: z
      .array(z.string())
      .optional()
      .describe('What `data` is without, since the body would have been too large; absent: nothing.'),
  })
  .meta({ id: 'Event' })

export type ApiEvent = z.infer<typeof eventSchema>

/** How far back the feed goes. */
const feedMs = 30 * 24 * 3_600_000
/** Events that a reader gives positions to: more than a page, so that whoever reads on is never at an end that is none. */
const placedAtOnce = 10_000
const placingLock = 0x66656564 // "feed"

/** The events of an import, the oldest first. */
export async function listImportEvents(
  { db }: { db: Database },
  importId: string,
  query: PageQuery,
): Promise<Page<ApiEvent>> {
  const isNext = await followsInImport(db, readEventId(query.after))
  return list(db, query, and(eq(events.importId, importId), isNext), inImport)
}

export interface FeedQuery extends PageQuery {
  type?: string | undefined
  /** The name of a connection: its own events, and those of its imports. */
  connection?: string | undefined
}

/**
 * All events of the last 30 days but tests of endpoints, in the order in which they could be seen first. `after` may
 * also be the id of an event, so that whoever has come to the end can go on from there: nothing will ever appear before
 * an event that was shown.
 */
export async function listEvents(
  { db, clock }: { db: Database; clock: Clock },
  query: FeedQuery,
): Promise<Page<ApiEvent>> {
  const first = firstIdAt(later(clock.now(), -feedMs))
  await place(db, first)
  const isNext = await follows(db, readEventId(query.after))
  const isShown = and(isNext, gte(events.id, first), ne(events.type, 'webhook.test'), isAskedFor(db, query))
  return list(db, query, isShown, events.position)
}

function isAskedFor(db: Database, { type, connection }: FeedQuery): SQL | undefined {
  const named = db
    .select({ id: connections.id })
    .from(connections)
    .where(eq(connections.name, connection ?? ''))
  return and(
    type === undefined ? undefined : eq(events.type, type),
    connection === undefined ? undefined : inArray(events.connectionId, named),
  )
}

/** The highest position that an event has, once all that can be seen have one; 0: there is none. */
export async function newestPosition({ db, clock }: { db: Database; clock: Clock }): Promise<number> {
  await place(db, firstIdAt(later(clock.now(), -feedMs)))
  const [newest] = await db
    .select({ position: events.position })
    .from(events)
    .where(gt(events.position, 0))
    .orderBy(desc(events.position))
    .limit(1)
  return newest?.position ?? 0
}

/** Nobody gives positions until the transaction ends: whoever locks many events takes this first. */
export async function holdPositions(tx: Transaction): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${placingLock})`)
}

/** Gives a position to what is committed and has none yet; see above. */
async function place(db: Database, first: string): Promise<void> {
  // Without parameters: only then may a message have two statements. `first` is hexadecimal digits.
  await db.execute(
    sql.raw(`
    SELECT pg_advisory_xact_lock(${placingLock});
    UPDATE events SET position = placed.position
    FROM (
      SELECT id, nextval('event_positions') AS position
      FROM (
        SELECT id FROM events WHERE position IS NULL AND id >= '${first}' ORDER BY id LIMIT ${placedAtOnce}
      ) unplaced
    ) placed
    WHERE events.id = placed.id AND events.id >= '${first}'`),
  )
}

/** What comes after an event. An id that isn't in the feed, such as one too old, stands before all later ids. */
async function follows(db: Database, id: string | null): Promise<SQL | undefined> {
  if (id === null) return gt(events.position, 0)
  const [seen] = await unionAll(
    db.select({ position: events.position }).from(events).where(eq(events.id, id)),
    db.select({ position: deletedEvents.position }).from(deletedEvents).where(eq(deletedEvents.id, id)),
  )
  return seen?.position ? gt(events.position, seen.position) : and(gt(events.position, 0), gt(events.id, id))
}

/** The order of an import's events: ids alone would follow the clocks of the processes that made them. */
const inImport = sql`coalesce(${events.sequence}, 0), ${events.id}`

async function followsInImport(db: Database, id: string | null): Promise<SQL | undefined> {
  if (id === null) return undefined
  const [seen] = await db.select({ sequence: events.sequence }).from(events).where(eq(events.id, id))
  return seen ? sql`(${inImport}) > (${seen.sequence ?? 0}::int, ${id}::uuid)` : gt(events.id, id)
}

function readEventId(after: string | undefined): string | null {
  if (after !== undefined && isId(after)) return after
  return readCursor(after, idKey)?.[0] ?? null
}

async function list(
  db: Database,
  { limit }: PageQuery,
  where: SQL | undefined,
  order: SQL | typeof events.position,
): Promise<Page<ApiEvent>> {
  const rows = await db
    .select({ id: events.id, importId: events.importId, sequence: events.sequence, body: events.body })
    .from(events)
    .where(where)
    .orderBy(order)
    .limit(limit + 1)
  return pageOf(rows.map(present), limit, (event) => [event.id])
}

type StoredEvent = Pick<typeof events.$inferSelect, 'id' | 'importId' | 'sequence' | 'body'>

/** The sequence is the column's: bodies from before there was one have none, and are signed as they are. */
function present({ id, importId, sequence, body }: StoredEvent): ApiEvent {
  const { type, timestamp, data, omitted } = parseJson(body) as ApiEvent
  return { id, type, timestamp, importId, sequence, data, ...(omitted && { omitted }) }
}
