// The commands against a running service, as people and scripts use them.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, createClient, type Import } from '../../packages/client/src/index.ts'
import type { Service } from '../../src/app/service.ts'
import { systemClock } from '../../src/base/clock.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestService } from '../support/service.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { main, runCli, startCli } from './run.ts'

let directory: string
let database: TestDatabase
let sandbox: Sandbox
let service: Service
let tracker: Client
/** Signed in by the environment; and by nothing. */
let environment: Record<string, string>
let nobody: Record<string, string>

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-verbs-'))
  database = await createTestDatabase()
  sandbox = await startSandbox({ clock: systemClock })
  service = await startTestService({ database })
  tracker = createClient({ url: service.url, token: adminToken })
  nobody = { XDG_CONFIG_HOME: join(directory, 'config'), DATA_DIR: join(directory, 'data') }
  environment = { ...nobody, IMPORT_TRACKER_URL: service.url, IMPORT_TRACKER_TOKEN: adminToken }
  const body = JSON.stringify({
    provider: 'cdq',
    baseUrl: sandbox.baseUrl('cdq'),
    credentials: sandbox.credentials('cdq'),
    limits: { minIntervalMs: 200, maxIntervalMs: 400 },
  })
  expect(await runCli(['connections', 'put', 'crm'], environment, body)).toMatchObject({ code: 0, stderr: '' })
})
afterAll(async () => {
  await service.stop()
  await sandbox.close()
  await database.close()
  await rm(directory, { recursive: true })
})

test.each([['--help'], ['--version'], ['imports', '--help'], ['webhooks', 'listen', '--help']])(
  '%s %s loads hardly anything',
  async (...args) => {
    const hook = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(specifier, context, next) {
      const found = next(specifier, context)
      const [, name] = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(found.url) ?? []
      if (name) process.stderr.write(name + '\\n')
      return found
    } })`
    const options = `--import=data:text/javascript,${encodeURIComponent(hook)}`
    const { code, stdout, stderr } = await runCli(args, { NODE_OPTIONS: options })
    expect(code).toBe(0)
    expect(stdout).toMatch(args[0] === '--version' ? /^\d+\.\d+\.\d+\n$/ : /^Usage: import-tracker/)
    expect([...new Set(stderr.trim().split('\n'))]).toEqual(['commander'])
  },
)

const ends: [Import['state'], number][] = [
  ['succeeded', 0],
  ['partial', 3],
  ['failed', 4],
  ['canceled', 5],
  ['lost', 6],
  ['stopped', 7],
]

test.each(ends)('to watch an import that comes to be %s ends with %i', async (state, code) => {
  const one = await register({ durationMs: 300, outcome: state })
  const watched = await runCli(['imports', 'watch', one.id, '--json'], environment)
  expect({ code: watched.code, stderr: watched.stderr }).toEqual({ code, stderr: '' })
  const changes = watched.stdout.trim().split('\n')
  expect(changes.map((line) => JSON.parse(line)).at(-1)).toMatchObject({ id: one.id, state })
})

test('several imports are watched at once, a line a change', async () => {
  const [first, second] = [await register({ outcome: 'succeeded' }), await register({ outcome: 'partial' })]
  const { code, stdout } = await runCli(['imports', 'watch', first.id, second.id, first.id], environment)
  expect(code).toBe(3)
  const lines = stdout.trim().split('\n')
  expect(new Set(lines).size).toBe(lines.length)
  expect(lines.filter((line) => line.includes(`${first.id} crm/${first.jobId} succeeded`))).toHaveLength(1)
  expect(lines.filter((line) => line.includes(`${second.id} crm/${second.jobId} partial`))).toHaveLength(1)
})

test('what is live when the time is over ends with 124', async () => {
  const [over, live] = [await register({ outcome: 'failed', durationMs: 0 }), await register({ durationMs: 600_000 })]
  await tracker.imports.wait(over.id)
  expect(await runCli(['imports', 'watch', over.id, live.id, '--timeout', '100ms'], environment)).toMatchObject({
    code: 124,
    stderr: '',
  })
  expect((await runCli(['imports', 'watch', over.id, '--timeout', '0'], environment)).code).toBe(4)
})

test('a service that gives no answer holds nobody up for longer than the time', async () => {
  const server = createServer().listen(0, '127.0.0.1') // it takes connections, and says nothing
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const silent = { ...environment, IMPORT_TRACKER_URL: `http://127.0.0.1:${port}` }
  expect(await runCli(['imports', 'watch', 'x', '--timeout', '0'], silent)).toEqual({
    code: 124,
    stdout: '',
    stderr: '',
  })
  server.close()
})

