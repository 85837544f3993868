// Owns the demo: the service, the vendors' sandbox and a consumer in one process, with some dozen imports and their
// results. It uses the service only through the public API.
import { startService } from '../app/service.ts'
import { untilStopped } from '../app/until-stopped.ts'
import { systemClock } from '../base/clock.ts'
import type { Config } from '../config/config.ts'
import { startSandbox } from '../sandbox/server.ts'
import { type Play, play } from './play.ts'
import { freePortOr0 } from './port.ts'
import { startReceiver } from './receiver.ts'
import { createScreen } from './screen.ts'
import { openWorkplace, type Workplace } from './workplace.ts'

interface Demo {
  begin(): void
  ended: Promise<{ because: string; failed: boolean }>
  stop(): Promise<void>
}

/**
 * Plays the demo and goes on serving until it is told to stop. With `exit` it ends by itself, and its status is the
 * verdict.
 */
export async function runDemo({ config, exit }: { config: Config; exit: boolean }): Promise<void> {
  // Registered before the directory is made: until the real handlers are there, no signal may end the process and leave
  // the directory.
  process.once('SIGINT', sayWhen).once('SIGTERM', () => {})
  // a closed terminal must not leave Postgres running either
  process.on('SIGHUP', () => process.kill(process.pid, 'SIGTERM'))
  const workplace = openWorkplace(config)
  await untilStopped(
    workplace.log,
    () => start(config, workplace, exit),
    (demo) => demo.begin(),
  )
}

function sayWhen(): void {
  console.log('It stops as soon as it has started …')
}

async function start(config: Config, workplace: Workplace, exit: boolean): Promise<Demo> {
  const opened = new AsyncDisposableStack()
  opened.defer(() => workplace.leave())
  try {
    console.log('Starting PostgreSQL, the service, the sandbox and a webhook receiver …')
    const receiver = await startReceiver()
    opened.defer(() => receiver.close())
    const service = await startService(await demoConfig(config, workplace), { clock: systemClock, log: workplace.log })
    opened.defer(() => service.stop())
    // Closed before the service, so that the service waits for no vendor's answer.
    const sandbox = await startSandbox({ clock: systemClock, rateLimits: microLimits })
    opened.defer(() => sandbox.close())

    process.off('SIGINT', sayWhen)
    const screen = createScreen(process.stdout)
    const stopping = new AbortController()
    const ended = Promise.withResolvers<{ because: string; failed: boolean }>()
    void service.ended.then(ended.resolve)
    let playing = Promise.resolve()
    return {
      ended: ended.promise,
      begin() {
        const stage: Play = { workplace, service, sandbox, receiver, screen, exit, signal: stopping.signal }
        playing = play(stage).then(
          (verdict) => {
            if (exit && verdict !== 'stopped') ended.resolve({ because: verdict, failed: verdict !== 'as expected' })
          },
          (error: unknown) => {
            screen.end()
            console.error(error)
            ended.resolve({ because: 'the demo failed', failed: true })
          },
        )
      },
      async stop() {
        stopping.abort()
        await playing
        console.log('Stopping …')
        await opened.disposeAsync()
      },
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

/** The limits that micro.so publishes. */
const microLimits = { micro: { requestsPerSecond: 10, requestsPerMonth: 1_000 } }
const loopback = ['127.0.0.0/8', '::1/128']

/** Replaces the environment's database and queue: the demo has its own, and all its parts are on this machine. */
async function demoConfig(config: Config, { directory }: Workplace): Promise<Config> {
  return {
    ...config,
    databaseUrl: null,
    redisUrl: null,
    dataDir: directory,
    port: await freePortOr0(config.host, config.port),
    roles: new Set(['api', 'worker']),
    webhookAllowedCidrs: loopback,
    providerAllowedCidrs: loopback,
  }
}
