// Owns the queues by name and what their jobs carry: ids, never anything secret, since Bull Board shows payloads.
import { z } from 'zod'

/** The lease that names the owner whose work is to be done. */
const underLease = z.object({ leaseId: z.uuid() })

export const payloads = {
  /** The ticks: look for what is due, and enqueue it; `roll-up`: keep the days up; `maintain`: delete what is too old. */
  dispatch: z.object({ kind: z.enum(['poll', 'collect', 'deliver', 'roll-up', 'maintain']) }),
  poll: underLease,
  collect: underLease,
  deliver: underLease,
}

export type QueueName = keyof typeof payloads
export type Payload<Name extends QueueName> = z.infer<(typeof payloads)[Name]>

/** Changes when payloads mean something else: a process of an older version would take those jobs, and drop them. */
const make = 2

/** What a queue is called in its store. */
export function storedName(name: QueueName): string {
  return `${name}-${make}`
}

export const queueNames = Object.keys(payloads) as QueueName[]
