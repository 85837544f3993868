// Owns the demo: the service, the vendors' sandbox and a consumer in one process, some dozen imports, and what came of
// them. It uses the service through its public API alone.
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

/** Plays the demo and goes on serving until it is told to stop; `exit`: ends by itself, with the status as its verdict. */
export async function runDemo({ config, exit }: { config: Config; exit: boolean }): Promise<void> {
  // From before the directory is made: until there are better handlers, no signal may end the process with it left.
  process.once('SIGINT', sayWhen).once('SIGTERM', () => {})
  process.on('SIGHUP', () => process.kill(process.pid, 'SIGTERM')) // a closed terminal must leave no Postgres either
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
    // Closed before the service: nothing has to be waited for that a vendor doesn't answer.
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

/** As micro.so publishes them. */
const microLimits = { micro: { requestsPerSecond: 10, requestsPerMonth: 1_000 } }
const loopback = ['127.0.0.0/8', '::1/128']

/** Whatever the environment says of databases and queues: the demo has its own, and all its parts are on this machine. */
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
