// Owns running every command once, one after the other, as a person would: a service, a vendor, and what is asked of them.
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import { verifyWebhook } from '../../packages/client/src/index.ts'
import type { RunningCli } from './run.ts'

interface Stage {
  /** Starts the command line. */
  start(args: readonly string[], environment: Record<string, string>, input?: string): RunningCli
  /** Where files are written. It is the working directory. */
  folder: string
  /** A database of its own, for `migrate` and `rotate-keys`. */
  databaseUrl: string
}

interface Said {
  code: number | null
  stdout: string
  stderr: string
}

/** Returns the commands that were run, with their options left out. */
export async function runEveryVerb({ start, folder, databaseUrl }: Stage): Promise<Set<string>> {
  const ran = new Set<string>()
  const begun: RunningCli[] = []
  const receivers: Receiver[] = []
  const account: Record<string, string> = { DATA_DIR: join(folder, 'data'), XDG_CONFIG_HOME: join(folder, 'config') }
  /** The words before the first argument are the command. */
  const begin = (command: string, args: readonly string[], given: Record<string, string> = {}, input?: string) => {
    ran.add(command)
    const running = start([...command.split(' '), ...args], { ...account, ...given }, input)
    begun.push(running)
    return running
  }
  const run = async (command: string, args: readonly string[] = [], input?: string): Promise<Said> => {
    const running = begin(command, args, {}, input)
    return { code: await running.exited, ...running.output() }
  }
  /** Runs one that is to end with this status and to say nothing on stderr. Returns what it prints. */
  const printed = async (code: number, command: string, args: readonly string[] = [], input?: string) => {
    const done = await run(command, args, input)
    expect({ command, args, code: done.code, stderr: done.stderr }).toEqual({ command, args, code, stderr: '' })
    return done.stdout
  }
  /** The same, by JSON a line each. */
  const json = async (code: number, command: string, args: readonly string[] = [], input?: string) => {
    const lines = (await printed(code, command, [...args, '--json'], input)).trim().split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }
  const ended = async ({ child, exited }: RunningCli, signal: NodeJS.Signals) => {
    child.kill(signal)
    return exited
  }
  const receive = async () => {
    const receiver = await startReceiver()
    receivers.push(receiver)
    return receiver
  }

  try {
    const receiver = await receive()
    await mkdir(join(folder, 'demo'))
    const demo = begin('demo', ['--exit'], { DATA_DIR: join(folder, 'demo'), PORT: '0' })
    const service = begin('serve', [], { PORT: '0' })
    const [, url = ''] = await service.said(/listens on (\S+);/)
    const sandbox = begin('sandbox', ['--port', '0'])
    const [, vendor = ''] = await sandbox.said(/listens on (\S+)\./)
    const job = async (jobId: string, script: object): Promise<string> => {
      const body = JSON.stringify({ provider: 'cdq', jobId, ...script })
      expect((await fetch(`${vendor}/scripts`, { method: 'POST', body })).ok).toBe(true)
      return jobId
    }

    // Beside the service nobody has to sign in.
    expect(await json(0, 'whoami')).toMatchObject([{ url, scope: 'admin' }])
    const [token] = await json(0, 'tokens create', ['ci', '--scope', 'admin'])
    expect(await printed(0, 'tokens list')).toMatch(/^ID +NAME +SCOPE +AGE\n\S+ ci +admin +\d+s\n$/)
    expect(await printed(0, 'login', ['--url', url], `${token.token}\n`)).toContain('as ci (admin)')
    expect(await json(0, 'whoami')).toMatchObject([{ name: 'ci' }])

    const connection = {
      ...{ provider: 'cdq', baseUrl: `${vendor}/cdq`, credentials: { apiKey: 'sandbox-cdq-key' } },
      limits: { minIntervalMs: 200, maxIntervalMs: 400 },
    }
    expect(await json(0, 'connections put', ['crm'], JSON.stringify(connection))).toMatchObject([{ name: 'crm' }])
    expect(await printed(0, 'connections list')).toMatch(/^crm +cdq +asking +0$/m)
    expect(await json(0, 'connections get', ['crm'])).toMatchObject([{ provider: 'cdq', limits: connection.limits }])
    expect(await json(0, 'connections resume', ['crm'])).toMatchObject([{ pausedAt: null }])

    const [endpoint] = await json(0, 'endpoints create', ['--url', receiver.url])
    expect(await json(0, 'endpoints list')).toMatchObject([{ id: endpoint.id, enabled: true }])
    expect(await json(0, 'endpoints get', [endpoint.id])).toMatchObject([{ url: receiver.url }])
    const [tested] = await json(0, 'endpoints test', [endpoint.id])
    expect(await json(0, 'deliveries get', [tested.id])).toMatchObject([{ id: tested.id, type: 'webhook.test' }])

    const register = ['--connection', 'crm', '--metadata', 'run=42', '--job-id']
    const ending = await job('job-ending', { durationMs: 300, outcome: 'partial', rows: 5, skippedLines: 2 })
    const changes = await json(3, 'imports register', [...register, ending, '--watch'])
    const over = changes.at(-1)
    expect(over).toMatchObject({ state: 'partial', metadata: { run: 42 } })
    const going = await job('job-going', { durationMs: 3_600_000, outcome: 'succeeded' })
    const [live] = await json(0, 'imports register', [...register, going])
    expect(await json(0, 'imports register', [...register, going])).toMatchObject([{ id: live.id }])
    expect(await json(3, 'imports watch', [over.id])).toMatchObject([{ id: over.id, state: 'partial' }])
    expect((await run('imports watch', [over.id, live.id, '--timeout', '0'])).code).toBe(124)
    expect(await json(0, 'imports list', ['--state', 'partial,failed'])).toMatchObject([{ id: over.id }])
    expect(await printed(0, 'imports get', [over.id])).toMatch(/^metadata\.run +42$/m)
    // Rows are collected after the end. The event of it says when.
    const following = await json(0, 'deliveries list', ['--import', over.id])
    expect(following).toMatchObject([{ type: 'import.partial', endpointId: endpoint.id }])
    const tail = begin('events tail', ['--after', following[0].eventId, '--type', 'import.rows_collected', '--json'])
    expect(JSON.parse(String(await tail.said(/.+\n/)))).toMatchObject({ importId: over.id })
    expect(await ended(tail, 'SIGINT')).toBe(130)
    expect(await json(0, 'imports rows', [over.id, '--skipped'])).toHaveLength(2)
    expect(await json(0, 'imports poll', [live.id])).toMatchObject([{ id: live.id }])
    expect(await json(0, 'imports stop', [live.id])).toMatchObject([{ state: 'stopped' }])
    expect(await json(7, 'imports watch', [live.id])).toHaveLength(1)
    expect(await json(0, 'imports resume', [live.id])).toMatchObject([{ state: 'pending' }])
    expect(await printed(0, 'open', ['import', over.id, '--print'])).toBe(`${url}/imports/${over.id}\n`)

    expect(await json(0, 'deliveries redeliver', [tested.id])).toMatchObject([{ id: tested.id }])
    expect(await json(0, 'endpoints recover', [endpoint.id, '--dry-run'])).toMatchObject([{ dryRun: true }])
    expect(await json(0, 'endpoints replay', [endpoint.id, '--dry-run'])).toMatchObject([{ dryRun: true }])
    const [rotated] = await json(0, 'endpoints rotate', [endpoint.id])
    expect(rotated.secret).not.toBe(endpoint.secret)
    expect(await json(0, 'actions list', ['--import', live.id])).toMatchObject([
      { verb: 'import.resume', by: { name: 'ci' } },
      { verb: 'import.stop' },
      { verb: 'import.poll' },
    ])
    expect(await printed(0, 'actions list', ['--verb', 'connection.put'])).toMatch(/^ci +connection\.put +crm +\d+s$/m)

    const own = await receive()
    const listening = begin('webhooks listen', ['--forward-to', own.url, '--types', 'import.stopped'])
    const [, secret = ''] = await listening.told(/secret (whsec_\S+)\.\n/)
    await run('imports stop', [live.id])
    await listening.said(/^ {2}import\.stopped \S+: 204 in \d+ ms$/m)
    const [forwarded] = own.requests
    expect(verifyWebhook(forwarded?.body ?? '', forwarded?.headers ?? {}, secret)).toMatchObject({
      data: { id: live.id },
    })
    expect(await ended(listening, 'SIGINT')).toBe(0)
    expect(await json(0, 'endpoints list')).toMatchObject([{ id: endpoint.id }])
    const sample = ['import.partial', '--to', own.url, '--secret', secret]
    expect(await printed(0, 'webhooks trigger', sample)).toMatch(/: 204 in \d+ ms\n$/)
    await writeFile(join(folder, 'captured.txt'), captured(own.requests.at(-1)))
    expect(await printed(0, 'webhooks verify', ['captured.txt', '--secret', secret])).toContain('import.partial')

    expect(await json(0, 'endpoints delete', [endpoint.id])).toEqual([{ id: endpoint.id, deleted: true }])
    expect(await printed(0, 'imports delete', [live.id, over.id])).toBe(
      `${live.id} is deleted.\n${over.id} is deleted.\n`,
    )
    expect(await printed(0, 'connections delete', ['crm'])).toBe('crm is deleted.\n')
    for (const shell of ['bash', 'zsh', 'fish'])
      expect(await printed(0, 'completion', [shell])).toContain('import-tracker')
    expect(await printed(0, 'providers new', ['acme'])).toContain('acme.json is written.')
    expect(await printed(0, 'providers check', ['acme.json'])).toContain('acme.json is right')
    expect(await printed(0, 'tokens delete', [token.id])).toBe(`${token.id} is revoked.\n`)
    expect((await run('imports list')).code).toBe(8) // that was its own token

    const keys = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'))
    Object.assign(account, { DATABASE_URL: databaseUrl, ENCRYPTION_KEYS: keys.join(',') })
    expect(await printed(0, 'migrate')).toContain('The database is up to date.')
    expect(await printed(0, 'rotate-keys')).toContain('0 connections re-encrypted')

    expect(await ended(sandbox, 'SIGTERM')).toBe(0)
    expect(await ended(service, 'SIGTERM')).toBe(0)
    expect({ code: await demo.exited, ...demo.output() }).toMatchObject({ code: 0, stderr: '' })
    expect(demo.output().stdout).toMatch(/^Everything is as expected\.$/m)
  } finally {
    for (const running of begun) await ended(running, 'SIGTERM')
    for (const receiver of receivers) await receiver.close()
  }
  return ran
}

interface Received {
  headers: Record<string, string | string[] | undefined>
  body: string
}

interface Receiver {
  url: string
  requests: Received[]
  close(): Promise<void>
}

async function startReceiver(): Promise<Receiver> {
  const requests: Received[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    requests.push({ headers: request.headers, body })
    response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    requests,
    close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()),
  }
}

/** The request as text, as a person would keep it. */
function captured(request: Received | undefined): string {
  const lines = Object.entries(request?.headers ?? {}).map(([name, value]) => `${name}: ${value}`)
  return ['POST /hooks HTTP/1.1', ...lines, '', request?.body].join('\r\n')
}
