// Owns the commands `webhooks …`, for those who receive webhooks. Each loads its modules when it runs.
import { Argument, type Command, Option } from 'commander'
import { type EventType, eventTypes } from '../model/event-types.ts'
import { findAccount } from './account.ts'
import { endingInStatus, exitWith } from './at-service.ts'
import { readTypes } from './event-patterns.ts'
import { readDuration, readHttpUrl, readMoment, readPort } from './given.ts'
import type { Listening, ListenOptions } from './listen.ts'
import { loadRunning } from './running.ts'

export function addWebhooks(program: Command): void {
  const webhooks = program.command('webhooks').description('help with receiving webhooks')
  addListen(webhooks)
  addTrigger(webhooks)
  addVerify(webhooks)
}

interface ListenGiven extends Omit<ListenOptions, 'types' | 'json'> {
  types?: ListenOptions['types']
  json?: boolean
  profile?: string
}

function addListen(webhooks: Command): void {
  webhooks
    .command('listen')
    .description('print the events of a running service as webhooks, and forward them to a receiver')
    .option('--forward-to <url>', 'the receiver; what it gets is signed with a secret that is printed', readHttpUrl)
    .option('--types <patterns>', "only these types, such as 'import.*' (all); may be repeated", readTypes)
    .option('--port <port>', 'the port to receive on', readPort)
    .addOption(secretOption('receive the webhooks of the endpoint with this secret; with --forward-to: sign with it'))
    .option('--json', 'print the bodies, a line each')
    .option('--profile <name>', 'the service to ask, as login keeps it')
    .action(async ({ json = false, types = [...eventTypes], profile, ...given }: ListenGiven) => {
      const [{ listen, receive }, { untilStopped, createLog, systemClock }] = await Promise.all([
        import('./listen.ts'),
        loadRunning(),
      ])
      const options = { ...given, types, json }
      process.on('SIGHUP', () => process.kill(process.pid, 'SIGTERM')) // a closed terminal leaves no endpoint either
      const readerLeft = stdoutClosed()
      const open = async (): Promise<Listening> => {
        const isReceiver = given.secret !== undefined && given.forwardTo === undefined
        if (isReceiver) return receive(systemClock, { ...options, port: given.port ?? 4020 })
        const { url, token } = await findAccount(process.env, profile)
        const { createClient } = await import('../../packages/client/src/index.ts')
        const tracker = createClient({ url, token })
        return listen({ clock: systemClock, tracker, url }, { ...options, port: given.port ?? 0 })
      }
      const start = async () => {
        const listening = await open()
        return { ...listening, ended: Promise.race([readerLeft, ...(listening.ended ? [listening.ended] : [])]) }
      }
      await untilStopped(createLog('warn', process.stderr), start, ({ told }) => {
        for (const line of told) console.error(line)
      }).catch(exitWith)
    })
}

/** Resolves when the reader of the pipe, such as head(1), has closed it. */
function stdoutClosed(): Promise<{ because: string; failed: boolean }> {
  return new Promise((resolve) => {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ because: 'nobody reads stdout', failed: error.code !== 'EPIPE' })
    })
  })
}

function addTrigger(webhooks: Command): void {
  webhooks
    .command('trigger')
    .description('send a sample of an event to a receiver, signed; the status tells whether it took it')
    .addArgument(new Argument('<type>', 'the type of the event').choices([...eventTypes, 'webhook.test']))
    .requiredOption('--to <url>', 'the receiver', readHttpUrl)
    .addOption(secretOption('what the receiver verifies with (a new one, which is printed)'))
    .option('--json', 'print the body')
    .action(async (type: EventType, { to, secret, json = false }: { to: string; secret?: string; json?: boolean }) => {
      const [{ trigger }, { systemClock }] = await Promise.all([import('./trigger.ts'), import('../base/clock.ts')])
      await endingInStatus(() => trigger(systemClock, type, { to, secret, json }))
    })
}

function addVerify(webhooks: Command): void {
  webhooks
    .command('verify')
    .description('say which check a captured webhook fails: a file of its headers, an empty line, and its body')
    .argument('<file>', 'the request; - is stdin')
    .addOption(secretOption("the endpoint's secret"))
    .option('--at <moment>', 'judge its time as of this moment (now)', readMoment)
    .option('--tolerance <duration>', 'how old it may be', readDuration, 300_000)
    .action(async (file: string, { secret, at, tolerance }: { secret?: string; at?: string; tolerance: number }) => {
      const { verifyFile } = await import('./verify.ts')
      const now = at === undefined ? new Date() : new Date(at)
      await endingInStatus(() => verifyFile(file, { secret, now, toleranceMs: tolerance }))
    })
}

function secretOption(what: string): Option {
  return new Option('--secret <secret>', `${what}: whsec_…`).env('WEBHOOK_SECRET')
}
