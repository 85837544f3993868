// Owns which deliveries have been due for the longest, of those that nothing holds back. They are read, not claimed.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { DueWork } from '../work/overdue.ts'

/** By endpoint, of those that answer and have nothing under way: the others may have to wait for good reason. */
export async function longestDueDeliveries(db: Database, now: Date): Promise<DueWork[]> {
  const longest = (isRetry: boolean) => sql`
    SELECT min(next_attempt_at) FROM deliveries
    WHERE endpoint_id = endpoint.id AND is_retry = ${isRetry} AND lease_until IS NULL AND next_attempt_at <= ${now}
      AND NOT manual_requested`
  const { rows } = await db.execute<{ id: string; dueAt: string | null }>(sql`
    SELECT id, least((${longest(false)}), (${longest(true)})) AS "dueAt" FROM webhook_endpoints endpoint
    WHERE deleted_at IS NULL AND disabled_at IS NULL AND failing_since IS NULL
      AND (blocked_until IS NULL OR blocked_until <= ${now})
      AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint_id = endpoint.id AND lease_until IS NOT NULL)`)
  return rows.flatMap(({ id, dueAt }) => (dueAt === null ? [] : [{ id, dueAt: new Date(dueAt) }]))
}
