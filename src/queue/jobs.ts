// Owns the queues by name and what their jobs carry: ids, never anything secret, since Bull Board shows payloads.
import { z } from 'zod'

/** The lease that names the owner whose work is to be done. */
const underLease = z.object({ leaseId: z.uuid() })
const delivery = z.object({ deliveryId: z.string(), number: z.int(), manual: z.boolean() })

export const payloads = {
  /** The ticks: look for what is due, and enqueue it; `roll-up`: keep the days up; `maintain`: delete what is too old. */
  dispatch: z.object({ kind: z.enum(['poll', 'collect', 'deliver', 'roll-up', 'maintain']) }),
  poll: underLease,
  collect: underLease,
  /** Deliveries, in three lanes, so that slow endpoints take no slots from others: see delivering/rooms.ts. */
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
 * Ids derived from the row and from which try of it this is, so that a try is at most once in its queue, and the job of a
 * worker that died, which stays there for a while, doesn't stand in the way of the next one. BullMQ takes no `:` in them and no integers,
 * and a finished job that is kept blocks a second one of its id: so none is kept (`removeOnComplete`, `removeOnFail`).
 */
export const jobIds = {
  deliver: ({ deliveryId, number }: Payload<'deliver'>) => `dlv-${deliveryId}-${number}`,
  manualDelivery: ({ deliveryId, number }: Payload<'deliver'>) => `dlv-${deliveryId}-m${number}`,
}
