// Owns assembling the HTTP side: the API, the pages, and starting and stopping them. Only app/service.ts imports it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express, type IRouter, Router } from 'express'
import { AppError } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import type { Log } from '../base/log.ts'
import type { Limits } from '../config/config.ts'
import type { ConnectionAccesses } from '../connections/access.ts'
import type { Database } from '../db/client.ts'
import { createCommitWatch } from '../db/commits.ts'
import type { CheckDestination } from '../egress/destination.ts'
import type { Guard } from '../egress/guard.ts'
import { countByState } from '../imports/count.ts'
import { createWatcher } from '../imports/watch.ts'
import type { ProviderClient } from '../providers/client.ts'
import type { Queues } from '../queue/queues.ts'
import { createAuthenticator } from '../tokens/authenticate.ts'
import { createTokenWatch } from '../tokens/watch.ts'
import { createFeedWatcher } from '../webhooks/watch-feed.ts'
import type { Wake } from '../work/wake.ts'
import { allowOrigins } from './cors.ts'
import { createDescription } from './description.ts'
import { type HealthDeps, mountHealth } from './health.ts'
import { createApiLimits } from './limits.ts'
import { mount } from './mount.ts'
import { apiOperations } from './operations.ts'
import { mountAction } from './pages/action.ts'
import { findAttention } from './pages/attention.ts'
import { mountBoard } from './pages/board.ts'
import { mountConnections } from './pages/connections.ts'
import { mountDashboard } from './pages/dashboard.ts'
import { mountDelivery } from './pages/delivery.ts'
import { mountDocs } from './pages/docs.ts'
import { errorPage } from './pages/error.ts'
import { mountFirstSteps } from './pages/first-steps.ts'
import { knowViewer } from './pages/guard.ts'
import { mountImport } from './pages/import.ts'
import { mountNewImport } from './pages/import-new.ts'
import { mountImports } from './pages/imports.ts'
import { mountLogin } from './pages/login.ts'
import { mountMany } from './pages/many.ts'
import { readOutcomes } from './pages/outcomes.ts'
import { mountPreferences } from './pages/preferences.ts'
import { mountProviderDocs } from './pages/provider-docs.ts'
import { remembered } from './pages/remembered.ts'
import { mountPageStream } from './pages/stream.ts'
import { mountWebhook } from './pages/webhook.ts'
import { mountWebhooks } from './pages/webhooks.ts'
import { answerProblems } from './problem.ts'
import { logRequests } from './request-log.ts'
import { noStore, plainSecurity } from './security-headers.ts'
import { createSessions } from './session.ts'

export interface HttpDeps extends Pick<HealthDeps, 'checks' | 'canRecover' | 'metrics'> {
  db: Database
  /** For statements that may take long. Absent: `db`. */
  patientDb?: Database
  clock: Clock
  encryption: Encryption
  log: Log
  wake: Wake
  /** False: serves only health and metrics, as a worker needs it. */
  api: boolean
  /** What every path begins with. Absent: nothing. */
  basePath?: string
  /** The bootstrap token. Null: there is none. */
  adminToken: string | null
  /** The rules for the addresses of providers. */
  providerGuard: Guard
  /** The client for trying connections. */
  client: ProviderClient
  accesses: ConnectionAccesses
  /** The rules for the destinations of webhooks. */
  checkWebhookDestination: CheckDestination
  /** The queues that Bull Board shows. */
  queues: Queues['all']
  limits: Limits
  /** CIDRs of the proxies whose word about a client's address counts. */
  trustedProxies: readonly string[]
  /** The origins whose pages may call the API. */
  corsOrigins: readonly string[]
}

export interface HttpServer {
  /** @returns the port, which the system chose if the given one was 0. */
  listen(address: { host: string; port: number }): Promise<{ port: number }>
  /**
   * Takes no more requests, and ends streams and waiting requests. Resolves when the rest is answered. After `graceMs`
   * the remaining connections are cut.
   */
  close(options?: { graceMs?: number }): Promise<void>
}

