// Owns leases: one worker at a time serves an owner of due work. Due items need no mark of their own, because no other
// worker looks at them. If a worker dies, its items are still due, and its lease ends.
import { type SQL, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { Database, Transaction } from '../db/client.ts'
import type { WorkName } from './kind.ts'

/** How long a lease lasts without renewal, in milliseconds. Then a dead worker's work is due again. */
export const leaseMs = 30_000

export interface Lease {
  id: string
  ownerId: string
}

/** Leases these owners, except those that are served already. */
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

/** Returns those of these leases that aren't over. */
export async function readLeases(db: Database | Transaction, ids: readonly string[], now: Date): Promise<Lease[]> {
  const { rows } = await db.execute<Lease & Record<string, unknown>>(sql`
    /* lease.read */
    SELECT id, owner_id AS "ownerId" FROM leases WHERE id = ANY(${sql.param(ids)}::uuid[]) AND until > ${now}`)
  return rows
}

/**
 * Returns those of these leases that aren't over. Until the transaction ends, no other worker gets one of them. It waits
 * at most `waitForRowMs` for a row that another transaction has locked; 0: as long as it takes.
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
 * Returns SQL, for a WHERE clause, that is true if a worker serves the owner. OFFSET keeps the planner from joining all
 * leases with all owners. Each owner is looked up by the index, however outdated the statistics are.
 */
export function isServed(kind: WorkName, ownerId: SQL, now: Date): SQL {
  return sql`EXISTS (SELECT FROM leases WHERE kind = ${kind} AND owner_id = ${ownerId} AND until > ${now} OFFSET 0)`
}

/** Ends leases that nobody will work under. */
export async function endLeases(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`/* lease.end */ DELETE FROM leases WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}

/** A lease, with the number of requests under way. */
export interface SizedLease {
  id: string
  size: number
}

/** Renews the leases that continue, and ends the others. Returns the ids of the renewed ones. */
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
