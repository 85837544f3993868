// The loop of a consumer: listening to a running service, forwarding, samples, and captured requests.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type Client, createClient, verifyWebhook, type WebhookEvent } from '../../packages/client/src/index.ts'
import type { Service } from '../../src/app/service.ts'
import { webhookSample } from '../../src/app/webhook-sample.ts'
import { systemClock } from '../../src/base/clock.ts'
import { eventTypes } from '../../src/model/event-types.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts'
import { newSecret, signatureHeaders } from '../../src/webhooks/signing.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestService } from '../support/service.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { runCli, startCli } from './run.ts'

interface Received {
  headers: IncomingHttpHeaders
  body: string
}

let directory: string
let database: TestDatabase
let sandbox: Sandbox
let service: Service
let tracker: Client
let environment: Record<string, string>
let consumer: { url: string; received: Received[]; answer: number; close(): void }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-webhooks-'))
  database = await createTestDatabase()
  sandbox = await startSandbox({ clock: systemClock })
  service = await startTestService({ database })
  consumer = await startConsumer()
  tracker = createClient({ url: service.url, token: adminToken })
  environment = { HOME: directory, IMPORT_TRACKER_URL: service.url, IMPORT_TRACKER_TOKEN: adminToken }
  await tracker.connections.put('crm', {
    provider: 'cdq',
    baseUrl: sandbox.baseUrl('cdq'),
    credentials: sandbox.credentials('cdq') as { apiKey: string },
    limits: { minIntervalMs: 200, maxIntervalMs: 400 },
  })
})
beforeEach(() => {
  consumer.received.length = 0
  consumer.answer = 204
})
afterAll(async () => {
  await service.stop()
  await sandbox.close()
  await database.close()
  consumer.close()
  await rm(directory, { recursive: true })
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'listen forwards what an endpoint gets, signed anew, and leaves nothing after %s',
  async (signal) => {
    const listening = startCli(['webhooks', 'listen', '--forward-to', consumer.url, '--types', 'import.*'], environment)
    const [, secret = ''] = await listening.told(/signed with the secret (whsec_\S+)\.\n/)
    expect(listening.output().stderr).toContain('through an endpoint')
    const [endpoint, ...others] = (await tracker.endpoints.list().page()).data
    expect(others).toEqual([])
    expect(endpoint?.types).toEqual(eventTypes.filter((type) => type.startsWith('import.')))

    const { id, jobId } = await register('partial')
    await listening.said(new RegExp(`import\\.partial +crm/${jobId} ${id} partial #\\d`))
    await listening.said(/^ {2}import\.partial \S+: 204 in \d+ ms$/m)
    const events = consumer.received.map((one) => verified(one, secret)).filter(({ type }) => type === 'import.partial')
    expect(events).toMatchObject([{ data: { id, state: 'partial' } }])
    expect(events[0]).toEqual(bodyOf(await tracker.events.get(events[0]?.id ?? '')))

    listening.child.kill(signal)
    expect(await listening.exited).toBe(0)
    expect((await tracker.endpoints.list().page()).data).toEqual([])
  },
)

test('where it may make no endpoint it follows the feed, and says what the receiver answers', async () => {
  const { token } = await tracker.tokens.create({ name: 'a reader', scope: 'read' })
  consumer.answer = 500
  const asked = ['--types', 'import.succeeded', '--types', 'import.par*,import.failed']
  const args = ['webhooks', 'listen', '--forward-to', consumer.url, ...asked, '--json']
  const given = { ...environment, IMPORT_TRACKER_TOKEN: token, WEBHOOK_SECRET: newSecret() }
  const listening = startCli(args, given)
  await listening.told(/They go to .*, signed with the secret that you gave\.\n/)
  expect(listening.output().stderr).toContain('by its feed')
  const { id } = await register('partial')
  // The feed is followed from the second in which listening began: an event of the test before may come first.
  const [line] = await listening.said(new RegExp(`^.*"id":"${id}".*\\n`, 'm'))
  expect(JSON.parse(line)).toMatchObject({ type: 'import.partial', data: { id } })
  const sent = await vi.waitFor(() => {
    const found = consumer.received.find(({ body }) => body === line.trimEnd())
    if (found === undefined) throw new Error('The receiver has not got it yet.')
    return found
  })
  expect(verified(sent, given.WEBHOOK_SECRET)).toMatchObject({ type: 'import.partial', data: { id } })
  await listening.told(new RegExp(`import\\.partial ${sent.headers['webhook-id']}: 500 in \\d+ ms\\n`))
  listening.child.kill('SIGINT')
  expect(await listening.exited).toBe(0)
  const { stdout, stderr } = listening.output()
  const types = stdout
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one).type)
  expect(types).toEqual(types.map(() => 'import.partial'))
  expect(stdout + stderr).not.toContain(given.WEBHOOK_SECRET)
})

