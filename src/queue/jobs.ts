// Owns the queues by name and what their jobs carry: ids, never anything secret, since Bull Board shows payloads.
import { z } from 'zod'

export const payloads = {
  /** The ticks: look for what is due, and enqueue it. */
  dispatch: z.object({ kind: z.enum(['poll', 'collect', 'deliver']) }),
  poll: z.object({ importId: z.string() }),
  collect: z.object({ importId: z.string() }),
  deliver: z.object({ deliveryId: z.string(), manual: z.boolean() }),
}

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
