// Owns reading events: those of an import, and the feed of all events, which offers by pull what webhooks push.
//
// The feed's order. Transactions that write events overlap and commit in any order. Ids are made before the commit, by
// processes whose clocks differ. A sequence is drawn before the commit, too. The database's time is no better. A cursor
// over any of them skips events that commit late. Holding back events younger than the oldest transaction doesn't help:
// a hanging transaction stops the feed, and every clock has to be right. Here each reader of the feed first gives
// positions to committed events:
//
// - Only events that the reader sees get a position, which are committed ones. An event whose transaction is still open
//   gets a higher position later, and holds nobody up. An event that was rolled back, or whose process died, gets none.
// - One reader at a time gives positions, under an advisory lock that its transaction holds to its commit. The update
//   after the lock sees what the reader before has committed, and only that update draws on the sequence. So a position
//   is higher than all that were visible before it, and never changes. No reader passes a place that is filled later.
// - The lock and the update are one message, which Postgres runs as one transaction: a hanging process doesn't hold the
//   lock.
import { and, desc, eq, gt, gte, inArray, ne, type SQL, sql } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/pg-core'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../api/paging.ts'
import { notFound } from '../api/refusal.ts'
import { type Clock, after as later } from '../base/clock.ts'
import { firstIdAt, isId } from '../base/ids.ts'
import { parseJson } from '../base/json.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, deletedEvents, events } from '../db/schema/index.ts'

/** An event as the API shows it. What `data` is follows from `type` (http/event-schemas.ts). */
export interface ApiEvent {
  /** Equals the `webhook-id` of its webhooks. */
  id: string
  type: string
  timestamp: string
  /** Null: the event isn't of an import. */
  importId: string | null
  /** Numbers the events of an import from 1, without a gap. */
  sequence: number | null
  data: Record<string, unknown>
  /** Fields left out of `data`, because the body would have been too large. */
  omitted?: string[]
}

/** How far back the feed reaches. */
const feedMs = 30 * 24 * 3_600_000
/**
 * How many events one read gives positions to. It is more than a page, so that no reader mistakes the last positioned
 * event for the end of the feed.
 */
const placedAtOnce = 10_000
const placingLock = 0x66656564 // "feed"

/** Returns the events of an import, the oldest first. */
export async function listImportEvents(
  { db }: { db: Database },
  importId: string,
  query: PageQuery,
): Promise<Page<ApiEvent>> {
  const isNext = await followsInImport(db, readEventId(query.after))
  return list(db, query, and(eq(events.importId, importId), isNext), inImport)
}

/** Returns one event, a test of an endpoint, too. @throws {AppError} not_found */
export async function getEvent({ db }: { db: Database }, id: string): Promise<ApiEvent> {
  const [event] = isId(id) ? await selectEvents(db).where(eq(events.id, id)) : []
  if (!event) throw notFound('event')
  return present(event)
}

export interface FeedQuery extends PageQuery {
  type?: string | undefined
  /** The name of a connection, for its own events and those of its imports. */
  connection?: string | undefined
}

/**
 * Returns all events of the last 30 days except tests of endpoints, in the order in which they became visible. `after`
 * may also be the id of an event, so that a reader at the end can go on from there. Nothing ever appears before an
 * event that was shown.
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

/** Gives positions to all visible events, and returns the highest one. Returns 0 if there is none. */
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

/**
 * Keeps all others from giving positions until the transaction ends. A transaction that locks many events takes this
 * first.
 */
export async function holdPositions(tx: Transaction): Promise<void> {
  await tx.execute(sql`/* event.hold_positions */ SELECT pg_advisory_xact_lock(${placingLock})`)
}

/** Gives positions to committed events without one, as described above. */
async function place(db: Database, first: string): Promise<void> {
  // Without parameters, because only such a message may hold two statements. `first` has hexadecimal digits only.
  await db.execute(
    sql.raw(`
    /* event.place */
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

/**
 * Returns the condition for events after this one. An id outside the feed, for instance one too old, stands before all
 * later ids.
 */
async function follows(db: Database, id: string | null): Promise<SQL | undefined> {
  if (id === null) return gt(events.position, 0)
  const [seen] = await unionAll(
    db.select({ position: events.position }).from(events).where(eq(events.id, id)),
    db.select({ position: deletedEvents.position }).from(deletedEvents).where(eq(deletedEvents.id, id)),
  )
  return seen?.position ? gt(events.position, seen.position) : and(gt(events.position, 0), gt(events.id, id))
}

/** The order of an import's events. Ids alone would follow the clocks of the processes that made them. */
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
  const rows = await selectEvents(db)
    .where(where)
    .orderBy(order)
    .limit(limit + 1)
  return pageOf(rows.map(present), limit, (event) => [event.id])
}

function selectEvents(db: Database) {
  const { id, importId, sequence, body } = events
  return db.select({ id, importId, sequence, body }).from(events)
}

type StoredEvent = Pick<typeof events.$inferSelect, 'id' | 'importId' | 'sequence' | 'body'>

/** Takes the sequence from its column. Bodies older than sequences have none, and stay as they were signed. */
function present({ id, importId, sequence, body }: StoredEvent): ApiEvent {
  const { type, timestamp, data, omitted } = parseJson(body) as ApiEvent
  return { id, type, timestamp, importId, sequence, data, ...(omitted && { omitted }) }
}
