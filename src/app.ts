// Owns composing the service: everything is built once, handed down, and disposed of in reverse order.
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { createTargets } from './connections/targets.ts'
import { createNudge } from './dispatch/nudge.ts'
import { createAgents } from './egress/agents.ts'
import { createGuard } from './egress/guard.ts'
import { createEncryption } from './encryption.ts'
import type { Log } from './log.ts'
import { createMetrics } from './metrics.ts'
import { createProviderClient, providerTimeouts } from './providers/client.ts'
import { openQueues } from './queue/queues.ts'
import { openStorage } from './storage.ts'
import { startWorkers } from './workers.ts'

export interface Service {
  url: string
  /** The bootstrap token of the embedded mode, to be shown once; null otherwise. */
  adminToken: string | null
  /** Ends what is under way within `drainMs`, and closes everything. */
  stop(): Promise<void>
}

/** What is under way may take this long to end before it is cut off, so that a stop is over within 30 s. */
const drainMs = 20_000
const webhookTimeouts = { dnsMs: 3_000, connectMs: 5_000, headersMs: 15_000, bodyMs: 15_000 }

/** @throws {ConfigError} and others, with everything closed again that was opened. */
export async function startService(config: Config, { clock, log }: { clock: Clock; log: Log }): Promise<Service> {
  const opened = new AsyncDisposableStack()
  try {
    const storage = await openStorage(config, log)
    opened.defer(() => storage.close())
    const { db } = storage.database
    const queues = openQueues({
      redisUrl: config.redisUrl,
      databaseUrl: storage.databaseUrl,
      onError: (error) => log.warn({ err: error }, 'the queue had an error'),
    })
    opened.defer(() => queues.close())

    const encryption = createEncryption(storage.encryptionKeys)
    const metrics = createMetrics(queues)
    const nudge = createNudge({ queues, log })
    const providerAgents = createAgents({
      guard: createGuard({ allowedCidrs: config.providerAllowedCidrs }),
      timeouts: providerTimeouts,
    })
    opened.defer(() => providerAgents.destroy())
    const webhookGuard = createGuard({ allowedCidrs: config.webhookAllowedCidrs })
    const webhookAgents = createAgents({ guard: webhookGuard, timeouts: webhookTimeouts })
    opened.defer(() => webhookAgents.destroy())

    if (config.roles.has('worker')) {
      const workers = await startWorkers({
        db,
        clock,
        log,
        queues,
        nudge,
        encryption,
        targets: createTargets({ db, encryption, log }),
        client: createProviderClient({ agents: providerAgents, clock }),
        agents: webhookAgents,
        observePoll: metrics.polled,
        observeDelivery: metrics.attempted,
      })
      opened.defer(() => workers.stop(drainMs))
    }
    const embedded = config.databaseUrl === null
    return { url: '', adminToken: embedded ? storage.adminToken : null, stop: () => opened.disposeAsync() }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}