test('a feed that ends, since the token was revoked, is told on stderr alone', async () => {
  const { id, token } = await tracker.tokens.create({ name: 'a reader', scope: 'read' })
  const listening = startCli(['webhooks', 'listen', '--types', 'endpoint.disabled', '--json'], {
    ...environment,
    IMPORT_TRACKER_TOKEN: token,
  })
  await listening.told(/by its feed/)
  await tracker.tokens.delete(id)
  expect(await listening.exited).toBe(1)
  expect(listening.output()).toMatchObject({ stdout: '', stderr: expect.stringContaining('request id') })
})

test('a receiver that is away is told, and what comes after it is back is forwarded', async () => {
  const later = await startConsumer()
  later.close()
  const listening = startCli(['webhooks', 'listen', '--forward-to', later.url], environment)
  const [, secret = ''] = await listening.told(/signed with the secret (whsec_\S+)\.\n/)
  await register('partial')
  await listening.said(/import\.partial \S+: no answer: ECONNREFUSED\n/)
  const back = await startConsumer(Number(new URL(later.url).port))
  const { id } = await register('failed')
  await listening.said(/import\.failed \S+: 204 in \d+ ms\n/)
  expect(back.received.map((one) => verified(one, secret))).toContainEqual(
    expect.objectContaining({ type: 'import.failed', data: expect.objectContaining({ id }) }),
  )
  back.close()
  listening.child.kill('SIGINT')
  expect(await listening.exited).toBe(0)
})

test('when nobody reads what it prints any more, it ends and leaves no endpoint', async () => {
  const listening = startCli(['webhooks', 'listen', '--types', 'import.*'], environment)
  await listening.told(/through an endpoint/)
  listening.child.stdout?.destroy()
  await register('partial')
  expect(await listening.exited).toBe(0)
  expect((await tracker.endpoints.list().page()).data).toEqual([])
})

test('without an account listening is refused with 8, and with types that there aren’t with 2', async () => {
  const refused = await runCli(['webhooks', 'listen', '--forward-to', consumer.url], { HOME: directory })
  expect(refused).toMatchObject({ code: 8, stdout: '', stderr: expect.stringContaining('import-tracker login') })
  const wrong = await runCli(['webhooks', 'listen', '--types', 'planet.*'], environment)
  expect(wrong).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('import.partial') })
})

test('trigger sends a sample of each type, signed', async () => {
  const secret = newSecret()
  for (const type of ['import.partial', 'connection.paused', 'webhook.test']) {
    const sent = await runCli(['webhooks', 'trigger', type, '--to', consumer.url], { WEBHOOK_SECRET: secret })
    expect(sent).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/: 204 in \d+ ms\n$/) })
    expect(verified(consumer.received.at(-1), secret).type).toBe(type)
  }
  const own = await runCli(['webhooks', 'trigger', 'import.failed', '--to', consumer.url, '--json'], {})
  const [, printed = ''] = /(whsec_\S+)\.\n/.exec(own.stderr) ?? []
  expect(verified(consumer.received.at(-1), printed)).toMatchObject(JSON.parse(own.stdout))
  consumer.answer = 503
  expect((await runCli(['webhooks', 'trigger', 'import.lost', '--to', consumer.url], {})).code).toBe(1)
  expect((await runCli(['webhooks', 'trigger', 'import.exploded', '--to', consumer.url], {})).code).toBe(2)
  const away = await runCli(['webhooks', 'trigger', 'import.lost', '--to', 'http://127.0.0.1:9'], {})
  expect(away).toMatchObject({ code: 1, stdout: expect.stringMatching(/: no answer: bad port\n$/) })
})

