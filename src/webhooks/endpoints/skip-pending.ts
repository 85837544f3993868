// Owns ending an endpoint's deliveries when it takes no more of them.
import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { Transaction } from '../../db/client.ts'
import { deliveries } from '../../db/schema/index.ts'

/**
 * Ends pending deliveries as `skipped`, and cancels requested attempts. The caller holds the endpoint's lock
 * (`lockEndpoint`), so that no delivery to it is being written.
 */
export async function skipPending(tx: Transaction, endpointId: string): Promise<void> {
  await tx
    .update(deliveries)
    .set({
      state: sql`CASE ${deliveries.state} WHEN 'pending' THEN 'skipped' ELSE ${deliveries.state} END`,
      nextAttemptAt: null,
      manualRequested: false,
    })
    .where(and(eq(deliveries.endpointId, endpointId), isNotNull(deliveries.nextAttemptAt)))
}
