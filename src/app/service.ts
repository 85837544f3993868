// Owns composing the service: every part is built once, handed down, and disposed of in reverse order.
import { sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import { createEncryption } from '../base/encryption.ts'
import type { Log } from '../base/log.ts'
import { createLogThrottle } from '../base/log-throttle.ts'
import { createTally } from '../budget/tally.ts'
import { mostCollections } from '../collecting/work.ts'
import { type Config, ConfigError, isEasilyGuessed } from '../config/config.ts'
import { reasonOf } from '../config/requirement.ts'
import { createConnectionAccesses } from '../connections/access.ts'
import { startDatabaseClock } from '../db/clock.ts'
import { readInstallationId, storePublicUrl } from '../db/installation.ts'
import { readSchemaState } from '../db/migrate.ts'
import { webhookTimeouts } from '../delivering/send.ts'
import { mostAttempts } from '../delivering/work.ts'
import { createAgents } from '../egress/agents.ts'
import { createDestinationCheck } from '../egress/destination.ts'
import { createGuard } from '../egress/guard.ts'
import { createResolve } from '../egress/resolve.ts'
import { keepUrl } from '../embedded/kept-url.ts'
import type { KeptToken } from '../embedded/secrets.ts'
import { makePartitions } from '../history/partitions.ts'
import { createHttpServer, type HttpDeps, type HttpServer } from '../http/server.ts'
import { mostPolls } from '../polling/work.ts'
import { createProviderClient, providerTimeouts } from '../providers/client.ts'
import { openQueues, type Queues } from '../queue/queues.ts'
import { checkRedis } from '../queue/redis.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { createWake } from '../work/wake.ts'
import type { WorkWatch } from '../work/watch.ts'
import { openStorage, type Storage } from './storage.ts'
import { requireStoredKeys } from './stored-keys.ts'
import { startWorkers } from './workers.ts'

export interface Service {
  url: string
  /** The bootstrap token of the embedded mode, to be shown. Null otherwise. */
  adminToken: string | null
  /** The file of the token that the embedded mode made. Null: a token was given. */
  keptToken: KeptToken | null
  /** Resolves when the service can't work any more as long as this process lives. */
  ended: Promise<{ because: string; failed: boolean }>
  /** Takes nothing new, lets running work end for up to 20 s, cuts off the rest, and closes everything. */
  stop(): Promise<void>
}

/** How often the requests of connections without limits are written down. */
const tallyEveryMs = 30_000
/** How long running work may take to end before it is cut off. A whole stop then takes at most 30 s. */
const drainMs = 20_000

/** @throws if a part isn't available, after closing all opened parts. */
export async function startService(
  config: Config,
  { clock: machineClock, log }: { clock: Clock; log: Log },
): Promise<Service> {
  const opened = new AsyncDisposableStack()
  const complain = createLogThrottle({ log, clock: machineClock })
  const warn = (message: string) => (error: Error) => {
    if (!opened.disposed) complain(message, error) // while closing, connections break because we end them
  }
  try {
    warnOfProxies(config, log)
    if (config.adminToken !== null && isEasilyGuessed(config.adminToken))
      log.warn(
        'ADMIN_TOKEN is easily guessed: make it of 32 random characters, such as `openssl rand -base64 32` prints',
      )
    const storage = await openStorage(config, { log, onError: warn('a database connection broke') })
    opened.defer(() => storage.close())
    const { db } = storage.database
    const clock = await startDatabaseClock({ db, clock: machineClock, log })
    opened.defer(() => clock.stop())
    if (config.redisUrl !== null) await checkRedis(config.redisUrl, log)
    const queues = openQueues({
      redisUrl: config.redisUrl,
      databaseUrl: storage.databaseUrl,
      installationId: await readInstallationId(db),
      works: config.roles.has('worker'),
      onError: warn('the queue had an error'),
    })
    opened.defer(() => queues.close())
    await queues.tryOut()

    const encryption = createEncryption(storage.encryptionKeys)
    await requireStoredKeys({ db, clock, encryption })
    await makePartitions(storage.patient.db, clock.now()).catch(warn('partitions could not be made'))
    const metrics = createMetrics(queues)
    metrics.clock(clock)
    let watch: WorkWatch | null = null
    let stopWorkers = async () => {}
    let closeServer = async () => {}
    let ended: Promise<unknown> | undefined
    // At the same time, because each may take long if a store or a vendor hangs.
    const end = async () => {
      ended ??= Promise.all([stopWorkers(), closeServer()])
      await ended
    }
    const wake = createWake({ queues, log })
    const shared = { db, patientDb: storage.patient.db, clock, log, encryption, wake }
    const providerGuard = createGuard({ allowedCidrs: config.providerAllowedCidrs })
    const webhookGuard = createGuard({ allowedCidrs: config.webhookAllowedCidrs })

    const providerAgents = createAgents({
      guard: providerGuard,
      timeouts: providerTimeouts,
      // So many that no connection waits for hanging ones at the same host. Each has its own limit.
      connectionsPerOrigin: mostPolls + mostCollections,
    })
    opened.defer(() => providerAgents.destroy())
    const tally = createTally({ db, clock })
    const tallying = setInterval(() => void tally.flush().catch(warn('requests could not be counted')), tallyEveryMs)
    opened.defer(async () => {
      clearInterval(tallying)
      await tally.flush().catch(() => {}) // the database may be away
    })
    const asking = {
      accesses: createConnectionAccesses({ db, encryption, log, count: tally.count, clock }),
      client: createProviderClient({ agents: providerAgents, clock }),
    }

    if (config.roles.has('worker')) {
      const webhookAgents = createAgents({
        guard: webhookGuard,
        timeouts: webhookTimeouts,
        // So many that no endpoint waits for hanging endpoints on the same host.
        connectionsPerOrigin: mostAttempts,
      })
      opened.defer(() => webhookAgents.destroy())
      const workers = await startWorkers({
        ...shared,
        queues,
        ...asking,
        agents: webhookAgents,
        historyRetention: config.historyRetention,
        observePoll: metrics.polled,
        observeDelivery: metrics.attempted,
      })
      stopWorkers = () => workers.stop(drainMs)
      opened.defer(end)
      watch = workers.watch
      metrics.watch(watch)
    }

    const resolve = createResolve()
    const server = createHttpServer({
      ...shared,
      ...asking,
      api: config.roles.has('api'),
      basePath: config.basePath,
      adminToken: storage.adminToken,
      providerGuard,
      checkWebhookDestination: createDestinationCheck({
        guard: webhookGuard,
        resolve,
        timeoutMs: webhookTimeouts.dnsMs,
      }),
      queues: queues.all,
      limits: config.limits,
      trustedProxies: config.trustedProxies,
      corsOrigins: config.corsOrigins,
      checks: readiness(storage, queues, watch),
      canRecover: () => watch?.canRecover() ?? true,
      metrics: () => metrics.registry.metrics(),
    })
    const { port } = await listen(server, config)
    closeServer = () => server.close()
    opened.defer(end)
    const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}${config.basePath}`
    if (config.roles.has('api'))
      await storePublicUrl(db, config.publicUrl ?? (config.databaseUrl === null ? url : null))
    if (storage.keptToken && config.roles.has('api'))
      await keepUrl(config.dataDir, url).then(
        (forget) => opened.defer(() => forget().catch(warn('DATA_DIR/url is left'))),
        warn('DATA_DIR/url could not be written, so that commands need IMPORT_TRACKER_URL'),
      )
    return {
      url,
      adminToken: config.databaseUrl === null ? storage.adminToken : null,
      keptToken: storage.keptToken,
      ended: storage.lost.then(({ message }) => ({ because: message, failed: true })),
      stop: () => opened.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

/** An operator who has set a proxy would look for our requests there. */
function warnOfProxies({ unusedProxies: variables }: Config, log: Log): void {
  if (variables.length === 0) return
  const names = variables.join(', ')
  log.warn(
    { variables },
    `${names}: no proxy is used; requests to providers and webhook endpoints go out directly, because each address is checked when it is connected to`,
  )
}

/** @throws {ConfigError} naming the variable that keeps the server from listening. */
async function listen(server: HttpServer, { host, port }: Config): Promise<{ port: number }> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new ConfigError(`PORT must be free: another program listens on ${host}:${port}.`)
    const demand = code === 'EACCES' ? 'PORT must be one that this user may use' : "HOST must be this machine's address"
    throw new ConfigError(`${demand}: ${reasonOf(error)}.`)
  }
}

/** The checks that must pass before requests are sent to this process. Each throws if it fails. */
function readiness({ database }: Storage, queues: Queues, watch: WorkWatch | null): HttpDeps['checks'] {
  return {
    async database() {
      await database.db.execute(sql`SELECT 1`)
    },
    async schema() {
      const state = await readSchemaState(database)
      if (state === 'behind' || state === 'forbidden') throw new Error(`The schema is ${state} for this version.`)
    },
    queue: () => queues.ping(),
    ...(watch && { ticks: async () => watch.checkTicks(), overdue: async () => watch.checkOverdue() }),
  }
}