test('Ctrl-C ends watching', async () => {
  const one = await register({ durationMs: 600_000 })
  const watching = startCli(['imports', 'watch', one.id], environment)
  await watching.said(/ (pending|queued|running)/)
  watching.child.kill('SIGINT')
  expect(await watching.exited).toBe(130)
  expect(watching.output().stderr).toBe('')
})

test('on a terminal an import is a bar in place', async () => {
  const one = await register({ durationMs: 300, outcome: 'succeeded' })
  const command = `stty rows 24 cols 80; exec '${process.execPath}' '${main}' imports watch ${one.id}`
  const env = { ...environment, PATH: process.env.PATH, TERM: 'xterm-256color' }
  const { stdout } = await promisify(execFile)('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env,
  })
  expect(stdout).toMatch(/━{10}/)
  expect(stdout).toContain('\u001b[?25h') // the cursor is shown again
  expect(stdout).toMatch(/crm +\S+ .*100% .*succeeded/)
})

test('to register twice is no error, and metadata keep their kinds', async () => {
  const { jobId } = sandbox.add({ provider: 'cdq', durationMs: 300, outcome: 'partial', rows: 10 })
  const register = ['imports', 'register', '--connection', 'crm', '--job-id', jobId, '--json']
  const metadata = ['--metadata', 'run=42', '--metadata', 'team=data', '--metadata', 'dry=false']
  const first = await runCli([...register, ...metadata], environment)
  expect(first.code).toBe(0)
  const one = JSON.parse(first.stdout)
  expect(one.metadata).toEqual({ run: 42, team: 'data', dry: false })
  const second = await runCli([...register, ...metadata, '--watch'], environment)
  expect(second.code).toBe(3)
  expect(JSON.parse(second.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ id: one.id, state: 'partial' })
})

test('imports are listed in 80 columns, and as JSON a line each', async () => {
  const { id } = await register({ jobId: `${'輸入'.repeat(60)}`, durationMs: 600_000 }, { list: 'this' })
  await register({ durationMs: 600_000 }, { list: 'this' })
  const list = ['imports', 'list', '--metadata', 'list=this']
  for (const more of [[], ['--time', 'iso']]) {
    const { stdout } = await runCli([...list, ...more], environment)
    const [head = '', ...rows] = stdout.trimEnd().split('\n')
    expect(head).toMatch(/^ID {34} ?CONNECTION|^ID +CO/)
    expect(rows).toHaveLength(2)
    expect(rows[1]).toContain(id)
    expect(rows[1]).toContain('…')
  }
  const json = await runCli([...list, '--json', '--limit', '1'], environment)
  expect(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).state),
  ).toHaveLength(1)
  const short = await runCli([...list, '--limit', '1'], environment)
  expect(short.stderr).toBe('These are the first 1; --all prints the others, too.\n')
  expect((await runCli([...list, '--all', '--json'], environment)).stdout.trim().split('\n')).toHaveLength(2)
  const between = ['--registered-after', '2026-01-01', '--finished-before', '2999-01-01T00:00:00Z']
  const moments = await runCli([...list, ...between, '--order', 'oldest', '--json'], environment)
  expect({ stderr: moments.stderr, code: moments.code }).toEqual({ stderr: '', code: 0 })
  const prefixed = await runCli([...list, '--job-id-prefix', '輸入輸', '--json'], environment)
  expect(JSON.parse(prefixed.stdout)).toMatchObject({ id })
  const none = await runCli(['imports', 'list', '--state', 'lost', '--metadata', 'list=this'], environment)
  expect(none).toMatchObject({ code: 0, stdout: '', stderr: 'There are none.\n' })
})

