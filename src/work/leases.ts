// Owns leases: an owner of due work is served by one worker at a time. What is due of an owner needs no mark of its own,
// since nobody else looks at it; a worker that dies leaves all of it due, for when its lease ends.
import { type SQL, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { Database, Transaction } from '../db/client.ts'
import type { WorkName } from './kind.ts'

/** How long a lease lasts, in milliseconds, unless it is renewed. What a dead worker left is due again after that. */
export const leaseMs = 30_000

export interface Lease {
  id: string
  ownerId: string
}

/** Leases these owners, less those that are served already. */
export async function takeLeases(
  db: Database | Transaction,
  kind: WorkName,
  ownerIds: readonly string[],
  now: Date,
): Promise<Lease[]> {
  if (ownerIds.length === 0) return []
  const { rows } = await db.execute<Lease & Record<string, unknown>>(sql`
    /* lease.take */
    INSERT INTO leases (id, kind, owner_id, until)
    SELECT id, ${kind}, owner_id, ${after(now, leaseMs)}
    FROM unnest(${sql.param(ownerIds.map(() => newId()))}::uuid[], ${sql.param(ownerIds)}::uuid[]) AS wanted (id, owner_id)
    ORDER BY owner_id
    ON CONFLICT (kind, owner_id) DO UPDATE SET id = excluded.id, until = excluded.until, size = 0
    WHERE leases.until <= ${now}
    RETURNING id, owner_id AS "ownerId"`)
  return rows.map(({ id, ownerId }) => ({ id, ownerId }))
}

/** Of the leases that jobs are for those that aren't over. */
export async function readLeases(db: Database | Transaction, ids: readonly string[], now: Date): Promise<Lease[]> {
  const { rows } = await db.execute<Lease & Record<string, unknown>>(sql`
    /* lease.read */
    SELECT id, owner_id AS "ownerId" FROM leases WHERE id = ANY(${sql.param(ids)}::uuid[]) AND until > ${now}`)
  return rows
}

/**
 * Of these leases those that aren't over. Until the transaction ends, no other worker gets one of them, and it waits for
 * each row at the most so long; 0: as long as it takes.
 */
export async function lockLeases(
  tx: Transaction,
  ids: readonly string[],
  now: Date,
  waitForRowMs = 0,
): Promise<Set<string>> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    /* lease.lock */
    SELECT id, set_config('lock_timeout', ${String(waitForRowMs)}, true) FROM leases WHERE id = ANY(${sql.param(ids)}::uuid[]) AND until > ${now} ORDER BY id FOR UPDATE`)
  return new Set(rows.map(({ id }) => id))
}

/**
 * Whether somebody serves an owner, for a WHERE clause. OFFSET keeps the planner from joining all leases with all
 * owners: each is looked up by its index, however many there are since the statistics were made.
 */
export function isServed(kind: WorkName, ownerId: SQL, now: Date): SQL {
  return sql`EXISTS (SELECT FROM leases WHERE kind = ${kind} AND owner_id = ${ownerId} AND until > ${now} OFFSET 0)`
}

/** Ends leases that nobody is to work under. */
export async function endLeases(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`/* lease.end */ DELETE FROM leases WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}

/** A lease with how many requests are under way under it. */
export interface SizedLease {
  id: string
  size: number
}

/** Renews the leases that go on, and ends those that don't. Returns the ids of those that weren't over. */
export async function renewLeases(
  tx: Transaction | Database,
  { goOn, end }: { goOn: readonly SizedLease[]; end: readonly string[] },
  now: Date,
): Promise<Set<string>> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    /* lease.renew */
    WITH ended AS (DELETE FROM leases WHERE id = ANY(${sql.param(end)}::uuid[]) RETURNING id)
    UPDATE leases SET size = renewed.size, until = ${after(now, leaseMs)}
    FROM unnest(${sql.param(goOn.map(({ id }) => id))}::uuid[], ${sql.param(goOn.map(({ size }) => size))}::int[]) AS renewed (id, size)
    WHERE leases.id = renewed.id AND leases.until > ${now}
    RETURNING leases.id`)
  return new Set(rows.map(({ id }) => id))
}