test.each<[what: string, change: (text: string) => string, code: number, told: RegExp]>([
  ['nothing is wrong with', (text) => text, 0, /^$/],
  ['a header is missing from', (text) => text.replace(/webhook-id.*\r\n/, ''), 1, /^wrong {2}missing_header: .*-id /],
  ['the time is none in', (text) => text.replace(/(timestamp:) \d+/, '$1 noon'), 1, /^wrong {2}invalid_timestamp: /],
  ['the time is too old in', (text) => text.replace(/(timestamp:) \d+/, '$1 1'), 1, /^wrong {2}timestamp_too_old: /],
  ['the time is ahead in', (text) => text.replace(/(timestamp:) \d/, '$1 9'), 1, /^wrong {2}timestamp_too_new: /],
  ['the version is another in', (text) => text.replace('v1,', 'v2,'), 1, /^wrong {2}wrong_version: /],
  ['a line break was added to', (text) => `${text}\n`, 1, /^wrong {2}changed_body: /],
  ['the body was changed in', (text) => text.replace('"partial"', '"Partial"'), 1, /^wrong {2}no_matching_signature: /],
])('verify says that %s a captured request', async (_what, change, code, told) => {
  const text = change(captured())
  const piped = await runCli(['webhooks', 'verify', '-'], { WEBHOOK_SECRET: known }, text)
  expect({ code: piped.code, stderr: piped.stderr }).toEqual({ code, stderr: expect.stringMatching(told) })
  expect(piped.stdout.includes('import.partial')).toBe(code === 0)
  const file = join(directory, 'captured.txt')
  await writeFile(file, text)
  expect((await runCli(['webhooks', 'verify', file, '--secret', known], {})).code).toBe(code)
})

test('verify by another secret, by none, and of no file', async () => {
  const verify = (file: string, given: Record<string, string>) =>
    runCli(['webhooks', 'verify', file], given, captured())
  const other = await verify('-', { WEBHOOK_SECRET: newSecret() })
  expect(other).toMatchObject({ code: 1, stderr: expect.stringMatching(/^wrong {2}no_matching_signature: /) })
  expect(await verify('-', {})).toMatchObject({ code: 1, stderr: expect.stringContaining('WEBHOOK_SECRET') })
  const none = await verify(join(directory, 'none'), { WEBHOOK_SECRET: known })
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOENT') })
})

const known = newSecret()

/** A request that is right, as text. */
function captured(): string {
  const body = JSON.stringify(webhookSample('import.partial', new Date()))
  const headers = Object.entries(signatureHeaders({ id: 'evt', at: new Date(), body }, [known]))
  return ['POST / HTTP/1.1', ...headers.map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n')
}

function verified(received: Received | undefined, secret: string): WebhookEvent {
  return verifyWebhook(received?.body ?? '', received?.headers ?? {}, secret)
}

/** An event of the feed as its webhook says it. */
function bodyOf({ importId: _, ...event }: Awaited<ReturnType<Client['events']['get']>>) {
  return event
}

async function register(outcome: 'partial' | 'failed') {
  const { jobId } = sandbox.add({ provider: 'cdq', durationMs: 300, outcome, rows: 4, skippedLines: 2 })
  return tracker.imports.register({ connection: 'crm', jobId })
}

async function startConsumer(port = 0) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
    response.writeHead(started.answer).end()
  }).listen(port, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const started = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    answer: 204,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  return started
}
