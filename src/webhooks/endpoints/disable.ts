// Owns that an endpoint gets no more webhooks, whoever decided so, and that others are told.
import { eq, sql } from 'drizzle-orm'
import type { Encryption } from '../../base/encryption.ts'
import type { Transaction } from '../../db/client.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import { writeEndpointEvent } from './events.ts'
import type { DisabledReason, EndpointRow } from './present.ts'
import { skipPending } from './skip-pending.ts'

const lockKey = 0x64697362 // "disb"

/**
 * To be called before the endpoint that may be disabled is locked. Whoever disables one locks it against writers of
 * events, and writes an event itself: two at once could wait for each other.
 */
export async function oneDisablesAtOnce(tx: Transaction): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${lockKey})`)
}

/**
 * Disables an endpoint that the caller has locked FOR UPDATE, so that no delivery is being written behind it: what is
 * pending ends as `skipped`. One that is disabled or deleted already stays as it is.
 */
export async function disableEndpoint(
  tx: Transaction,
  encryption: Encryption,
  endpoint: EndpointRow,
  { reason, now }: { reason: DisabledReason; now: Date },
): Promise<EndpointRow> {
  if (endpoint.disabledAt || endpoint.deletedAt) return endpoint
  const [row] = await tx
    .update(webhookEndpoints)
    .set({ disabledAt: now, disabledReason: reason, updatedAt: now })
    .where(eq(webhookEndpoints.id, endpoint.id))
    .returning()
  if (!row) throw new Error(`The locked endpoint ${endpoint.id} is gone.`)
  await skipPending(tx, row.id)
  await writeEndpointEvent(tx, encryption, 'endpoint.disabled', row, now)
  return row
}
