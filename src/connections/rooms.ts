// Owns how many requests each connection may begin now: within pauses, blocks, requests in flight, the pace, and the
// budgets of a day and a month. Polls and collections share one budget, because the provider counts requests whatever their
// purpose.
import { and, eq, inArray, isNull, not, type SQL, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import { everyImport } from '../baselines/kind.ts'
import { allowance, isMetered, nextRequestAt, spend } from '../budget/budget.ts'
import { spendingOf } from '../budget/spending.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { type DefaultLimits, effectiveLimits } from '../model/limits.ts'
import { defaultsOf, isKnown } from '../providers/facts.ts'
import { isServed } from '../work/leases.ts'
import type { DueWork } from '../work/overdue.ts'
import { probeIntervalMs } from './pause.ts'
import type { ConnectionRow } from './present.ts'
import { shareAt, spentColumns } from './spread.ts'

/** A connection, and how many requests it may begin now. */
export interface Room {
  id: string
  row: ConnectionRow
  limits: DefaultLimits
  requests: number
  /** The share of its imports that may continue now, from 0 to 1. */
  share: number
  /** True: another transaction has locked the connection, so nothing begins over it for a moment. */
  isTaken: boolean
  /** The revision of its baseline, to see whether what is known of it has changed. Null: it has none. */
  baselineRevision: number | null
  /** True: the connection is paused, and one request tries whether the provider accepts its credentials again. */
  isProbe: boolean
}

/** The wait before a locked connection is tried again. */
const takenMs = 50

/** A connection's id inside a subquery. Drizzle would leave out the table's name in a list of columns. */
const connectionId = sql.raw('connections.id')

/** A kind of work that calls a connection's provider. */
export type ConnectionWork = 'poll' | 'collect'

const connectionWork: readonly ConnectionWork[] = ['poll', 'collect']

/**
 * Returns SQL for how many requests are under way over a connection, without those of one kind of work. Each kind's lease
 * is read by its index.
 */
function underWay(now: Date, butFor: ConnectionWork | null = null): SQL<number> {
  const kinds = connectionWork.filter((kind) => kind !== butFor)
  return sql<number>`(
    SELECT coalesce(sum(size), 0) FROM leases
    WHERE kind = ANY(${sql.param(kinds)}::text[]) AND owner_id = ${connectionId} AND until > ${now})::int`
}

/** A connection that a worker serves, with its requests under way. */
interface Served {
  id: string
  underWay: { size: number }
}

/**
 * Returns the rooms of these connections in their order, without deleted ones. The connections are locked until the
 * transaction ends, so that polls and collections together stay within what a connection allows. A connection that
 * another transaction has locked has no room, because the others can't wait for it.
 */
export async function readRooms(
  tx: Transaction,
  kind: ConnectionWork,
  owners: readonly Served[],
  now: Date,
): Promise<Room[]> {
  const ours = new Map(owners.map((owner) => [owner.id, owner.underWay.size]))
  const ids = [...ours.keys()]
  const { rows: locked } = await tx.execute<{ id: string }>(sql`
    /* rooms.lock */
    SELECT id FROM connections WHERE id = ANY(${sql.param(ids)}::uuid[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`)
  const isOurs = new Set(locked.map(({ id }) => id))
  // Read after the lock, because the other kind of work may have begun requests and committed.
  const found = await select(tx, ids, kind, now)
  const rooms = new Map(
    found.map(({ row, others, baselineRevision }) => {
      const room = { ...roomOf(row, (ours.get(row.id) ?? 0) + others, now), baselineRevision }
      return [row.id, isOurs.has(row.id) ? room : { ...room, requests: 0, isTaken: true }]
    }),
  )
  return ids.flatMap((id) => rooms.get(id) ?? [])
}

const baselineRevision = sql<number | null>`(
    SELECT revision FROM baselines WHERE connection_id = ${connectionId} AND kind = ${everyImport})`

/** Reads the connections. `others`: how many requests the other kind of work has under way. */
async function select(tx: Transaction, ids: readonly string[], kind: ConnectionWork, now: Date) {
  const found = await tx
    .select({ row: connections, others: underWay(now, kind), baselineRevision })
    .from(connections)
    .where(and(inArray(connections.id, [...ids]), isNull(connections.deletedAt)))
  // A connection to a provider that only another version knows must not hold up the others.
  return found.filter(({ row }) => isKnown(row))
}

function limitsOf(row: ConnectionRow): DefaultLimits {
  return effectiveLimits(defaultsOf(row), row.limits)
}

function roomOf(row: ConnectionRow, inFlight: number, now: Date): Omit<Room, 'baselineRevision'> {
  const limits = limitsOf(row)
  return {
    id: row.id,
    row,
    limits,
    requests: requestsOf(row, limits, inFlight, now),
    share: shareAt(now.getTime(), {
      spreadFrom: row.spreadFrom?.getTime() ?? null,
      spreadUntil: row.spreadUntil?.getTime() ?? null,
    }),
    isTaken: false,
    isProbe: row.pausedAt !== null,
  }
}

function requestsOf(row: ConnectionRow, limits: DefaultLimits, inFlight: number, now: Date): number {
  if (row.blockedUntil !== null && row.blockedUntil > now) return 0
  const allowed = allowance(limits, spendingOf(row), inFlight, now.getTime())
  if (row.pausedAt === null) return allowed
  return row.nextProbeAt === null || row.nextProbeAt <= now ? Math.min(allowed, 1) : 0
}

/**
 * Returns when a connection without room has room again by itself. Returns null if only the end of a running request
 * makes room.
 */
export function opensAt({ row, limits, isTaken }: Room, taken: number, now: Date): Date | null {
  if (isTaken) return after(now, takenMs)
  if (row.blockedUntil !== null && row.blockedUntil > now) return row.blockedUntil
  if (row.pausedAt !== null) return taken > 0 ? after(now, probeIntervalMs) : row.nextProbeAt
  if (!isMetered(limits)) return null
  const spent = spend(limits, spendingOf(row), taken, now.getTime())
  const at = nextRequestAt(limits, spent, now.getTime())
  return at > now.getTime() ? new Date(at) : null
}

/** Counts requests that begin now, by connection. */
export async function spendRequests(tx: Transaction, begun: readonly { room: Room; requests: number }[], now: Date) {
  for (const { room, requests } of begun) {
    if (requests === 0 || !(room.isProbe || isMetered(room.limits))) continue
    const spent = spend(room.limits, spendingOf(room.row), requests, now.getTime())
    await tx
      .update(connections)
      .set({
        ...spentColumns(room.limits, spent, now.getTime()),
        ...(room.isProbe && { nextProbeAt: after(now, probeIntervalMs) }),
      })
      .where(eq(connections.id, room.id))
  }
}

interface DueSearch {
  kind: ConnectionWork
  /** When the oldest due work of a connection was due. Null: nothing is due. */
  oldestDue: SQL
  limit: number
}

/** Returns connections with due work that no worker serves and that allow a request now, the longest due first. */
export async function connectionsToServe(db: Database, search: DueSearch, now: Date): Promise<string[]> {
  const found = await findDue(db, { ...search, served: false, isOpen: ({ requests }) => requests > 0 }, now)
  return found.map(({ id }) => id)
}

/** How many connections' oldest due work is read at most. */
const mostLookedAt = 100

/**
 * Returns the longest due work of each connection with room. If a worker serves the connection, that work may be under
 * way.
 */
export function longestDue(
  db: Database,
  search: Omit<DueSearch, 'limit'> & { served: boolean },
  now: Date,
): Promise<DueWork[]> {
  const isOpen = ({ requests, share }: Pick<Room, 'requests' | 'share'>) => requests > 0 && share === 1
  return findDue(db, { ...search, limit: mostLookedAt, isOpen }, now)
}

/** Returns SQL that skips blocked and paused connections, which may be thousands. `requestsOf` judges the others. */
function mayAsk(now: Date): SQL {
  return sql`(blocked_until IS NULL OR blocked_until <= ${now})
    AND (paused_at IS NULL OR next_probe_at IS NULL OR next_probe_at <= ${now})`
}

/** Rows of a page at the least: where the first connections allow nothing, more are read. */
const leastPage = 100

/**
 * Connections that have work due, page by page until there are enough, because there may be thousands. Each is asked by
 * itself what is due of it: OFFSET keeps the planner from asking anew wherever the answer is used.
 */
async function findDue(
  db: Database,
  {
    kind,
    oldestDue,
    limit,
    served,
    isOpen,
  }: DueSearch & {
    served: boolean
    isOpen(room: Pick<Room, 'requests' | 'share'>): boolean
  },
  now: Date,
): Promise<DueWork[]> {
  const isTaken = isServed(kind, connectionId, now)
  const page = Math.max(limit, leastPage)
  const open: DueWork[] = []
  for (let offset = 0; ; offset += page) {
    const found = await db
      .select({ row: connections, underWay: underWay(now), dueAt: sql<string>`due.due_at` })
      .from(connections)
      .innerJoin(sql`LATERAL (SELECT (${oldestDue}) AS due_at OFFSET 0) due`, sql`due.due_at IS NOT NULL`)
      .where(and(isNull(connections.deletedAt), mayAsk(now), served ? isTaken : not(isTaken)))
      .orderBy(sql`due.due_at`, connections.id)
      .limit(page)
      .offset(offset)
    for (const { row, underWay, dueAt } of found)
      if (isKnown(row) && isOpen(roomOf(row, underWay, now))) open.push({ id: row.id, dueAt: new Date(dueAt) })
    if (open.length >= limit || found.length < page) return open.slice(0, limit)
  }
}
