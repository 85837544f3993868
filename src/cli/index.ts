// Owns the command line: `import-tracker`, which by itself runs the service, and its commands.
import { Command, InvalidArgumentError, Option } from 'commander'
import { untilStopped } from '../app/until-stopped.ts'
import { systemClock } from '../base/clock.ts'
import { createLog } from '../base/log.ts'
import { readConfig } from '../config/config.ts'
import { reportFailure } from './failure.ts'

// Each command loads its modules when it runs, so that `--help` and a wrong configuration answer at once.
const program = new Command('import-tracker').description('Tracks imports at other vendors until they are over.')

program
  .command('serve', { isDefault: true })
  .description('run the service (the default)')
  .action(async () => {
    const config = readConfig(process.env)
    const { startService } = await import('../app/service.ts')
    const log = createLog(config.logLevel)
    await untilStopped(
      log,
      () => startService(config, { log, clock: systemClock }),
      ({ url, keptToken }) => {
        console.log(`Import Tracker listens on ${url}; its API is described at ${url}/docs.`)
        if (keptToken) console.log(`The admin token is in ${keptToken.file}.`)
        // only this once, because journals keep the output
        if (keptToken?.isNew) console.log(`Admin token: ${keptToken.token}`)
      },
    )
  })

program
  .command('migrate')
  .description('bring the database up to date')
  .action(async () => {
    const config = readConfig(process.env)
    const [{ withDatabase }, { migrate }, { migrateQueue }, { makePartitions }] = await Promise.all([
      import('./database.ts'),
      import('../db/migrate.ts'),
      import('../queue/migrate.ts'),
      import('../history/partitions.ts'),
    ])
    await withDatabase(config, async (database) => {
      await migrate(database, console.log)
      await migrateQueue(database.pool)
      await makePartitions(database.db, systemClock.now())
    })
    console.log('The database is up to date.')
  })

program
  .command('rotate-keys')
  .description('re-encrypt what is stored with the first key of ENCRYPTION_KEYS')
  .action(async () => {
    const { rotateKeysCommand } = await import('./rotate-keys.ts')
    await rotateKeysCommand(readConfig(process.env))
  })

program
  .command('sandbox')
  .description("serve the four providers' status APIs, scripted, to try the service with")
  .option('--port <port>', 'the port to listen on', readPort, 4010)
  .action(async ({ port }: { port: number }) => {
    const { startSandbox } = await import('../sandbox/server.ts')
    await untilStopped(
      createLog('warn'),
      async () => {
        const { url, close } = await startSandbox({ clock: systemClock, port })
        return { url, stop: close }
      },
      ({ url }) => console.log(`The sandbox listens on ${url}.`),
    )
  })

program
  .command('demo')
  .description('run the service on the sandbox with some dozen imports, and show what happens')
  .option('--exit', 'end when all imports are over; the status tells whether they ended as expected')
  .action(async (options: { exit?: boolean }) => {
    const { runDemo } = await import('../demo/run.ts')
    await runDemo({ config: readConfig(process.env), exit: options.exit ?? false })
  })

program
  .command('webhooks')
  .description('help with receiving webhooks')
  .command('listen')
  .description('receive webhooks on this machine, verify them and print each')
  .option('--port <port>', 'the port to listen on', readPort, 4020)
  .addOption(new Option('--secret <secret>', "the endpoint's secret, whsec_…").env('WEBHOOK_SECRET'))
  .option('--json', 'print the bodies, a line each')
  .action(async ({ port, secret, json = false }: { port: number; secret?: string; json?: boolean }) => {
    const { listen } = await import('./listen.ts')
    await untilStopped(
      createLog('warn'),
      () => listen(systemClock, { port, secret, json }),
      ({ url }) => console.error(`Webhooks are received on ${url}.`),
    )
  })

const providerCommands = program.command('providers').description('help with providers as documents')

providerCommands
  .command('new')
  .argument('<name>', 'the name of the provider')
  .description('write a document with an example into NAME.json, to begin with')
  .action(async (name: string) => {
    const { writeNewDocument } = await import('./providers.ts')
    await writeNewDocument(name)
  })

providerCommands
  .command('check')
  .argument('<file>', 'the JSON of a document')
  .description('read a document and run its examples; the status tells whether all is right')
  .action(async (file: string) => {
    const { checkDocumentFile } = await import('./providers.ts')
    if (!(await checkDocumentFile(file))) process.exitCode = 1
  })

try {
  await program.parseAsync()
} catch (error) {
  reportFailure(error, process.env)
  process.exit(1) // whatever was opened must not keep the process alive
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It must be a port number.')
  return port
}
