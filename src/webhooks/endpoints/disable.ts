// Owns disabling an endpoint, for any reason, and telling others about it.
import { eq, sql } from 'drizzle-orm'
import type { Encryption } from '../../base/encryption.ts'
import type { Transaction } from '../../db/client.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import { writeEndpointEvent } from './events.ts'
import type { DisabledReason, EndpointRow } from './present.ts'
import { skipPending } from './skip-pending.ts'

const lockKey = 0x64697362 // "disb"

/**
 * Lets one transaction at a time disable endpoints. Call it before locking an endpoint that may be disabled. Disabling
 * locks an endpoint against writers of events, and then writes an event itself. Two such transactions could deadlock.
 */
export async function oneDisablesAtOnce(tx: Transaction): Promise<void> {
  await tx.execute(sql`/* endpoint.disable_lock */ SELECT pg_advisory_xact_lock(${lockKey})`)
}

/**
 * Disables an endpoint that the caller has locked FOR UPDATE, so that no delivery to it is being written. Pending
 * deliveries end as `skipped`. A disabled or deleted endpoint stays as it is.
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
