// Owns which webhook deliveries are due now: by endpoint, so that a slow or dead one holds up nobody else.
import { sql } from 'drizzle-orm'
import { after } from '../clock.ts'
import type { Database } from '../db/client.ts'

/** How long a claimed delivery may take before it is due again: longer than an attempt (20 s) and its place in the queue. */
export const deliveryLeaseMs = 60_000
/** Requests under way to one endpoint at the most. */
const maxInFlightPerEndpoint = 5

export interface DueDelivery {
  id: string
  /** Somebody asked for this attempt; it is counted apart from the retry schedule. */
  manual: boolean
  manualAttempts: number
}

export interface DeliveryClaim {
  deliveries: DueDelivery[]
  saturated: boolean
}

export function claimDeliveries(db: Database, now: Date): Promise<DeliveryClaim> {
  return db.transaction(async (tx) => {
    const [lock] = (await tx.execute(sql`SELECT pg_try_advisory_xact_lock(${0x64656c69}) AS taken`)).rows // "deli"
    if (lock?.taken !== true) return { deliveries: [], saturated: false }
    await tx.execute(sql`
      UPDATE deliveries SET lease_until = NULL
      WHERE id IN (SELECT id FROM deliveries WHERE lease_until <= ${now} FOR UPDATE SKIP LOCKED)`)
    const { rows } = await tx.execute(sql`
      WITH open AS (
        SELECT e.id, ${maxInFlightPerEndpoint}
          - (SELECT count(*) FROM deliveries WHERE endpoint_id = e.id AND lease_until IS NOT NULL)::int AS room
        FROM webhook_endpoints e
        WHERE e.deleted_at IS NULL AND e.disabled_at IS NULL AND (e.blocked_until IS NULL OR e.blocked_until <= ${now})
      )
      UPDATE deliveries SET lease_until = ${after(now, deliveryLeaseMs)}
      WHERE id IN (
        SELECT due.id
        FROM open CROSS JOIN LATERAL (
          SELECT id FROM deliveries
          WHERE endpoint_id = open.id AND next_attempt_at <= ${now} AND lease_until IS NULL
          ORDER BY next_attempt_at LIMIT greatest(open.room, 0) FOR UPDATE SKIP LOCKED
        ) due)
      RETURNING id, manual_requested AS manual, manual_attempts AS "manualAttempts"`)
    const deliveries = rows as unknown as DueDelivery[]
    return { deliveries, saturated: deliveries.length > 0 }
  })
}

/** Gives back deliveries that could not be enqueued. */
export async function releaseDeliveries(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`UPDATE deliveries SET lease_until = NULL WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}
