// Owns asking for one more attempt at a delivery, in any of its states.
import { eq } from 'drizzle-orm'
import { type Acting, writeAction } from '../../actions/write.ts'
import { AppError, notFound } from '../../api/refusal.ts'
import type { Clock } from '../../base/clock.ts'
import { isId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import { deliveries, events, webhookEndpoints } from '../../db/schema/index.ts'
import { type ApiDelivery, presentDelivery } from './present.ts'

/**
 * Makes an attempt due now, with the same id and body. It uses up no automatic attempt. A pending delivery then
 * continues its schedule, and a delivery that is over isn't retried.
 * @throws {AppError} `not_found`; `conflict` if the endpoint is disabled or deleted.
 */
export async function redeliver(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  id: string,
): Promise<ApiDelivery> {
  if (!isId(id)) throw notFound('delivery')
  return db.transaction(async (tx) => {
    const [target] = await tx
      .select({
        disabledAt: webhookEndpoints.disabledAt,
        deletedAt: webhookEndpoints.deletedAt,
        type: events.type,
        importId: events.importId,
      })
      .from(deliveries)
      .innerJoin(webhookEndpoints, eq(webhookEndpoints.id, deliveries.endpointId))
      .innerJoin(events, eq(events.id, deliveries.eventId))
      .where(eq(deliveries.id, id))
      .for('key share', { of: webhookEndpoints }) // so that nobody disables it meanwhile
    if (!target) throw notFound('delivery')
    if (target.deletedAt) throw new AppError('conflict', 'The endpoint is deleted.')
    if (target.disabledAt) throw new AppError('conflict', 'The endpoint is disabled; enable it first.')
    const now = clock.now()
    const [row] = await tx
      .update(deliveries)
      .set({ manualRequested: true, nextAttemptAt: now })
      .where(eq(deliveries.id, id))
      .returning()
    if (!row) throw notFound('delivery') // it was just deleted with its import
    await writeAction(tx, by, {
      at: now,
      verb: 'delivery.redeliver',
      subject: { id, name: target.type },
      endpointId: row.endpointId,
      importIds: target.importId === null ? [] : [target.importId],
    })
    return presentDelivery({ ...row, type: target.type })
  })
}
