// Owns which polls and collections are due now, within what their connections allow (pauses, announced waits,
// requests in flight, a second, a month), so that claimed work may begin at once. Both are claimed alike, and draw on the same budget:
// the provider counts requests, not what they are for.
import { eq, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import type { DefaultLimits, StoredLimits } from '../model/limits.ts'
import { effectiveLimits } from '../model/limits.ts'
import { findProvider, isProviderName } from '../providers/index.ts'
import type { DueWork } from '../work/overdue.ts'
import { allowance, isMetered, nextRequestAt, type Spending, spend } from './budget.ts'
import { type Claimable, collections, lease, leaseProbes, polls, type Work } from './lease-imports.ts'
import { probeIntervalMs } from './pause.ts'
import { shareAt } from './spread.ts'

export interface Claim {
  ids: string[]
  /** Of all of them; epoch milliseconds. */
  leaseUntil: number
  /** More work is due than was claimed: look again soon. */
  saturated: boolean
}

/** Claims due polls, each under a lease. */
export function claimPolls(db: Database, now: Date): Promise<Claim> {
  return claim(db, now, polls)
}

/** Claims due collections, each under a lease: imports that are over, and whose details aren't all stored. */
export function claimCollections(db: Database, now: Date): Promise<Claim> {
  return claim(db, now, collections)
}

/** What has been due for the longest on each connection that allows it to begin now. Nothing is claimed. */
export async function longestDue(db: Database, now: Date, kind: 'poll' | 'collect'): Promise<DueWork[]> {
  const work = kind === 'poll' ? polls : collections
  const due = await connectionsWithDueWork(db, now, work, sql``)
  const open = due.filter((connection) => roomOf(connection, now) > 0 && shareAt(now.getTime(), connection) === 1)
  if (open.length === 0) return []
  const { rows } = await db.execute<{ id: string; dueAt: string }>(sql`
    SELECT due.id, due.at AS "dueAt" FROM unnest(${sql.param(open.map(({ id }) => id))}::uuid[]) AS c (id)
    CROSS JOIN LATERAL (
      SELECT id, ${work.dueAt} AS at FROM imports
      WHERE connection_id = c.id AND ${work.dueAt} <= ${now} AND ${work.leaseUntil} IS NULL
      ORDER BY ${work.dueAt} LIMIT 1
    ) due`)
  return rows.map(({ id, dueAt }) => ({ id, dueAt: new Date(dueAt) }))
}

/** What is leased although it has been due since before `dueBy`. */
export async function leasedSince(db: Database, dueBy: Date, kind: 'poll' | 'collect'): Promise<DueWork[]> {
  const { dueAt, leaseUntil } = kind === 'poll' ? polls : collections
  const { rows } = await db.execute<{ id: string; dueAt: string }>(sql`
    SELECT id, ${dueAt} AS "dueAt" FROM imports WHERE ${leaseUntil} IS NOT NULL AND ${dueAt} <= ${dueBy}`)
  return rows.map((row) => ({ id: row.id, dueAt: new Date(row.dueAt) }))
}

/** Claims come one after the other, over all processes: two at once would both spend the same budget. */
const lockKey = 0x636c696d // "clim"

function claim(db: Database, now: Date, work: Work): Promise<Claim> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${lockKey})`)
    await endExpiredLeases(tx, now, work)
    const due = await connectionsWithDueWork(tx, now, work)
    const rooms = new Map(due.map((connection) => [connection.id, roomOf(connection, now)]))
    const open = due.filter(({ id }) => (rooms.get(id) ?? 0) > 0)
    const claimed = [
      ...(await lease(
        tx,
        now,
        work,
        open.filter(({ pausedAt }) => pausedAt === null).map((connection) => claimable(connection, rooms, now)),
      )),
      ...(await leaseProbes(
        tx,
        now,
        work,
        open.filter(({ pausedAt }) => pausedAt !== null).map(({ id }) => id),
      )),
    ]
    let saturated = false
    for (const connection of due) {
      const taken = claimed.filter((row) => row.connectionId === connection.id).length
      if (taken > 0) await recordSpending(tx, now, connection, taken)
      if (taken === rooms.get(connection.id) && opensSoon(connection, now)) saturated = true
    }
    return { ids: claimed.map((row) => row.id), leaseUntil: after(now, work.leaseMs).getTime(), saturated }
  })
}

interface DueConnection extends Spending {
  id: string
  limits: DefaultLimits
  pausedAt: number | null
  nextProbeAt: number | null
  blockedUntil: number | null
  spreadFrom: number | null
  spreadUntil: number | null
  inFlight: number
}

async function endExpiredLeases(tx: Transaction, now: Date, { leaseUntil }: Work): Promise<void> {
  await tx.execute(sql`
    UPDATE imports SET ${leaseUntil} = NULL
    WHERE id IN (SELECT id FROM imports WHERE ${leaseUntil} <= ${now} FOR UPDATE SKIP LOCKED)`)
}

async function connectionsWithDueWork(
  tx: Pick<Transaction, 'execute'>,
  now: Date,
  { dueAt, leaseUntil }: Work,
  lock = sql`FOR NO KEY UPDATE OF c`, // their budget is drawn on by others, too
): Promise<DueConnection[]> {
  const { rows } = await tx.execute(sql`
    SELECT c.id, c.provider, c.limits, c.paused_at, c.next_probe_at, c.blocked_until, c.spread_from, c.spread_until,
      c.next_request_at, c.budget_month, c.month_requests,
      (SELECT count(*) FROM imports WHERE connection_id = c.id AND poll_lease_until IS NOT NULL)::int
      + (SELECT count(*) FROM imports WHERE connection_id = c.id AND collect_lease_until IS NOT NULL)::int AS in_flight
    FROM connections c
    WHERE c.deleted_at IS NULL
      AND EXISTS (SELECT 1 FROM imports WHERE connection_id = c.id AND ${dueAt} <= ${now} AND ${leaseUntil} IS NULL)
    ${lock}`)
  // What another version has stored mustn't hold up what this one knows.
  const known = rows.filter((row) => isProviderName(row.provider as string))
  return known.map((row) => ({
    id: row.id as string,
    limits: effectiveLimits(findProvider(row.provider as string), row.limits as StoredLimits),
    pausedAt: epoch(row.paused_at),
    nextProbeAt: epoch(row.next_probe_at),
    blockedUntil: epoch(row.blocked_until),
    spreadFrom: epoch(row.spread_from),
    spreadUntil: epoch(row.spread_until),
    nextRequestAt: epoch(row.next_request_at),
    budgetMonth: row.budget_month as string | null,
    monthRequests: row.month_requests as number,
    inFlight: row.in_flight as number,
  }))
}

function roomOf(connection: DueConnection, now: Date): number {
  const at = now.getTime()
  if (connection.blockedUntil !== null && connection.blockedUntil > at) return 0
  const room = allowance(connection.limits, connection, connection.inFlight, at)
  if (connection.pausedAt === null) return room
  return (connection.nextProbeAt ?? 0) <= at ? Math.min(room, 1) : 0
}

/** Whether more may start within a second, with nobody doing anything about it. */
function opensSoon({ limits, pausedAt, blockedUntil, ...spending }: DueConnection, now: Date): boolean {
  const at = now.getTime()
  if (pausedAt !== null || (blockedUntil ?? 0) > at) return false
  return nextRequestAt(limits, spending, at) < at + 1_000
}

function claimable(connection: DueConnection, rooms: ReadonlyMap<string, number>, now: Date): Claimable {
  const share = shareAt(now.getTime(), connection)
  return { id: connection.id, room: rooms.get(connection.id) ?? 0, share: share < 1 ? share : null }
}

async function recordSpending(tx: Transaction, now: Date, connection: DueConnection, requests: number): Promise<void> {
  const probing = connection.pausedAt !== null
  if (!probing && !isMetered(connection.limits)) return
  const spent = spend(connection.limits, connection, requests, now.getTime())
  await tx
    .update(connections)
    .set({
      nextRequestAt: spent.nextRequestAt === null ? null : new Date(spent.nextRequestAt),
      budgetMonth: spent.budgetMonth,
      monthRequests: spent.monthRequests,
      ...(probing && { nextProbeAt: after(now, probeIntervalMs) }),
    })
    .where(eq(connections.id, connection.id))
}

function epoch(value: unknown): number | null {
  return value === null || value === undefined ? null : new Date(value as string).getTime()
}
