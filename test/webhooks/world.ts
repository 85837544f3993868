// Owns what the webhook tests share: a database, keys, a clock, and ways to make something due and deliver it.
import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createEncryption } from '../../src/base/encryption.ts'
import { newId } from '../../src/base/ids.ts'
import { createLog } from '../../src/base/log.ts'
import {
  connections,
  deliveries,
  deliveryAttempts,
  events,
  imports,
  webhookEndpoints,
} from '../../src/db/schema/index.ts'
import { createAgents } from '../../src/egress/agents.ts'
import { createDestinationCheck } from '../../src/egress/destination.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { type NewEvent, writeEvent } from '../../src/events/write.ts'
import { createEndpoint } from '../../src/webhooks/endpoints/create.ts'
import { type CreateEndpointInput, createEndpointSchema } from '../../src/webhooks/endpoints/input.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type DeliverDueDeps, deliverAllDue, type Made } from '../support/delivering.ts'
import { type Answer, type Receiver, startReceiver } from './receiver.ts'

const timeouts = { dnsMs: 1_000, connectMs: 1_000, headersMs: 15_000, bodyMs: 15_000 }

export interface WebhookWorld {
  database: TestDatabase
  clock: ManualClock
  deps: DeliverDueDeps & { checkDestination: ReturnType<typeof createDestinationCheck> }
  receiver(answer?: Answer): Promise<Receiver>
  endpoint(input: { url: string } & Partial<CreateEndpointInput>): ReturnType<typeof createEndpoint>
  /** Writes an event in a transaction of its own, a millisecond later than anything else, so that ids are in order. */
  event(event?: Partial<NewEvent>): Promise<string>
  connection(name: string): Promise<string>
  /** An import of a connection of this name. */
  import(of: {
    connection: string
    metadata?: Record<string, unknown>
  }): Promise<{ importId: string; connectionId: string }>
  /** Makes an attempt at all that may begin now, and records them together. */
  deliverDue(deps?: Partial<DeliverDueDeps>, signal?: AbortSignal): Promise<Made[]>
  /** The types of the events that there are deliveries of, in order. */
  typesOf(endpointId: string): Promise<string[]>
  deliveriesOf(endpointId: string): Promise<(typeof deliveries.$inferSelect)[]>
  attemptsOf(deliveryId: string): Promise<(typeof deliveryAttempts.$inferSelect)[]>
  endpointRow(id: string): Promise<typeof webhookEndpoints.$inferSelect>
}

/** Call it at the top of a test file: it opens before the tests and closes after them. */
export function useWebhookWorld(): WebhookWorld {
  const clock = manualClock()
  const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
  const agents = createAgents({ guard, timeouts })
  const encryption = createEncryption([randomBytes(32)])
  const receivers: Receiver[] = []
  const world = { clock } as WebhookWorld

  beforeAll(async () => {
    const database = await createTestDatabase()
    const { db } = database
    const resolve = async (name: string) => (name.endsWith('.test') ? ['10.0.0.1'] : ['127.0.0.1'])
    const checkDestination = createDestinationCheck({ guard, resolve, timeoutMs: 1_000 })
    const log = createLog('silent')
    const deps = { db, clock, log, encryption, agents, random: () => 0, checkDestination, observeDelivery() {} }
    Object.assign(world, { database, deps } satisfies Partial<WebhookWorld>)
  })
  afterEach(async () => {
    await Promise.all(receivers.splice(0).map((receiver) => receiver.close()))
    await world.deps.db.update(webhookEndpoints).set({ deletedAt: clock.now() }) // so that tests don't meet
    clock.advance(120_000)
  })
  afterAll(async () => {
    await agents.destroy()
    await world.database?.close()
  })

  return Object.assign(world, {
    async receiver(answer) {
      const receiver = await startReceiver(answer)
      receivers.push(receiver)
      return receiver
    },
    endpoint: (input) => createEndpoint(world.deps, createEndpointSchema.parse(input)),
    event(event = {}) {
      clock.advance(1)
      return world.deps.db.transaction((tx) => writeEvent(tx, { ...someEvent(clock), ...event }))
    },
    async connection(name) {
      const id = newId()
      const now = clock.now()
      const required = { provider: 'cdq', credentials: '', settings: {}, limits: {}, createdAt: now, updatedAt: now }
      await world.deps.db.insert(connections).values({ ...required, id, name })
      return id
    },
    async import({ connection, metadata = {} }) {
      const importId = newId()
      const connectionId = await world.connection(connection)
      const now = clock.now()
      const required = { jobId: 'job', state: 'running', registeredAt: now, deadlineMs: 1, deadlineAt: now, metadata }
      await world.deps.db.insert(imports).values({ ...required, id: importId, connectionId })
      return { importId, connectionId }
    },
    deliverDue: (deps = {}, signal = undefined) => deliverAllDue({ ...world.deps, ...deps }, signal),
    async typesOf(endpointId) {
      const rows = await world.deps.db
        .select({ type: events.type })
        .from(deliveries)
        .innerJoin(events, eq(events.id, deliveries.eventId))
        .where(eq(deliveries.endpointId, endpointId))
        .orderBy(deliveries.id)
      return rows.map(({ type }) => type)
    },
    deliveriesOf: (endpointId) =>
      world.deps.db.select().from(deliveries).where(eq(deliveries.endpointId, endpointId)).orderBy(deliveries.id),
    attemptsOf: (deliveryId) =>
      world.deps.db
        .select()
        .from(deliveryAttempts)
        .where(eq(deliveryAttempts.deliveryId, deliveryId))
        .orderBy(deliveryAttempts.number),
    async endpointRow(id) {
      const [row] = await world.deps.db.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id))
      if (!row) throw new Error(`no endpoint ${id}`)
      return row
    },
  } satisfies Partial<WebhookWorld>)
}

export function someEvent(clock: ManualClock): NewEvent {
  return {
    type: 'import.succeeded',
    importId: null,
    connectionId: null,
    connectionName: 'crm',
    occurredAt: clock.now(),
    data: { id: newId(), state: 'succeeded', message: 'über 100 Zeilen' },
  }
}

/** The only one of a list. */
export function only<Item>(items: readonly Item[]): Item {
  const [item] = items
  if (item === undefined || items.length !== 1) throw new Error(`expected one item, got ${items.length}`)
  return item
}
