// Owns what the tests of which deliveries begin share: endpoints and deliveries as they are stored, in any condition.
import { inArray } from 'drizzle-orm'
import { afterAll, beforeAll } from 'vitest'
import { createEncryption } from '../../src/base/encryption.ts'
import { newId } from '../../src/base/ids.ts'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/client.ts'
import { deliveries, events, webhookEndpoints } from '../../src/db/schema/index.ts'
import { webhookTimeouts } from '../../src/delivering/send.ts'
import { createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type Serving, serving } from '../support/delivering.ts'

type EndpointColumns = Partial<typeof webhookEndpoints.$inferInsert>

/** Call it at the top of a test file: it opens before the tests and closes after them. Its pool has one connection. */
export function useDeliveryWorld() {
  const clock = manualClock()
  const now = () => clock.now()
  const opened = {} as { database: TestDatabase }
  const agents = createAgents({ guard: createGuard({ allowedCidrs: [] }), timeouts: webhookTimeouts })
  const encryption = createEncryption([Buffer.alloc(32, 1)])
  beforeAll(async () => {
    opened.database = await createTestDatabase({ maxConnections: 1 })
  })
  afterAll(() => opened.database?.close())

  return {
    clock,
    now,
    minutes: (count: number) => count * 60_000,
    get db(): Database {
      return opened.database.db
    },
    get url(): string {
      return opened.database.url
    },
    /** A process that serves endpoints, whose requests never end. */
    process: (db: Database = opened.database.db): Serving =>
      serving({ db, clock, log: createLog('silent'), encryption, agents, observeDelivery() {} }),
    /** Its last attempt succeeded. */
    answering: { lastSuccessAt: clock.now() } satisfies EndpointColumns,
    /** Its breaker is open; a probe is due. */
    failing: (columns: EndpointColumns): EndpointColumns => ({
      failures: 5,
      failingSince: now(),
      nextProbeAt: now(),
      ...columns,
    }),
    async endpoint(columns: EndpointColumns = {}): Promise<string> {
      const id = newId()
      const required = { url: 'https://hooks.example.com/', types: [], secret: '', createdAt: now(), updatedAt: now() }
      await opened.database.db.insert(webhookEndpoints).values({ ...required, ...columns, id })
      return id
    },
    /** Pending deliveries of events of their own, a millisecond after one another; their ids. */
    async deliveries(
      endpointId: string | undefined,
      count: number,
      { isRetry = false, dueMs = -count }: { isRetry?: boolean; dueMs?: number } = {},
    ): Promise<string[]> {
      if (endpointId === undefined) throw new Error('no endpoint')
      const rows = Array.from({ length: count }, (_, index) => ({
        id: newId(),
        eventId: newId(),
        endpointId,
        state: 'pending',
        isRetry,
        nextAttemptAt: new Date(now().getTime() + dueMs + index),
        createdAt: now(),
      }))
      const { db } = opened.database
      await db
        .insert(events)
        .values(rows.map(({ eventId }) => ({ id: eventId, type: 'import.failed', occurredAt: now(), body: '{}' })))
      await db.insert(deliveries).values(rows)
      return rows.map(({ id }) => id)
    },
    /** Delivers them. */
    async finish(process: Serving, ids: readonly string[]): Promise<void> {
      process.forget(ids)
      const delivered = { state: 'delivered', nextAttemptAt: null, manualRequested: false }
      await opened.database.db
        .update(deliveries)
        .set(delivered)
        .where(inArray(deliveries.id, [...ids]))
    },
  }
}
