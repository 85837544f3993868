// The packed client in every runtime that it is for, against a real service: Node, Bun, Deno, and a browser.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../packages/client/src/index.ts'
import { type Service, startService } from '../../src/app/service.ts'
import { systemClock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/config/config.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts'
import { newSecret, signatureHeaders } from '../../src/webhooks/signing.ts'
import { executablePath } from '../http/browser.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { testEnvironment } from '../support/service.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { type Installed, installClient, project } from './pack.ts'

const run = promisify(execFile)
const consumer = fileURLToPath(new URL('./consumer.js', import.meta.url))

let directory: string
let client: Installed
let database: TestDatabase
let sandbox: Sandbox
let service: Service
/** Serves the package and the consumer, from another origin than the service's. */
let page: { url: string; close(): void }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-runtimes-'))
  client = await installClient(directory)
  await cp(consumer, join(client.app, 'consumer.js'))
  await writeFile(join(client.app, 'main.js'), script)
  page = await servePage(client)
  database = await createTestDatabase()
  sandbox = await startSandbox({ clock: systemClock })
  const config = readConfig({ ...testEnvironment({ database }), CORS_ORIGINS: page.url })
  service = await startService(config, { clock: systemClock, log: pino({ level: 'silent' }) })
  await createClient({ url: service.url, token: adminToken }).connections.put('crm', {
    provider: 'cdq',
    baseUrl: sandbox.baseUrl('cdq'),
    credentials: sandbox.credentials('cdq') as { apiKey: string },
    limits: { minIntervalMs: 200, maxIntervalMs: 400 },
  })
})
afterAll(async () => {
  await service.stop()
  await sandbox.close()
  await database.close()
  page.close()
  await rm(directory, { recursive: true })
})

/** On servers webhooks are verified, too. */
const script = `
  import * as client from 'import-tracker-client'
  import { consume } from './consumer.js'
  const { webhook, ...given } = JSON.parse(globalThis.Deno?.args[0] ?? process.argv[2])
  const { body, headers, secret } = webhook
  const { id, type } = client.verifyWebhook(body, new Headers(headers), secret)
  let refused
  try {
    client.verifyWebhook(body + ' ', headers, secret)
  } catch (error) {
    refused = error.code
  }
  console.log(JSON.stringify({ ...(await consume(client, given)), webhook: { id, type, refused } }))`

const bin = (name: string) => join(project, 'node_modules/.bin', name)
const runtimes: [name: string, command: string, args: string[]][] = [
  ['Node', process.execPath, []],
  ['the Node of the system', '/usr/bin/node', []],
  ['Bun', bin('bun'), []],
  ['Deno', bin('deno'), ['run', '--no-prompt', '--allow-net=127.0.0.1']],
]

for (const [name, command, args] of runtimes)
  test.skipIf(!existsSync(command))(
    `in ${name} imports are registered, waited for, listed and followed, and webhooks are verified`,
    async () => {
      const secret = newSecret()
      const body = JSON.stringify({ type: 'import.lost', timestamp: new Date().toISOString(), data: { id: '1' } })
      const webhook = { body, secret, headers: signatureHeaders({ id: 'evt', at: new Date(), body }, [secret]) }
      const given = JSON.stringify({ ...givenTo(name), webhook })
      const { stdout } = await run(command, [...args, 'main.js', given], {
        cwd: client.app,
        env: { PATH: process.env.PATH, DENO_DIR: join(directory, 'deno'), HOME: directory },
      })
      expect(JSON.parse(stdout)).toEqual({
        ...consumed,
        webhook: { id: 'evt', type: 'import.lost', refused: 'no_matching_signature' },
      })
    },
  )

test.skipIf(!existsSync(executablePath))('in a browser it does so from another origin', async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    const tab = await browser.newPage()
    await tab.goto(page.url)
    // As text, because Vitest makes its own of an import in a function.
    const outcome = await tab.evaluate(`(async () => {
      const [client, { consume }] = await Promise.all([import('/client.js'), import('/consumer.js')])
      return consume(client, ${JSON.stringify(givenTo('Chromium'))})
    })()`)
    expect(outcome).toEqual(consumed)
  } finally {
    await browser.close()
  }
})

/** What the consumer is to tell. */
const atOnce = { reason: 'enough', ms: expect.any(Number) }
const consumed = {
  changes: expect.arrayContaining(['partial']),
  state: 'partial',
  isListed: true,
  followed: expect.arrayContaining(['import.partial']),
  problem: { isOne: true, code: expect.stringMatching(/not_found|invalid_request/), hasId: true },
  ended: { wait: atOnce, watch: atOnce, follow: atOnce },
}

/** Two jobs of the vendor: one that ends, and one that goes on. */
function givenTo(live: string) {
  const { jobId } = sandbox.add({ provider: 'cdq', durationMs: 500, outcome: 'partial', rows: 4, skippedLines: 2 })
  const endless = sandbox.add({ provider: 'cdq', durationMs: 600_000, outcome: 'succeeded', rows: 1 })
  return { url: service.url, token: adminToken, jobIds: [jobId, endless.jobId], live }
}

async function servePage({ installed }: Installed) {
  const files: Record<string, [type: string, text: string]> = {
    '/': ['text/html', '<!doctype html><title>A consumer</title>'],
    '/client.js': ['text/javascript', await readFile(join(installed, 'dist/index.js'), 'utf8')],
    '/consumer.js': ['text/javascript', await readFile(consumer, 'utf8')],
  }
  const server = createServer((request, response) => {
    const [type, text] = files[request.url ?? ''] ?? ['text/plain', '']
    response.writeHead(text === '' ? 404 : 200, { 'content-type': type }).end(text)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