test('an import is steered, shown and deleted', async () => {
  const one = await register({ durationMs: 600_000 })
  expect((await runCli(['imports', 'poll', one.id], environment)).code).toBe(0)
  const stopped = await runCli(['imports', 'stop', one.id], environment)
  expect(stopped).toMatchObject({ code: 0, stdout: `${one.id} crm/${one.jobId} stopped\n` })
  const resumed = await runCli(['imports', 'resume', one.id, '--json'], environment)
  expect(JSON.parse(resumed.stdout)).toMatchObject({ id: one.id, state: 'pending' })
  expect((await runCli(['imports', 'get', one.id], environment)).stdout).toMatch(/^connection +crm$/m)
  await runCli(['imports', 'stop', one.id], environment)
  expect((await runCli(['imports', 'delete', one.id], environment)).stdout).toBe(`${one.id} is deleted.\n`)
  expect((await runCli(['imports', 'get', one.id], environment)).code).toBe(1)
})

test('of several imports those are done that can be, and the others are told', async () => {
  const [one, other] = [await register({ outcome: 'stopped' }), await register({ outcome: 'stopped' })]
  const unknown = '019abc00-0000-7000-8000-000000000001'
  const done = await runCli(['imports', 'delete', one.id, unknown, other.id, '--json'], environment)
  expect(done.code).toBe(1)
  expect(done.stdout).toBe([one, other].map(({ id }) => `${JSON.stringify({ id, deleted: true })}\n`).join(''))
  expect(done.stderr).toMatch(new RegExp(`^${unknown}: .+\n {2}request id: \\S+\n$`))
})

test('rows and skipped lines are listed', async () => {
  const one = await register({ durationMs: 0, outcome: 'partial', rows: 20, skippedLines: 3 })
  await expect.poll(async () => (await tracker.imports.get(one.id)).details.state).toBe('complete')
  const skipped = await runCli(['imports', 'rows', one.id, '--skipped', '--json'], environment)
  expect(skipped.stdout.trim().split('\n')).toHaveLength(3)
  const rows = await runCli(['imports', 'rows', one.id], environment)
  expect({ code: rows.code, stderr: rows.stderr }).toEqual({ code: 0, stderr: 'There are none.\n' })
})

test('a problem is its detail, the fields and the request id, on stderr', async () => {
  const wrong = await runCli(
    ['imports', 'register', '--connection', 'nobody', '--job-id', 'x', '--deadline', '0'],
    environment,
  )
  expect({ code: wrong.code, stdout: wrong.stdout }).toEqual({ code: 1, stdout: '' })
  expect(wrong.stderr).toMatch(/^\S.+\n( {2}\w+ .+\n)+ {2}request id: \S+\n$/)
  expect(wrong.stderr).toContain('  deadlineMs must')
  const missing = await runCli(['imports', 'watch', '019abc00-0000-7000-8000-000000000001'], environment)
  expect(missing).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/request id: /) })
})

test('without a token, or with a wrong one, the status is 8', async () => {
  expect(await runCli(['imports', 'list'], nobody)).toMatchObject({
    code: 8,
    stdout: '',
    stderr: expect.stringContaining('import-tracker login'),
  })
  const wrong = { ...environment, IMPORT_TRACKER_TOKEN: 'a-wrong-token-0123456789' }
  const refused = await runCli(['imports', 'watch', 'x'], wrong)
  expect(refused.code).toBe(8)
  expect(refused.stderr).not.toContain(wrong.IMPORT_TRACKER_TOKEN)
})

test.each([
  [['imports', 'fly']],
  [['imports', 'list', '--state', 'gone']],
  [['imports', 'list', '--limit', '0']],
  [['imports', 'watch']],
  [['imports', 'watch', '']],
  [['imports', 'watch', 'x', '--timeout', 'soon']],
  [['imports', 'register', '--job-id', 'x']],
  [['imports', 'register', '--connection', 'crm', '--job-id', 'x', '--metadata', 'run']],
  [['imports', 'list', '--registered-after', 'soon']],
  [['endpoints', 'create', '--url', 'http://127.0.0.1:9', '--types', 'planet.*']],
  [['actions', 'list', '--verb', 'import.fly']],
  [['whoami', '--token', 'x']],
])('%j is wrong usage: 2', async (args) => {
  const { code, stdout, stderr } = await runCli(args, environment)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).not.toBe('')
})

