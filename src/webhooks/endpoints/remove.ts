// Owns deleting a webhook endpoint. Its secrets are deleted, the log of its deliveries stays.
import { eq } from 'drizzle-orm'
import type { Acting } from '../../actions/write.ts'
import type { Clock } from '../../base/clock.ts'
import type { Database } from '../../db/client.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import { writeEndpointAction } from './act.ts'
import { lockEndpoint } from './read.ts'
import { skipPending } from './skip-pending.ts'

/** Deletes an endpoint. Pending deliveries end as `skipped`. @throws {AppError} not_found */
export async function removeEndpoint(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  id: string,
): Promise<void> {
  await db.transaction(async (tx) => {
    const endpoint = await lockEndpoint(tx, id)
    const now = clock.now()
    await tx
      .update(webhookEndpoints)
      .set({ deletedAt: now, updatedAt: now, secret: '', previousSecrets: [], headers: null })
      .where(eq(webhookEndpoints.id, id))
    await skipPending(tx, id)
    await writeEndpointAction(tx, by, endpoint, { at: now, verb: 'endpoint.delete' })
  })
}
