// Owns what the tests of the whole service share: the service on a test's own database and queue, a sandbox that it
// asks, a client that checks its answers, and a consumer that verifies its webhooks.
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'
import type { Service } from '../../src/app/service.ts'
import type { ApiImport } from '../../src/imports/present.ts'
import type { ImportState } from '../../src/model/import-state.ts'
import type { ProviderName, ScriptInput } from '../../src/sandbox/script.ts'
import { type Sandbox, type SandboxJob, startSandbox } from '../../src/sandbox/server.ts'
import { type Api, connectApi } from '../http/api.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { deleteQueueData } from '../support/queue-data.ts'
import { type ServiceOptions, startTestService, testAdminToken } from '../support/service.ts'
import type { QueueStore } from '../support/stores.ts'
import { type Answer, type Receiver, startReceiver } from '../webhooks/receiver.ts'

/** Limits of a connection in a hurry. */
export const hasty = {
  minIntervalMs: 40,
  maxIntervalMs: 300,
  maxInFlight: 20,
  requestsPerSecond: 500,
  requestsPerMonth: 1_000_000,
}

export interface AppWorld {
  database: TestDatabase
  /** Where the queue is: what `startTestService` and `testEnvironment` want. */
  place: ServiceOptions
  service: Service
  sandbox: Sandbox
  /** The sandboxes' time: an import there goes on when a test says so. The service's own time is the system's. */
  sandboxClock: ManualClock
  api: Pick<Api, 'url' | 'send' | 'call'>
  logLines: string[]
  /** A sandbox of the test's own, for credentials and outages that hold for a whole provider. */
  ownSandbox(): Promise<Sandbox>
  /** A connection to the sandbox's provider, in a hurry unless it says otherwise. */
  connect(provider: ProviderName, options?: { sandbox?: Sandbox; limits?: Record<string, number> }): Promise<string>
  /** An import at the sandbox, registered. */
  track(connection: string, script: ScriptInput, options?: TrackOptions): Promise<Tracked>
  get(importId: string): Promise<ApiImport>
  /** The import as soon as it is in this state. */
  reaches(importId: string, state: ImportState): Promise<ApiImport>
  /** The import when it is over. */
  over(importId: string): Promise<ApiImport>
  /** The types of an import's events, the first one first. */
  eventsOf(importId: string): Promise<string[]>
  consumer(input: { types: string[]; connections?: string[] }, answer?: Answer): Promise<Consumer>
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** Deletes all that the queue's store holds. */
  deleteQueueData(): Promise<void>
}

export interface TrackOptions {
  sandbox?: Sandbox
  deadlineMs?: number
}

export interface Tracked {
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
export function useApp(store: QueueStore, options: { roles?: string } = {}): AppWorld {
  const sandboxClock = manualClock(new Date())
  const world = { logLines: [] as string[], sandboxClock } as AppWorld
  const opened = new AsyncDisposableStack()
  let number = 0

  beforeAll(async () => {
    const database = await createTestDatabase()
    opened.defer(() => database.close())
    const queue = await store.open()
    opened.defer(() => queue.close())
    const sandbox = await startSandbox({ clock: sandboxClock })
    opened.defer(() => sandbox.close())
    const place = { database, redisUrl: queue.redisUrl, logLines: world.logLines }
    Object.assign(world, { database, place, sandbox })
    const service = await startTestService({ ...place, ...options })
    opened.defer(() => service.stop())
    Object.assign(world, { service, api: await connectApi(service.url, testAdminToken) })
  })
  afterAll(() => opened.disposeAsync())

  return Object.assign(world, {
    async ownSandbox() {
      const sandbox = await startSandbox({ clock: sandboxClock })
      onTestFinished(() => sandbox.close())
      return sandbox
    },
    async connect(provider, { sandbox = world.sandbox, limits = {} } = {}) {
      const name = `${provider}-${number++}`
      const body = {
        provider,
        baseUrl: sandbox.baseUrl(provider),
        credentials: sandbox.credentials(provider),
        settings: sandbox.settings(provider),
        limits: { ...hasty, ...limits },
      }
      expect(await world.api.call('PUT /v1/connections/{name}', { name }, { body })).toMatchObject({ status: 201 })
      return name
    },
    async track(connection, script, { sandbox = world.sandbox, ...fields } = {}) {
      const job = sandbox.add(script)
      const registration = { connection, jobId: job.jobId, ...fields }
      const { status, body } = await world.api.call('POST /v1/imports', {}, { body: registration })
      expect(status).toBe(201)
      return { id: body.id, job }
    },
    get: async (id) => (await world.api.call('GET /v1/imports/{id}', { id })).body,
    reaches: (id, state) =>
      vi.waitFor(async () => {
        const found = await world.get(id)
        expect(found).toMatchObject({ state })
        return found
      }, 10_000),
    async over(id) {
      const { body } = await world.api.call('GET /v1/imports/{id}', { id }, { query: { waitMs: 60_000 } })
      expect(body.finishedAt, `${id} is over: ${JSON.stringify(body)}`).not.toBeNull()
      return body
    },
    async eventsOf(id) {
      const { body } = await world.api.call('GET /v1/imports/{id}/events', { id })
      return body.data.map(({ type }: { type: string }) => type)
    },
    async consumer(input, answer) {
      const receiver = await startReceiver(answer)
      onTestFinished(() => receiver.close())
      const body = { url: `${receiver.url}/hooks`, ...input }
      const created = await world.api.call('POST /v1/webhook-endpoints', {}, { body })
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
    sql: async (text, values = []) => (await world.database.pool.query(text, values)).rows,
    deleteQueueData: () => deleteQueueData({ redisUrl: world.place.redisUrl ?? null, pool: world.database.pool }),
  } satisfies Partial<AppWorld>)
}
