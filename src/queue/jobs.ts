// Owns the queues by name, and the payloads of their jobs: only ids, because Bull Board shows payloads.
import { z } from 'zod'

/** The lease that names the owner to serve. */
const underLease = z.object({ leaseId: z.uuid() })

export const payloads = {
  /** The ticks: find and enqueue due work. `roll-up` computes days; `maintain` deletes old data. */
  dispatch: z.object({ kind: z.enum(['poll', 'collect', 'deliver', 'roll-up', 'maintain']) }),
  poll: underLease,
  collect: underLease,
  deliver: underLease,
}

export type QueueName = keyof typeof payloads
export type Payload<Name extends QueueName> = z.infer<(typeof payloads)[Name]>

/** Changes with the meaning of payloads. Otherwise a process of an older version would take those jobs, and drop them. */
const make = 2

/** Returns the name of a queue in its store. */
export function storedName(name: QueueName): string {
  return `${name}-${make}`
}

export const queueNames = Object.keys(payloads) as QueueName[]
