// Owns asking for one more attempt at a delivery, whatever became of it.
import { eq } from 'drizzle-orm'
import { AppError, notFound } from '../../api/refusal.ts'
import type { Clock } from '../../base/clock.ts'
import { isId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import { deliveries, events, webhookEndpoints } from '../../db/schema/index.ts'
import { type ApiDelivery, presentDelivery } from './present.ts'

/**
 * Makes an attempt due now, with the same id and body. It uses up none of the automatic ones: a delivery that is
 * pending goes on with its schedule afterwards, and one that is over is not retried.
 * @throws {AppError} not_found; conflict where the endpoint is disabled or deleted.
 */
export async function redeliver({ db, clock }: { db: Database; clock: Clock }, id: string): Promise<ApiDelivery> {
  if (!isId(id)) throw notFound('delivery')
  return db.transaction(async (tx) => {
    const [target] = await tx
      .select({ disabledAt: webhookEndpoints.disabledAt, deletedAt: webhookEndpoints.deletedAt, type: events.type })
      .from(deliveries)
      .innerJoin(webhookEndpoints, eq(webhookEndpoints.id, deliveries.endpointId))
      .innerJoin(events, eq(events.id, deliveries.eventId))
      .where(eq(deliveries.id, id))
      .for('key share', { of: webhookEndpoints }) // so that it isn't disabled behind our back
    if (!target) throw notFound('delivery')
    if (target.deletedAt) throw new AppError('conflict', 'The endpoint is deleted.')
    if (target.disabledAt) throw new AppError('conflict', 'The endpoint is disabled; enable it first.')
    const [row] = await tx
      .update(deliveries)
      .set({ manualRequested: true, nextAttemptAt: clock.now() })
      .where(eq(deliveries.id, id))
      .returning()
    if (!row) throw notFound('delivery') // deleted with its import just now
    return presentDelivery({ ...row, type: target.type })
  })
}
