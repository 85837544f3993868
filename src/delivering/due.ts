// Owns which endpoints have due deliveries that may begin, and are served by no worker.
//
// Each endpoint is read by itself, with short scans of an index of its deliveries, from the beginning. If they were
// joined or counted together, Postgres might read the whole table, because its statistics about due deliveries are
// never up to date.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { isServed } from '../work/leases.ts'
import type { DueWork } from '../work/overdue.ts'
import { failuresToTrouble } from './allot.ts'

/** Returns endpoints that answer, the longest due first. */
export async function endpointsToServe(db: Database, now: Date, limit: number): Promise<string[]> {
  const { rows } = await db.execute<{ id: string }>(sql`
    /* deliver.due */
    SELECT id FROM (${endpoints(now, sql`${answers} AND NOT ${isServed('deliver', endpointId, now)}`)}) e
    CROSS JOIN LATERAL (SELECT least(${asked(now)}, ${first(now)}, ${retry(now)}) AS due_at) due
    WHERE due_at IS NOT NULL ORDER BY due_at LIMIT ${limit}`)
  return rows.map(({ id }) => id)
}

/**
 * Returns endpoints that have failed or were never tried. Those with the fewest failures come first, then the longest
 * due.
 */
export async function troubledToServe(db: Database, now: Date, limit: number): Promise<string[]> {
  const { rows } = await db.execute<{ id: string }>(sql`
    /* deliver.trouble */
    SELECT id FROM (${endpoints(now, sql`NOT ${answers} AND NOT ${isServed('deliver', endpointId, now)}`)}) e
    CROSS JOIN LATERAL (
      SELECT CASE WHEN failing_since IS NOT NULL AND next_probe_at > ${now} THEN ${asked(now)}
        ELSE least(${asked(now)}, ${first(now)}, ${retry(now)}) END AS due_at
    ) due
    WHERE due_at IS NOT NULL ORDER BY failures, due_at LIMIT ${limit}`)
  return rows.map(({ id }) => id)
}

/**
 * Returns the longest due delivery of each endpoint whose breaker is closed and that no worker serves. Others may have
 * to wait for good reason.
 */
export async function longestDueDeliveries(db: Database, now: Date): Promise<DueWork[]> {
  const { rows } = await db.execute<{ id: string; dueMs: number }>(sql`
    /* deliver.longest */
    SELECT id, date_part('epoch', due_at) * 1000 AS "dueMs"
    FROM (${endpoints(now, sql`failing_since IS NULL AND NOT ${isServed('deliver', endpointId, now)}`)}) e
    CROSS JOIN LATERAL (SELECT least(${first(now)}, ${retry(now)}) AS due_at) due
    WHERE due_at IS NOT NULL`)
  return rows.map(({ id, dueMs }) => ({ id, dueAt: new Date(dueMs) }))
}

const endpointId = sql`webhook_endpoints.id`
const answers = sql`(failures < ${failuresToTrouble} AND last_success_at IS NOT NULL)`

/** OFFSET keeps the planner from reading deliveries of other endpoints. */
function endpoints(now: Date, which: SQL): SQL {
  return sql`
    SELECT id, failures, failing_since, next_probe_at FROM webhook_endpoints
    WHERE deleted_at IS NULL AND disabled_at IS NULL AND (blocked_until IS NULL OR blocked_until <= ${now}) AND ${which}
    OFFSET 0`
}

const asked = (now: Date) => longest(now, sql`manual_requested`)
const first = (now: Date) => longest(now, sql`NOT manual_requested AND NOT is_retry`)
const retry = (now: Date) => longest(now, sql`NOT manual_requested AND is_retry`)

function longest(now: Date, kind: SQL): SQL {
  return sql`(
    SELECT next_attempt_at FROM deliveries WHERE endpoint_id = e.id AND ${kind} AND next_attempt_at <= ${now}
    ORDER BY next_attempt_at LIMIT 1)`
}
