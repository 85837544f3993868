// Owns leasing due polls and collections, of so many imports of a connection as may start now. How many that are is
// rooms.ts's.
import { type SQL, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Transaction } from '../db/client.ts'
import { collectLeaseMs, pollLeaseMs } from '../work/leases.ts'

/** What may be due of an import: both kinds are claimed alike. */
export interface Work {
  kind: 'poll' | 'collection'
  leaseMs: number
  dueAt: SQL
  leaseUntil: SQL
}

export const polls: Work = {
  kind: 'poll',
  leaseMs: pollLeaseMs,
  dueAt: sql`next_poll_at`,
  leaseUntil: sql`poll_lease_until`,
}

export const collections: Work = {
  kind: 'collection',
  leaseMs: collectLeaseMs,
  dueAt: sql`next_collect_at`,
  leaseUntil: sql`collect_lease_until`,
}

/** A connection over which polls or collections may start. */
export interface Claimable {
  id: string
  room: number
  /** How many of its imports may go on, as a share of them; null: all. */
  share: number | null
}

/** What one claim takes of a connection at the most, so that a claim stays short. */
const claimLimit = 1_000
/** `phase` of base/ids.ts, in SQL. */
const phase = sql`('x' || right(id::text, 8))::bit(32)::bigint / 4294967296.0`

export interface Leased extends Record<string, unknown> {
  id: string
  connectionId: string
}

export async function lease(
  tx: Transaction,
  now: Date,
  { dueAt, leaseUntil, leaseMs }: Work,
  open: readonly Claimable[],
): Promise<Leased[]> {
  if (open.length === 0) return []
  const ids = sql.param(open.map(({ id }) => id))
  const limits = sql.param(open.map(({ room }) => Math.min(room, claimLimit)))
  const shares = sql.param(open.map(({ share }) => share))
  const { rows } = await tx.execute<Leased>(sql`
    UPDATE imports SET ${leaseUntil} = ${after(now, leaseMs)}
    WHERE id IN (
      SELECT due.id
      FROM unnest(${ids}::uuid[], ${limits}::int[], ${shares}::float8[]) AS c (id, room, share)
      CROSS JOIN LATERAL (
        SELECT id FROM imports
        WHERE connection_id = c.id AND ${dueAt} <= ${now} AND ${leaseUntil} IS NULL
          AND (c.share IS NULL OR ${phase} <= c.share)
        ORDER BY ${dueAt} LIMIT c.room FOR UPDATE SKIP LOCKED
      ) due)
    RETURNING id, connection_id AS "connectionId"`)
  return rows
}

/**
 * Leases what asks whether a paused connection is let in again: a poll or a collection, rather one that wasn't refused
 * itself, since its own refusal may be about it alone.
 */
export async function leaseProbes(
  tx: Transaction,
  now: Date,
  { kind, leaseUntil, leaseMs }: Work,
  connectionIds: readonly string[],
): Promise<Leased[]> {
  if (connectionIds.length === 0) return []
  const { rows } = await tx.execute<Leased>(sql`
    UPDATE imports SET ${leaseUntil} = ${after(now, leaseMs)}
    WHERE ${leaseUntil} IS NULL AND id IN (
      SELECT probe.id
      FROM unnest(${sql.param(connectionIds)}::uuid[]) AS c (id)
      CROSS JOIN LATERAL (
        SELECT * FROM (
          SELECT id, 'poll' AS kind, refused_since IS NOT NULL AS refused, next_poll_at AS due_at
          FROM imports WHERE connection_id = c.id AND next_poll_at <= ${now} AND poll_lease_until IS NULL
          UNION ALL
          SELECT id, 'collection', coalesce(details_error ->> 'code' IN ('unauthorized', 'forbidden'), false), next_collect_at
          FROM imports WHERE connection_id = c.id AND next_collect_at <= ${now} AND collect_lease_until IS NULL
        ) due ORDER BY refused, due_at LIMIT 1
      ) probe
      WHERE probe.kind = ${kind})
    RETURNING id, connection_id AS "connectionId"`)
  return rows
}