const defaultGraceMs = 10_000
/** Longer than load balancers keep idle connections, so that they close them and not this server. */
const keepAliveMs = 75_000
const sweepMs = 50

export function createHttpServer(deps: HttpDeps): HttpServer {
  const stopping = new AbortController()
  const server = createServer({ keepAliveTimeout: keepAliveMs }, createApp(deps, stopping.signal))

  return {
    async listen({ host, port }) {
      server.listen(port, host)
      await once(server, 'listening')
      return { port: (server.address() as AddressInfo).port }
    },

    async close({ graceMs = defaultGraceMs } = {}) {
      stopping.abort()
      const closed = once(server, 'close')
      server.close()
      // A connection that becomes idle now would be kept for a next request, which can't come.
      const sweep = setInterval(() => server.closeIdleConnections(), sweepMs)
      const cutOff = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearInterval(sweep)
      clearTimeout(cutOff)
    },
  }
}

function createApp(deps: HttpDeps, stopping: AbortSignal): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag') // answers change with every poll
  app.set('trust proxy', deps.trustedProxies)
  app.use(logRequests(deps.log), plainSecurity)
  mountHealth(app, deps)
  const { basePath = '' } = deps
  const site = Router()
  if (basePath !== '') mountHealth(site, deps) // load balancers may ask for either
  if (deps.api) mountApi(site, { ...deps, basePath }, stopping)
  app.use(basePath === '' ? '/' : basePath, site)
  app.use(() => {
    throw new AppError('not_found', 'There is nothing at this path.')
  })
  app.use(answerProblems(deps.log, (...about) => errorPage(basePath, ...about)))
  return app
}

function mountApi(app: IRouter, deps: HttpDeps & { basePath: string }, stopping: AbortSignal): void {
  const { db, clock, encryption, log, basePath } = deps
  const authenticator = createAuthenticator(deps)
  const tokenWatch = createTokenWatch({ db })
  const limits = createApiLimits({ clock, limits: deps.limits, tokenWatch })
  const sessions = createSessions({ db, clock, encryption, authenticator, basePath })
  const watcher = createWatcher({ db, clock, log })
  const operations = apiOperations({
    ...deps,
    watcher,
    limits,
    feed: createFeedWatcher({ db, clock, log }),
    guard: deps.providerGuard,
    checkDestination: deps.checkWebhookDestination,
    authenticator,
    tokenWatch,
  })
  app.use('/v1', noStore)
  if (deps.corsOrigins.length > 0) app.use('/v1', allowOrigins(deps.corsOrigins))
  mount(app, operations, { authenticator, limits, stopping })
  const pageDeps = { basePath, sessions, authenticator, limits }
  mountDocs(app, createDescription({ db, log }, operations, basePath), basePath)
  mountLogin(app, pageDeps)
  mountPreferences(app, pageDeps)
  mountPageStream(app, { ...pageDeps, stopping, commits: createCommitWatch({ db, log }) })
  const counts = remembered(clock, () => countByState({ db }))
  const attention = remembered(clock, () => findAttention({ db, clock, encryption }))
  const outcomes = remembered(clock, () => readOutcomes({ db, clock }, basePath))
  const reading = { ...deps, ...pageDeps, stopping, counts, attention, outcomes }
  mountDashboard(app, reading)
  mountFirstSteps(app, reading)
  mountImports(app, reading)
  mountNewImport(app, reading)
  mountImport(app, reading)
  mountMany(app, reading)
  mountAction(app, reading)
  mountProviderDocs(app, reading)
  mountConnections(app, { ...reading, guard: deps.providerGuard })
  const sending = { ...reading, checkDestination: deps.checkWebhookDestination }
  mountWebhooks(app, sending)
  mountWebhook(app, sending)
  mountDelivery(app, sending)
  mountBoard(app, { ...pageDeps, queues: deps.queues })
  app.use(knowViewer(pageDeps))
}
