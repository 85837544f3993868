// Owns testing an endpoint: an event that goes to it alone.

import { sql } from 'drizzle-orm'
import type { Acting } from '../../actions/write.ts'
import { AppError } from '../../api/refusal.ts'
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import { newId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import { deliveries, events } from '../../db/schema/index.ts'
import { timeOrderedId } from '../../db/time-ordered-id.ts'
import { eventBody } from '../../events/body.ts'
import { type ApiDelivery, presentDelivery } from '../deliveries/present.ts'
import { writeEndpointAction } from './act.ts'
import { presentEndpoint } from './present.ts'
import { lockEndpoint } from './read.ts'

/**
 * Writes a `webhook.test` event, due at once to this endpoint, whatever it subscribes to.
 * @throws {AppError} `not_found`; `conflict` while it is disabled.
 */
export async function testEndpoint(
  { db, clock, encryption, by }: { db: Database; clock: Clock; encryption: Encryption } & Acting,
  id: string,
): Promise<ApiDelivery> {
  return db.transaction(async (tx) => {
    const endpoint = await lockEndpoint(tx, id)
    if (endpoint.disabledAt) throw new AppError('conflict', 'The endpoint is disabled; enable it first.')
    const type = 'webhook.test'
    const now = clock.now()
    const eventId = newId()
    const body = eventBody({ type, occurredAt: now, sequence: null, data: presentEndpoint(encryption, endpoint) })
    await tx.insert(events).values({ id: eventId, type, occurredAt: now, body })
    const deliveryId = timeOrderedId(sql`${now}::timestamptz`)
    const [delivery] = await tx
      .insert(deliveries)
      .values({ id: deliveryId, eventId, type, endpointId: id, state: 'pending', nextAttemptAt: now, createdAt: now })
      .returning()
    if (!delivery) throw new Error('An insert without a conflict returned no row.')
    await writeEndpointAction(tx, by, endpoint, {
      at: now,
      verb: 'endpoint.test',
      details: { deliveryId: delivery.id },
    })
    return presentDelivery({ ...delivery, type })
  })
}