test('login keeps a token that the service accepts', async () => {
  const file = join(directory, 'config/import-tracker/config.json')
  const login = ['login', '--url', service.url, '--profile', 'test']
  const refused = await runCli(login, nobody, 'a-wrong-token-0123456789\n')
  expect(refused.code).toBe(8)
  await expect(stat(file)).rejects.toThrow('ENOENT')
  const done = await runCli(login, nobody, `${adminToken}\n`)
  expect(done).toMatchObject({ code: 0, stderr: '' })
  expect(done.stdout).not.toContain(adminToken)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(JSON.parse(await readFile(file, 'utf8')).profiles.test).toEqual({ url: service.url, token: adminToken })
  const me = await runCli(['whoami', '--profile', 'test', '--json'], nobody)
  expect(JSON.parse(me.stdout)).toMatchObject({ url: service.url, scope: 'admin' })
  expect((await runCli(['whoami'], nobody)).code).toBe(8) // that profile isn't the default one
})

test('a service that is away is named as such', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const away = { ...environment, IMPORT_TRACKER_URL: `http://127.0.0.1:${port}` }
  const { code, stderr } = await runCli(['tokens', 'create', 'ci', '--scope', 'read'], away)
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'The service gave no answer: ECONNREFUSED.\n' })
})

test('connections, endpoints, deliveries and tokens are listed, made and deleted', async () => {
  const cli = async (...args: string[]) => {
    const done = await runCli([...args, '--json'], environment)
    expect(done).toMatchObject({ code: 0, stderr: '' })
    return done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  expect((await cli('connections', 'list')).map(({ name }) => name)).toContain('crm')
  expect((await runCli(['connections', 'list'], environment)).stdout).toMatch(/^crm +cdq +asking/m)
  expect(await cli('connections', 'get', 'crm')).toMatchObject([{ provider: 'cdq' }])
  expect(await cli('connections', 'resume', 'crm')).toMatchObject([{ pausedAt: null }])

  const url = 'http://127.0.0.1:9/hooks'
  const narrowed = ['--providers', 'cdq', '--metadata', 'run=42', '--metadata', 'team=data']
  const [endpoint] = await cli(
    ...['endpoints', 'create', '--url', url, ...narrowed, '--types', 'import.f*', 'import.partial'],
  )
  expect(endpoint).toMatchObject({ url, types: ['import.failed', 'import.partial'] })
  expect(endpoint).toMatchObject({ providers: ['cdq'], metadata: { run: 42, team: 'data' } })
  expect(endpoint.secret).toMatch(/^whsec_/)
  const [rotated] = await cli('endpoints', 'rotate', endpoint.id, '--overlap-hours', '0')
  expect(rotated.secret).not.toBe(endpoint.secret)
  expect(await cli('endpoints', 'get', endpoint.id)).toMatchObject([{ id: endpoint.id }])
  expect((await cli('endpoints', 'list')).map(({ id }) => id)).toEqual([endpoint.id])
  const [delivery] = await cli('endpoints', 'test', endpoint.id)
  expect(await cli('endpoints', 'recover', endpoint.id, '--since', '2026-01-01', '--dry-run')).toMatchObject([
    { dryRun: true },
  ])
  expect(await cli('endpoints', 'replay', endpoint.id, '--dry-run')).toMatchObject([{ dryRun: true }])
  expect((await cli('deliveries', 'list', '--endpoint', endpoint.id)).map(({ id }) => id)).toContain(delivery.id)
  expect(await cli('deliveries', 'get', delivery.id)).toMatchObject([{ id: delivery.id, type: 'webhook.test' }])
  expect(await cli('deliveries', 'redeliver', delivery.id)).toMatchObject([{ id: delivery.id }])
  const found = async (...filter: string[]) =>
    (await runCli(['deliveries', 'list', '--endpoint', endpoint.id, '--json', ...filter], environment)).stdout
  const tested = expect.stringContaining(delivery.id)
  expect(await found('--event', delivery.eventId)).toEqual(tested)
  expect(await found('--created-after', '2026-01-01', '--created-before', '2999-01-01')).toEqual(tested)
  for (const filter of [
    ['--event', '019abc00-0000-7000-8000-000000000001'],
    ['--type', 'import.failed'],
    ['--status', '2xx'],
    ['--created-after', '2999-01-01'],
    ['--created-before', '2026-01-01'],
  ])
    expect(await found(...filter), filter.join(' ')).toBe('')
  expect(await cli('endpoints', 'delete', endpoint.id)).toEqual([{ id: endpoint.id, deleted: true }])

  const [token] = await cli('tokens', 'create', 'pipeline', '--scope', 'read')
  expect(await cli('tokens', 'list')).toMatchObject([{ name: 'pipeline', scope: 'read' }])
  expect((await runCli(['tokens', 'delete', token.id], environment)).stdout).toBe(`${token.id} is revoked.\n`)
})

test('events are printed as they come', async () => {
  const tail = startCli(['events', 'tail', '--json', '--type', 'import.stopped'], environment)
  const one = await register({ durationMs: 600_000 })
  // The first look at the feed begins at the start of the command, which may be after an event.
  const stopping = setInterval(() => {
    tracker.imports
      .stop(one.id)
      .then(
        () => tracker.imports.resume(one.id),
        () => {},
      )
      .catch(() => {})
  }, 500)
  const [line] = await tail.said(/.*\n/)
  clearInterval(stopping)
  expect(JSON.parse(line)).toMatchObject({ type: 'import.stopped' })
  tail.child.kill('SIGINT')
  expect(await tail.exited).toBe(130)
})

test('the document’s commands work as they are written, by what login keeps', async () => {
  const document = await readFile(new URL('../../docs/command-line.md', import.meta.url), 'utf8')
  const [, block = ''] = /```sh\n(.*?)```/s.exec(document) ?? []
  const lines = block.trim().split('\n')
  const own = { ...nobody, XDG_CONFIG_HOME: join(directory, 'of the document') }
  const connection = JSON.stringify({
    provider: 'cdq',
    baseUrl: sandbox.baseUrl('cdq'),
    credentials: sandbox.credentials('cdq'),
    limits: { minIntervalMs: 200, maxIntervalMs: 400 },
  })
  const inputs: Record<string, string> = { login: adminToken, connections: connection }
  sandbox.add({ provider: 'cdq', jobId: 'vendors-2026-11', outcome: 'partial', durationMs: 300 })
  const codes: (number | null)[] = []
  for (const line of lines) {
    const [npx, name, ...args] = line.replace('https://tracker.example.com', service.url).replace(/ <.*/, '').split(' ')
    expect([npx, name]).toEqual(['npx', 'import-tracker'])
    const running = startCli(args, own, inputs[args[0] ?? ''])
    if (args.includes('tail')) {
      const failing = setInterval(() => void register({ outcome: 'failed', durationMs: 0 }).catch(() => {}), 500)
      await running.said(/import\.failed/)
      clearInterval(failing)
      running.child.kill('SIGINT')
    }
    codes.push(await running.exited)
    if (args.includes('register')) expect(running.output().stdout).toContain('cdq-prod/vendors-2026-11 partial')
  }
  expect(codes).toEqual([0, 0, 3, 0, 130])
  expect(await tracker.imports.list({ jobId: 'vendors-2026-11' }).page()).toMatchObject({
    data: [{ connection: 'cdq-prod', metadata: { run: 42 } }],
  })
})

/** Registers a job that goes this way at the vendor; `lost` and `stopped` are no ways of the vendor. */
async function register(
  script: { jobId?: string; durationMs?: number; outcome?: Import['state']; rows?: number; skippedLines?: number },
  metadata: Record<string, string> = {},
): Promise<Import> {
  const { outcome = 'succeeded', durationMs = 300, ...rest } = script
  const own = outcome === 'lost' ? 'archived' : outcome === 'stopped' ? 'succeeded' : outcome
  const { jobId } = sandbox.add({
    provider: 'cdq',
    outcome: own as 'succeeded',
    durationMs: outcome === 'stopped' ? 600_000 : durationMs,
    ...rest,
  })
  const one = await tracker.imports.register({ connection: 'crm', jobId, metadata })
  return outcome === 'stopped' ? tracker.imports.stop(one.id) : one
}
