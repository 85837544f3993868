// Owns webhook endpoints in tests, as they are stored, and the deliveries to them.
import { eq } from 'drizzle-orm'
import { newId } from '../../../src/base/ids.ts'
import { deliveries, deliveryAttempts, events, webhookEndpoints } from '../../../src/db/schema/index.ts'
import { defaultEventTypes } from '../../../src/model/event-types.ts'
import { type CustomHeaders, sealHeaders } from '../../../src/webhooks/endpoints/headers.ts'
import { sealSecret } from '../../../src/webhooks/endpoints/secrets.ts'
import { newSecret } from '../../../src/webhooks/signing.ts'
import { only } from '../only.ts'
import type { Ground } from './ground.ts'

/** The secret and the headers are given as they are sent, and stored encrypted. */
export type EndpointColumns = Partial<Omit<typeof webhookEndpoints.$inferInsert, 'headers'>> & {
  headers?: CustomHeaders
}
export type EndpointRow = typeof webhookEndpoints.$inferSelect
type DeliveryColumns = Partial<typeof deliveries.$inferInsert>
export type DeliveryRow = typeof deliveries.$inferSelect

export function endpointsIn(ground: Ground) {
  /** An endpoint that wants the ends of all imports, with a secret that is shown as it signs. */
  async function endpoint({ headers = {}, ...columns }: EndpointColumns = {}): Promise<EndpointRow> {
    const { encryption, db } = ground
    const now = ground.clock.now()
    const id = columns.id ?? newId()
    const secret = columns.secret ?? newSecret()
    const required = { url: 'https://example.com/', types: [...defaultEventTypes], createdAt: now, updatedAt: now }
    const sealed = { secret: sealSecret(encryption, id, secret), headers: sealHeaders(encryption, id, headers) }
    const row = { ...required, ...columns, ...sealed, id }
    return { ...only(await db.insert(webhookEndpoints).values(row).returning()), secret }
  }

  /** Deliveries that are due now, of an event each; to an endpoint of their own, unless they name one. */
  async function addDeliveries(many: readonly DeliveryColumns[]): Promise<DeliveryRow[]> {
    const now = ground.clock.now()
    const endpointId = many.every((one) => one.endpointId) ? '' : (await endpoint()).id
    const required = { endpointId, state: 'pending', nextAttemptAt: now, createdAt: now }
    const rows = many.map((one) => ({ ...required, eventId: newId(), ...one, id: one.id ?? newId() }))
    const event = { type: 'import.lost', occurredAt: now, body: '{}' }
    await ground.db.insert(events).values(rows.map(({ eventId }) => ({ ...event, id: eventId })))
    return ground.db.insert(deliveries).values(rows).returning()
  }

  return {
    endpoint,
    deliveries: addDeliveries,
    delivery: async (columns: DeliveryColumns = {}) => only(await addDeliveries([columns])),
    async attempt(columns: { deliveryId: string } & Partial<typeof deliveryAttempts.$inferInsert>): Promise<void> {
      const required = { number: 1, manual: false, startedAt: ground.clock.now(), outcome: 'timeout' }
      await ground.db.insert(deliveryAttempts).values({ ...required, ...columns })
    },
    async endpointRow(id: string): Promise<EndpointRow> {
      return only(await ground.db.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id)))
    },
    async deliveryRow(id: string): Promise<DeliveryRow> {
      return only(await ground.db.select().from(deliveries).where(eq(deliveries.id, id)))
    },
    deliveriesOf: (endpointId: string) =>
      ground.db.select().from(deliveries).where(eq(deliveries.endpointId, endpointId)).orderBy(deliveries.id),
    attemptsOf: (deliveryId: string) =>
      ground.db
        .select()
        .from(deliveryAttempts)
        .where(eq(deliveryAttempts.deliveryId, deliveryId))
        .orderBy(deliveryAttempts.number),
  }
}
