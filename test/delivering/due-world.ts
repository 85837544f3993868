// Owns what the tests of which deliveries begin share: endpoints and deliveries in any condition, and processes.
import { inArray } from 'drizzle-orm'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/client.ts'
import { deliveries } from '../../src/db/schema/index.ts'
import { webhookTimeouts } from '../../src/delivering/send.ts'
import { createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { type Serving, serving } from '../support/delivering.ts'
import type { EndpointColumns } from '../support/worlds/endpoints.ts'
import { useWorld } from '../support/worlds/world.ts'

/** Call it at the top of a test file: it opens before the tests and closes after them. Its pool has one connection. */
export function useDueWorld() {
  const world = useWorld({ maxConnections: 1 })
  const { clock, encryption } = world
  const now = () => clock.now()
  const agents = createAgents({ guard: createGuard({ allowedCidrs: [] }), timeouts: webhookTimeouts })

  return Object.assign(world, {
    now,
    minutes: (count: number) => count * 60_000,
    /** A process that serves endpoints, whose requests never end. */
    process: (db: Database = world.db): Serving =>
      serving({ db, clock, log: createLog('silent'), encryption, agents, observeDelivery() {} }),
    /** Its last attempt succeeded. */
    answering: { lastSuccessAt: now() } satisfies EndpointColumns,
    /** Its breaker is open; a probe is due. */
    failing: (columns: EndpointColumns): EndpointColumns => ({
      failures: 5,
      failingSince: now(),
      nextProbeAt: now(),
      ...columns,
    }),
    /** Pending deliveries of events of their own, a millisecond after one another; their ids. */
    async pending(
      endpointId: string | undefined,
      count: number,
      { isRetry = false, dueMs = -count }: { isRetry?: boolean; dueMs?: number } = {},
    ): Promise<string[]> {
      if (endpointId === undefined) throw new Error('no endpoint')
      const dueAt = (index: number) => new Date(now().getTime() + dueMs + index)
      const columns = Array.from({ length: count }, (_, index) => ({ nextAttemptAt: dueAt(index) }))
      const rows = await world.deliveries(columns.map((one) => ({ endpointId, isRetry, ...one })))
      return rows.map(({ id }) => id)
    },
    /** Delivers them. */
    async finish(process: Serving, ids: readonly string[]): Promise<void> {
      process.forget(ids)
      const delivered = { state: 'delivered', nextAttemptAt: null, manualRequested: false }
      await world.db
        .update(deliveries)
        .set(delivered)
        .where(inArray(deliveries.id, [...ids]))
    },
  })
}
