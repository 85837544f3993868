// Owns the command line: `import-tracker`, which by itself runs the service, and its commands.
import { readFileSync } from 'node:fs'
import { Argument, Command, CommanderError } from 'commander'
import { addActions } from './actions.ts'
import { addConnections } from './connections.ts'
import { addDeliveries } from './deliveries.ts'
import { addEndpoints } from './endpoints.ts'
import { addEvents } from './events.ts'
import { exitCodes } from './exit-code.ts'
import { readPort } from './given.ts'
import { addImports } from './imports.ts'
import { addSigningIn } from './login.ts'
import { addOpen } from './open.ts'
import { loadRunning } from './running.ts'
import { addTokens } from './tokens.ts'
import { addWebhooks } from './webhooks.ts'

const shells = ['bash', 'zsh', 'fish'] as const

// Each command loads its modules when it runs, so that `--help` and a wrong configuration answer at once.
const program = new Command('import-tracker')
  .description('Tracks imports at other vendors until they are over.')
  .version(readVersion())
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(withoutValues(text)) })

program
  .command('serve')
  .description('run the service (the default)')
  .action(async () => {
    const [{ readConfig }, { createLog }] = await Promise.all([import('../config/config.ts'), import('../base/log.ts')])
    const config = readConfig(process.env)
    const [{ startService }, { untilStopped }, { systemClock }] = await Promise.all([
      import('../app/service.ts'),
      import('../app/until-stopped.ts'),
      import('../base/clock.ts'),
    ])
    const log = createLog(config.logLevel)
    // The service goes on when its output's reader has gone.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
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
    const { readConfig } = await import('../config/config.ts')
    const config = readConfig(process.env)
    const [{ withDatabase }, { migrate }, { migrateQueue }, { makePartitions }, { systemClock }] = await Promise.all([
      import('./database.ts'),
      import('../db/migrate.ts'),
      import('../queue/migrate.ts'),
      import('../history/partitions.ts'),
      import('../base/clock.ts'),
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
    const [{ rotateKeysCommand }, { readConfig }] = await Promise.all([
      import('./rotate-keys.ts'),
      import('../config/config.ts'),
    ])
    await rotateKeysCommand(readConfig(process.env))
  })

program
  .command('sandbox')
  .description("serve the vendors' status APIs, scripted, to try the service with")
  .option('--port <port>', 'the port to listen on', readPort, 4010)
  .action(async ({ port }: { port: number }) => {
    const [{ startSandbox }, { untilStopped, createLog, systemClock }] = await Promise.all([
      import('../sandbox/server.ts'),
      loadRunning(),
    ])
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
    const [{ runDemo }, { readConfig }] = await Promise.all([import('../demo/run.ts'), import('../config/config.ts')])
    await runDemo({ config: readConfig(process.env), exit: options.exit ?? false })
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

addSigningIn(program)
addImports(program)
addConnections(program)
addEndpoints(program)
addDeliveries(program)
addEvents(program)
addActions(program)
addTokens(program)
addWebhooks(program)
addOpen(program)

program
  .command('completion')
  .description('print a script that completes commands, states and names of connections in your shell')
  .addArgument(new Argument('<shell>', 'such as in: source <(import-tracker completion bash)').choices(shells))
  .action(async (shell: (typeof shells)[number]) => {
    const { printScript } = await import('./completion.ts')
    printScript(program.name(), shell)
  })

program
  .command('complete', { hidden: true })
  .description('what may come next, for the script')
  .argument('[words...]')
  .action(async (words: string[]) => {
    const { printCompletions } = await import('./completion.ts')
    await printCompletions(program, words)
  })

try {
  const given = process.argv.slice(2)
  await program.parseAsync(given.length === 0 ? ['serve'] : given, { from: 'user' })
} catch (error) {
  // Commander has said what is wrong, and where somebody asked for help nothing is.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : exitCodes.usage)
  const { reportFailure } = await import('./failure.ts')
  reportFailure(error, process.env)
  process.exit(exitCodes.failure) // whatever was opened must not keep the process alive
}

/** What is given where it has no place may be a token. The words of Commander would tell it. */
function withoutValues(text: string): string {
  return text
    .replace(/^(error: unknown option '--?[\w-]+)=.*'/s, "$1'")
    .replace(/^(error: too many arguments .*? but got \d+): .*/s, '$1.\n')
}

/** What is built lies a folder deeper than the sources. */
function readVersion(): string {
  const file = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json'
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')).version
}
