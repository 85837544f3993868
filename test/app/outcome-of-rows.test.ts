// Owns that an import whose rows alone tell how it ended isn't over before they are read, and then ends once.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Service } from '../../src/app/service.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestService } from '../support/service.ts'
import { adminToken } from '../support/worlds/ground.ts'

let database: TestDatabase
let service: Service
/** Of each job: the lines of its file. Null: the file can't be had. */
const files: Record<string, object[] | null> = {
  good: [{}, {}, {}],
  mixed: [{}, { error: 'Title is blank' }, {}],
  bad: [{ error: 'Title is blank' }, { error: 'Handle is taken' }],
}
let isOpen = false
const waiting: (() => void)[] = []

const storage = createServer((request, response) => {
  const send = () => sendFile(response, files[request.url?.slice(1) ?? ''])
  if (isOpen) send()
  else waiting.push(send)
})
const vendor = createServer((request, response) => {
  const job = request.url?.split('/').at(-1) ?? ''
  const url = `http://localhost:${(storage.address() as AddressInfo).port}/${job}`
  const status = job === 'none' ? { status: 'COMPLETED', url: null } : { status: 'COMPLETED', url, count: 3 }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(status))
})

function sendFile(response: ServerResponse, lines: object[] | null | undefined) {
  if (!lines) return void response.writeHead(404).end()
  response.writeHead(200).end(lines.map((line, at) => `${JSON.stringify({ ...line, at })}\n`).join(''))
}

const document = {
  ...{ format: 1, name: 'acme', title: 'Acme', baseUrl: null, credentials: { key: {} } },
  auth: { kind: 'bearer', token: '{credentials.key}' },
  limits: { minIntervalMs: 50, maxIntervalMs: 200 },
  status: {
    request: { path: '/jobs/{job}' },
    state: { from: '/status', map: { COMPLETED: 'succeeded' } },
    rows: { processed: '/count' },
  },
  details: [
    {
      ...{ kind: 'file', url: '/url', hosts: ['localhost'], format: 'jsonl' },
      row: { line: '/at', message: '/error' },
      failedWhen: { exists: '/error' },
      outcome: {
        state: {
          refine: [
            { from: 'succeeded', to: 'partial', when: { gt: ['/failed', 0] } },
            { from: 'partial', to: 'failed', when: { lt: ['/succeeded', 1] } },
          ],
        },
        rows: { failed: '/failed', succeeded: '/succeeded' },
      },
    },
  ],
}

beforeAll(async () => {
  database = await createTestDatabase()
  service = await startTestService({ database })
  for (const server of [storage, vendor]) await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  expect((await call('PUT', '/providers/acme', document)).status).toBe(201)
  const baseUrl = `http://localhost:${(vendor.address() as AddressInfo).port}`
  const connection = { provider: 'acme', baseUrl, credentials: { key: 'key-of-acme' } }
  expect((await call('PUT', '/connections/to-acme', connection)).status).toBe(201)
})
afterAll(async () => {
  await service.stop()
  await database.close()
  for (const server of [storage, vendor]) {
    server.close()
    server.closeAllConnections()
  }
})

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(`${service.url}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, never> }
}

test('it ends as its rows say, by one event, which tells their counts', async () => {
  const ids: Record<string, string> = {}
  for (const jobId of ['good', 'mixed', 'bad', 'gone', 'none', 'stopped'])
    ids[jobId] = (await call('POST', '/imports', { connection: 'to-acme', jobId })).body.id ?? ''
  const read = async (job: string) => (await call('GET', `/imports/${ids[job]}`)).body
  const patiently = { timeout: 60_000, interval: 200 }

  await expect.poll(() => waiting.length, patiently).toBe(5)
  for (const job of ['good', 'mixed', 'bad'])
    expect(await read(job)).toMatchObject({
      ...{ state: 'running', providerStatus: 'COMPLETED', attention: null, lastError: null, finishedAt: null },
      details: { state: 'pending' },
    })
  expect(await read('none')).toMatchObject({ state: 'succeeded', details: { state: 'none' } })
  await call('POST', `/imports/${ids.stopped}/stop`)
  expect(await read('stopped')).toMatchObject({
    state: 'stopped',
    details: { state: 'incomplete', lastError: { code: 'stopped' } },
  })

  isOpen = true
  for (const send of waiting) send()
  await expect
    .poll(() => read('good'), patiently)
    .toMatchObject({
      ...{ state: 'succeeded', rows: { processed: 3, succeeded: 3, failed: 0 } },
      details: { state: 'complete', rowResults: 3 },
    })
  await expect
    .poll(() => read('mixed'), patiently)
    .toMatchObject({
      ...{ state: 'partial', rows: { succeeded: 2, failed: 1 }, lastError: null },
      details: { state: 'complete', rowResults: 3 },
    })
  await expect.poll(() => read('bad'), patiently).toMatchObject({ state: 'failed', rows: { succeeded: 0, failed: 2 } })
  // A file that is gone for good ends by what is known, and says so.
  await expect
    .poll(() => read('gone'), patiently)
    .toMatchObject({
      ...{ state: 'succeeded', lastError: { code: 'not_found' } },
      details: { state: 'incomplete', lastError: { code: 'not_found' } },
    })

  const events = async (job: string) =>
    (
      (await call('GET', `/imports/${ids[job]}/events`)).body.data as unknown as { type: string; data: unknown }[]
    ).filter(
      ({ type }) => type !== 'import.overdue', // the others took no time at all
    )
  const types = async (job: string) => (await events(job)).map(({ type }) => type)
  expect(await types('mixed')).toEqual(['import.running', 'import.partial', 'import.rows_collected'])
  expect(await types('gone')).toEqual(['import.running', 'import.succeeded', 'import.rows_incomplete'])
  expect(await types('none')).toEqual(['import.succeeded'])
  expect((await events('mixed'))[1]?.data).toMatchObject({
    ...{ state: 'partial', rows: { failed: 1 } },
    details: { state: 'complete', rowResults: 3 },
  })
  expect(await read('stopped')).toMatchObject({ state: 'stopped', details: { rowResults: 0 } })
})
