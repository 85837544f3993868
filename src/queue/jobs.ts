// Owns the queues by name and what their jobs carry: ids, never anything secret, since Bull Board shows payloads.
import { z } from 'zod'

const delivery = z.object({ deliveryId: z.string(), number: z.int(), manual: z.boolean() })

export const payloads = {
  /** The ticks: look for what is due, and enqueue it; `roll-up`: keep the days up; `maintain`: delete what is too old. */
  dispatch: z.object({ kind: z.enum(['poll', 'collect', 'deliver', 'roll-up', 'maintain']) }),
  poll: z.object({ importId: z.string() }),
  collect: z.object({ importId: z.string() }),
  /** Deliveries, in three lanes, so that slow endpoints take no slots from others: see dispatch/deliveries.ts. */
  deliver: delivery,
  trial: delivery,
  retry: delivery,
}

export const deliveryLanes = ['deliver', 'trial', 'retry'] as const
export type DeliveryLane = (typeof deliveryLanes)[number]

export type QueueName = keyof typeof payloads
export type Payload<Name extends QueueName> = z.infer<(typeof payloads)[Name]>

export const queueNames = Object.keys(payloads) as QueueName[]

/**
 * Ids derived from the row, so that a row is at most once in its queue. BullMQ takes no `:` in them and no integers,
 * and a finished job that is kept blocks a second one of its id: so none is kept (`removeOnComplete`, `removeOnFail`).
 */
export const jobIds = {
  poll: (importId: string) => `imp-${importId}`,
  collect: (importId: string) => `col-${importId}`,
  deliver: (deliveryId: string) => `dlv-${deliveryId}`,
  manualDelivery: (deliveryId: string, number: number) => `dlv-${deliveryId}-m${number}`,
}
