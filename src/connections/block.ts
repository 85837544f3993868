// Owns blocking a connection: a 429, or a 503 with `Retry-After`, stops the whole connection, not one import.
import { eq, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import type { ProviderError } from '../providers/error.ts'
import { spreadMs } from './spread.ts'

/** How long a rate limit without `Retry-After` stops a connection. */
const bareRateLimitMs = 60_000

/**
 * Returns how long the whole connection has to wait because of this error. Returns null if the error doesn't ask for a
 * wait.
 */
export function announcedWaitMs({ kind, status, retryAfterMs }: ProviderError): number | null {
  if (kind === 'rate_limited') return retryAfterMs ?? bareRateLimitMs
  return status === 503 ? retryAfterMs : null
}

/**
 * Blocks the connection for `waitMs`. A block that ends later stays. If the first calls after a block bring the next one,
 * all that was waited counts for how long imports are spread.
 */
export async function blockConnection(
  db: Database | Transaction,
  { id, limits }: { id: string; limits: { maxIntervalMs: number } },
  { now, waitMs }: { now: Date; waitMs: number },
): Promise<void> {
  const until = after(now, waitMs)
  const wasSpreadMs = sql`CASE WHEN ${now} BETWEEN spread_from AND spread_until
    THEN date_part('epoch', spread_until - spread_from) * 1000 ELSE 0 END`
  const ms = sql`least(${spreadMs(waitMs, limits)}::float8 + ${wasSpreadMs}, ${limits.maxIntervalMs})`
  const spreadUntil = sql`${until}::timestamptz + ${ms} * interval '1 millisecond'`
  await db
    .update(connections)
    .set({ blockedUntil: until, spreadFrom: until, spreadUntil })
    .where(
      sql`${eq(connections.id, id)} AND (${connections.blockedUntil} IS NULL OR ${connections.blockedUntil} < ${until})`,
    )
}
