// Owns the world of the API: a real server on a real socket, and a client that checks its answers.
import { pino } from 'pino'
import { afterAll, beforeAll } from 'vitest'
import { createConnectionAccesses } from '../../../src/connections/access.ts'
import { type Agents, createAgents } from '../../../src/egress/agents.ts'
import { createDestinationCheck } from '../../../src/egress/destination.ts'
import { createGuard } from '../../../src/egress/guard.ts'
import { createHttpServer, type HttpDeps, type HttpServer } from '../../../src/http/server.ts'
import { createProviderClient, providerTimeouts } from '../../../src/providers/client.ts'
import { openQueues, type Queues } from '../../../src/queue/queues.ts'
import type { WorkName } from '../../../src/work/kind.ts'
import { manualClock } from '../clock.ts'
import { createTestDatabase } from '../database.ts'
import type { QueueStore } from '../stores.ts'
import { type Client, connectApi } from './client.ts'
import { adminToken, testEncryption as encryption, somebody } from './ground.ts'
import { type World, worldOn } from './world.ts'

export interface Api extends World, Client {
  queues: Queues
  server: HttpServer
  /** What providers are asked through. */
  agents: Agents
  /** What was logged, a line each. */
  logLines: string[]
  /** How often each kind of work was woken. */
  wakes: Record<'poll' | 'collect' | 'deliver', number>
}

/** Starts the API for a test file, and stops it afterwards; without a store the queues are kept in Postgres. */
export function useApi(overrides: Partial<HttpDeps> = {}, store?: QueueStore): Api {
  const api = {} as Api
  let opened: Awaited<ReturnType<QueueStore['open']>> | undefined
  beforeAll(async () => {
    opened = await store?.open()
    Object.assign(api, await startApi(overrides, opened?.redisUrl ?? null))
  })
  afterAll(async () => {
    await api.server.close({ graceMs: 1_000 })
    await api.agents.destroy()
    await api.queues.close()
    await api.database.close()
    await opened?.close()
  })
  return api
}

/** As `useApi`, for who closes it by himself: the server, the queues, the database. */
export async function startApi(overrides: Partial<HttpDeps>, redisUrl: string | null): Promise<Api> {
  const database = await createTestDatabase()
  const clock = manualClock()
  const logLines: string[] = []
  const queues = openQueues({ redisUrl, databaseUrl: database.url, installationId: 'test', onError: () => {} })
  const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
  const wakes = { poll: 0, collect: 0, deliver: 0 }
  const log = pino({ level: 'debug' }, { write: (line) => void logLines.push(line) })
  const agents = createAgents({ guard, timeouts: providerTimeouts })
  const server = createHttpServer({
    api: true,
    db: database.db,
    clock,
    encryption,
    log,
    accesses: createConnectionAccesses({ db: database.db, encryption, log }),
    client: createProviderClient({ agents, clock }),
    wake: Object.assign(
      (due: Iterable<WorkName>) => {
        for (const kind of due) wakes[kind]++
      },
      { listen() {} },
    ),
    adminToken,
    providerGuard: guard,
    checkWebhookDestination: createDestinationCheck({ guard, resolve: async () => ['127.0.0.1'], timeoutMs: 1_000 }),
    queues: queues.all,
    checks: { database: async () => void (await database.pool.query('SELECT 1')) },
    metrics: async () => 'up 1\n',
    limits: { requestsPerSecond: 1_000_000, streamsPerToken: 200, streams: 1_000, waiters: 1_000, downloads: 20 },
    trustedProxies: [],
    corsOrigins: [],
    ...overrides,
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const client = await connectApi(`http://127.0.0.1:${port}${overrides.basePath ?? ''}`, adminToken)
  const world = worldOn({ database, db: database.db, clock, encryption, by: somebody })
  return Object.assign(world, client, { queues, server, agents, logLines, wakes })
}
