// Owns that a provider's 429, or its 503 with `Retry-After`, stops the whole connection, not one import.
import { eq, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import type { ProviderError } from '../providers/error.ts'
import { spreadMs } from './spread.ts'

/** How long a refusal for asking too much stops a connection where it doesn't say. */
const bareRateLimitMs = 60_000

/** How long the whole connection is to wait because of this; null: it says nothing of that. */
export function announcedWaitMs({ kind, status, retryAfterMs }: ProviderError): number | null {
  if (kind === 'rate_limited') return retryAfterMs ?? bareRateLimitMs
  return status === 503 ? retryAfterMs : null
}

/** Nothing is asked over this connection for so long; a later block stays. */
export async function blockConnection(
  db: Database | Transaction,
  { id, limits }: { id: string; limits: { maxIntervalMs: number } },
  { now, waitMs }: { now: Date; waitMs: number },
): Promise<void> {
  const until = after(now, waitMs)
  const spreadUntil = after(until, spreadMs(waitMs, limits))
  await db
    .update(connections)
    .set({ blockedUntil: until, spreadFrom: until, spreadUntil })
    .where(
      sql`${eq(connections.id, id)} AND (${connections.blockedUntil} IS NULL OR ${connections.blockedUntil} < ${until})`,
    )
}
