// Owns signing in: `login` keeps a token that the service accepts, and `whoami` says whose it is.
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Command } from 'commander'
import type { Client } from '../../packages/client/src/index.ts'
import { visibleText } from '../base/visible-text.ts'
import { defaultProfile, keepAccount, localUrl, readToken, readUrl } from './account.ts'
import { atService, endingInStatus } from './at-service.ts'
import { readStdin } from './given.ts'

export function addSigningIn(program: Command): void {
  program
    .command('login')
    .description('sign in to a running service; the token is asked for, or read from stdin')
    .option('--url <url>', 'the service (IMPORT_TRACKER_URL, or this machine)')
    .option('--profile <name>', 'the name to keep it under', defaultProfile)
    .action(async ({ url, profile }: { url?: string; profile: string }) => {
      await endingInStatus(async (signal) => {
        const at = readUrl(url ?? (process.env.IMPORT_TRACKER_URL || localUrl(process.env)))
        const account = { url: at, token: readToken(await askForToken(at, signal)) }
        const { createClient } = await import('../../packages/client/src/index.ts')
        const me = await whoIs(createClient(account), signal)
        const file = await keepAccount(process.env, profile, account)
        console.log(visibleText(`Signed in to ${at} as ${me.name} (${me.scope}); the token is kept in ${file}.`))
        return 0
      })
    })

  const whoami = program.command('whoami').description('say which service is asked, and whose the token is')
  atService(whoami.option('--json', 'print JSON'), async ({ tracker, account, signal }, { json }: { json?: true }) => {
    const me = await whoIs(tracker, signal)
    if (json) console.log(JSON.stringify({ url: account.url, ...me }))
    else console.log(visibleText(`${me.name} (${me.scope}) at ${account.url}`))
    return undefined
  })
}

/** @throws {Error} if another service answered: a token isn't kept for it. */
async function whoIs(tracker: Client, signal: AbortSignal) {
  const me = await tracker.me.get({ signal })
  if (typeof me.name === 'string' && typeof me.scope === 'string') return me
  throw new Error('The URL is another service’s: its answer says nothing of a token.')
}

/** On a terminal nothing that is typed is shown. */
async function askForToken(url: string, signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY) return readStdin()
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  process.stderr.write(`Token for ${url}: `) // once the terminal is raw, so that it shows nothing of what is pasted now
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT')) // the terminal is raw, so that Ctrl-C is a key
  try {
    return await lines.question('', { signal })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
