// Owns reading the log of deliveries as the API shows it.
import { and, desc, eq, getTableColumns, gt, lt } from 'drizzle-orm'
import { z } from 'zod'
import { idKey, numberKey, type Page, type PageQuery, pageOf, readCursor } from '../../api/paging.ts'
import { notFound } from '../../api/refusal.ts'
import { isId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import { deliveries, deliveryAttempts, events } from '../../db/schema/index.ts'
import { type ApiAttempt, type ApiDelivery, deliveryStates, presentAttempt, presentDelivery } from './present.ts'

export const deliveryFilterSchema = z.strictObject({
  endpointId: z.uuid().optional(),
  eventId: z.uuid().optional(),
  importId: z.uuid().optional(),
  state: z.enum(deliveryStates).optional(),
})

export type DeliveryFilter = z.infer<typeof deliveryFilterSchema>

/** Returns deliveries, the newest first. */
export async function listDeliveries(
  { db }: { db: Database },
  { endpointId, eventId, importId, state, limit, after }: DeliveryFilter & PageQuery,
): Promise<Page<ApiDelivery>> {
  const cursor = readCursor(after, idKey)
  const rows = await db
    .select({ ...getTableColumns(deliveries), type: events.type })
    .from(deliveries)
    .innerJoin(events, eq(events.id, deliveries.eventId))
    .where(
      and(
        endpointId === undefined ? undefined : eq(deliveries.endpointId, endpointId),
        eventId === undefined ? undefined : eq(deliveries.eventId, eventId),
        importId === undefined ? undefined : eq(events.importId, importId),
        state === undefined ? undefined : eq(deliveries.state, state),
        cursor ? lt(deliveries.id, cursor[0]) : undefined,
      ),
    )
    .orderBy(desc(deliveries.id))
    .limit(limit + 1)
  return pageOf(rows.map(presentDelivery), limit, (delivery) => [delivery.id])
}

/** Returns the attempts at a delivery, in the order in which they were made. @throws {AppError} not_found */
export async function listAttempts(
  { db }: { db: Database },
  deliveryId: string,
  { limit, after }: PageQuery,
): Promise<Page<ApiAttempt>> {
  const cursor = readCursor(after, numberKey)
  if (!isId(deliveryId)) throw notFound('delivery')
  const [delivery] = await db.select({ id: deliveries.id }).from(deliveries).where(eq(deliveries.id, deliveryId))
  if (!delivery) throw notFound('delivery')
  const rows = await db
    .select()
    .from(deliveryAttempts)
    .where(
      and(eq(deliveryAttempts.deliveryId, deliveryId), cursor ? gt(deliveryAttempts.number, cursor[0]) : undefined),
    )
    .orderBy(deliveryAttempts.number)
    .limit(limit + 1)
  return pageOf(rows.map(presentAttempt), limit, (attempt) => [attempt.number])
}
