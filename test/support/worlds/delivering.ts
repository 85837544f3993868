// Owns the world of tests that deliver: receivers, and what attempts are made with. No test meets another's endpoints.
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createLog } from '../../../src/base/log.ts'
import { webhookEndpoints } from '../../../src/db/schema/index.ts'
import { createAgents } from '../../../src/egress/agents.ts'
import { type CheckDestination, createDestinationCheck } from '../../../src/egress/destination.ts'
import { createGuard } from '../../../src/egress/guard.ts'
import { type Answer, type Receiver, startReceiver } from '../../webhooks/receiver.ts'
import { type DeliverDueDeps, deliverAllDue, type Made } from '../delivering.ts'
import { useWorld, type World } from './world.ts'

const timeouts = { dnsMs: 1_000, connectMs: 15_000, headersMs: 15_000, bodyMs: 15_000 }

export interface DeliveringWorld extends World {
  deps: DeliverDueDeps & Pick<World, 'encryption' | 'by'> & { checkDestination: CheckDestination }
  receiver(answer?: Answer): Promise<Receiver>
  /** Makes an attempt at all that may begin now, and records them together. */
  deliverDue(deps?: Partial<DeliverDueDeps>, signal?: AbortSignal): Promise<Made[]>
}

/** Call it at the top of a test file: it opens before the tests and closes after them. */
export function useDelivering(): DeliveringWorld {
  const world = useWorld() as DeliveringWorld
  const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
  const agents = createAgents({ guard, timeouts })
  const receivers: Receiver[] = []
  const { clock, encryption } = world

  beforeAll(() => {
    const resolve = async (name: string) => (name.endsWith('.test') ? ['10.0.0.1'] : ['127.0.0.1'])
    const checkDestination = createDestinationCheck({ guard, resolve, timeoutMs: 1_000 })
    const outside = { log: createLog('silent'), agents, random: () => 0, checkDestination, observeDelivery() {} }
    world.deps = { db: world.db, clock, encryption, by: world.by, ...outside }
  })
  afterEach(async () => {
    await Promise.all(receivers.splice(0).map((receiver) => receiver.close()))
    await world.db.update(webhookEndpoints).set({ deletedAt: clock.now() })
    clock.advance(120_000)
  })
  afterAll(() => agents.destroy())

  return Object.assign(world, {
    async receiver(answer) {
      const receiver = await startReceiver(answer)
      receivers.push(receiver)
      return receiver
    },
    deliverDue: (deps = {}, signal = undefined) => deliverAllDue({ ...world.deps, ...deps }, signal),
  } satisfies Partial<DeliveringWorld>)
}
