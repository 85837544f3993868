// Owns the world of the whole service: on a test's own database and queue, with a sandbox that it asks, a client that
// checks its answers, and a consumer that verifies its webhooks.
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'
import type { Service } from '../../../src/app/service.ts'
import { systemClock } from '../../../src/base/clock.ts'
import type { ApiImport } from '../../../src/imports/present.ts'
import type { ImportState } from '../../../src/model/import-state.ts'
import type { ScriptInput, VendorName } from '../../../src/sandbox/script.ts'
import { type Sandbox, type SandboxJob, startSandbox } from '../../../src/sandbox/server.ts'
import { type Answer, type Receiver, startReceiver } from '../../webhooks/receiver.ts'
import { type ManualClock, manualClock } from '../clock.ts'
import { createTestDatabase } from '../database.ts'
import { deleteQueueData } from '../queue-data.ts'
import { type ServiceOptions, startTestService } from '../service.ts'
import type { QueueStore } from '../stores.ts'
import { type Client, connectApi } from './client.ts'
import { adminToken, type Ground, somebody, testEncryption, unique } from './ground.ts'
import { type Things, thingsIn } from './world.ts'

/** Limits of a connection in a hurry. */
export const hasty = {
  minIntervalMs: 40,
  maxIntervalMs: 300,
  maxInFlight: 20,
  requestsPerSecond: 500,
  requestsPerMonth: 1_000_000,
}

export interface ServiceWorld extends Ground, Things, Client {
  /** Where the queue is: what `startTestService` and `testEnvironment` want. */
  place: ServiceOptions
  service: Service
  sandbox: Sandbox
  /** The sandboxes' time: an import there goes on when a test says so. The service's own time is the system's. */
  sandboxClock: ManualClock
  logLines: string[]
  /** A sandbox of the test's own, for credentials and outages that hold for a whole provider. */
  ownSandbox(): Promise<Sandbox>
  /** A connection to the sandbox's provider, in a hurry unless it says otherwise. */
  connect(provider: VendorName, options?: { sandbox?: Sandbox; limits?: Record<string, number> }): Promise<string>
  /** An import at the sandbox, registered. */
  track(connection: string, script: ScriptInput, options?: TrackOptions): Promise<Job>
  get(importId: string): Promise<ApiImport>
  /** The import as soon as it is in this state. */
  reaches(importId: string, state: ImportState): Promise<ApiImport>
  /** The import when it is over. */
  over(importId: string): Promise<ApiImport>
  consumer(input: { types: string[]; connections?: string[] }, answer?: Answer): Promise<Consumer>
  /** Deletes all that the queue's store holds. */
  deleteQueueData(): Promise<void>
}

export interface TrackOptions {
  sandbox?: Sandbox
  deadlineMs?: number
}

export interface Job {
  id: string
  job: SandboxJob
}

export interface Webhooked {
  id: string
  type: string
  body: string
  data: Record<string, unknown>
}

export interface Consumer {
  endpointId: string
  secret: string
  receiver: Receiver
  /** What came, each verified by its signature. */
  webhooks(): Webhooked[]
}

/** Call it at the top of a suite: it starts before the tests and stops after them. */
export function useService(store: QueueStore, options: { roles?: string } = {}): ServiceWorld {
  const sandboxClock = manualClock(new Date())
  const ground = { clock: systemClock, encryption: testEncryption, by: somebody } as Ground
  const world = Object.assign(ground, thingsIn(ground), { sandboxClock, logLines: [] as string[] }) as ServiceWorld
  const opened = new AsyncDisposableStack()

  beforeAll(async () => {
    const database = await createTestDatabase()
    opened.defer(() => database.close())
    const queue = await store.open()
    opened.defer(() => queue.close())
    const sandbox = await startSandbox({ clock: sandboxClock })
    opened.defer(() => sandbox.close())
    const place = { database, redisUrl: queue.redisUrl, logLines: world.logLines }
    Object.assign(world, { database, db: database.db, place, sandbox })
    const service = await startTestService({ ...place, ...options })
    opened.defer(() => service.stop())
    Object.assign(world, { service }, await connectApi(service.url, adminToken))
  })
  afterAll(() => opened.disposeAsync())

  return Object.assign(world, {
    async ownSandbox() {
      const sandbox = await startSandbox({ clock: sandboxClock })
      onTestFinished(() => sandbox.close())
      return sandbox
    },
    async connect(provider, { sandbox = world.sandbox, limits = {} } = {}) {
      const name = unique(provider)
      const body = {
        provider,
        baseUrl: sandbox.baseUrl(provider),
        credentials: sandbox.credentials(provider),
        settings: sandbox.settings(provider),
        limits: { ...hasty, ...limits },
      }
      expect(await world.call('PUT /v1/connections/{name}', { name }, { body })).toMatchObject({ status: 201 })
      return name
    },
    async track(connection, script, { sandbox = world.sandbox, ...fields } = {}) {
      const job = sandbox.add(script)
      const registration = { connection, jobId: job.jobId, ...fields }
      const { status, body } = await world.call('POST /v1/imports', {}, { body: registration })
      expect(status).toBe(201)
      return { id: body.id, job }
    },
    get: async (id) => (await world.call('GET /v1/imports/{id}', { id })).body,
    reaches: (id, state) =>
      vi.waitFor(async () => {
        const found = await world.get(id)
        expect(found).toMatchObject({ state })
        return found
      }, 10_000),
    async over(id) {
      const { body } = await world.call('GET /v1/imports/{id}', { id }, { query: { waitMs: 60_000 } })
      expect(body.finishedAt, `${id} is over: ${JSON.stringify(body)}`).not.toBeNull()
      return body
    },
    async eventTypesOf(id) {
      const { body } = await world.call('GET /v1/imports/{id}/events', { id })
      return body.data.map(({ type }: { type: string }) => type)
    },
    async consumer(input, answer) {
      const receiver = await startReceiver(answer)
      onTestFinished(() => receiver.close())
      const body = { url: `${receiver.url}/hooks`, ...input }
      const created = await world.call('POST /v1/webhook-endpoints', {}, { body })
      const { id: endpointId, secret } = created.body
      const verifier = new Webhook(secret)
      return {
        endpointId,
        secret,
        receiver,
        webhooks: () =>
          receiver.received.map(({ headers, body: text }) => {
            const { type, data } = verifier.verify(text, headers) as Webhooked
            return { id: headers['webhook-id'] ?? '', type, data, body: text }
          }),
      }
    },
    deleteQueueData: () => deleteQueueData({ redisUrl: world.place.redisUrl ?? null, pool: world.database.pool }),
  } satisfies Partial<ServiceWorld>)
}
