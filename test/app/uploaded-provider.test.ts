// Owns that the whole service follows an import at a vendor that it has never heard of, once its document is uploaded.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Service } from '../../src/app/service.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestService } from '../support/service.ts'
import { adminToken } from '../support/worlds/ground.ts'

let database: TestDatabase
let processes: Service[]
const polled: (string | undefined)[] = []
const vendor = createServer((request, response) => {
  const send = (body: unknown) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (request.headers.authorization !== 'Bearer key-of-acme') return void response.writeHead(401).end()
  if (/^\/jobs\/7($|\?)/.test(request.url ?? '')) {
    const polls = polled.push(request.url)
    response.setHeader('operation-location', `7?t=${polls}`)
    const task = { age: polls, parts: [{ n: 1, seen: polls }] }
    return void send({ state: polls < 5 ? 'working' : 'done', all: 9, bad: 3, task })
  }
  if (request.url === '/jobs/7/bad') return void send({ bad: [{ n: 3, at: '17', id: 'a' }, { n: 4 }], next: 'x' })
  if (request.url === '/jobs/7/bad?after=x') return void send({ bad: [{ n: 8, why: 'Too long' }] })
  if (request.url === '/jobs/7/odd') return void send({ odd: [{ id: 'w', note: 'Cut' }], next: 'x' })
  if (request.url === '/jobs/7/odd?after=x') return void send({ odd: [{ id: 'v' }], next: 'x' })
  if (request.url === '/jobs/7/left') return void send([{ n: 2, at: 5 }])
  response.writeHead(404).end()
})

beforeAll(async () => {
  database = await createTestDatabase()
  // Two processes that share nothing but the database: the worker has never seen the upload.
  processes = [
    await startTestService({ database, roles: 'worker' }),
    await startTestService({ database, roles: 'api' }),
  ]
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await Promise.all(processes.map((service) => service.stop()))
  await database.close()
  vendor.close()
  vendor.closeAllConnections()
})

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(`${processes[1]?.url}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, never> }
}

test('an import at an uploaded vendor is followed to its rows, without a restart', async () => {
  const document = {
    ...{ format: 1, name: 'acme', title: 'Acme', baseUrl: null, credentials: { key: {} } },
    auth: { kind: 'bearer', token: '{credentials.key}' },
    limits: { minIntervalMs: 50, maxIntervalMs: 200 },
    volatileFields: ['/task/age', '/task/parts/-/seen'],
    status: {
      request: { path: '/jobs/{job}' },
      pollUrl: { url: { header: 'operation-location' } },
      state: {
        ...{ from: '/state', map: { working: 'running', done: 'succeeded' } },
        refine: [{ from: 'succeeded', to: 'partial', when: { gt: ['/bad', 0] } }],
      },
      rows: { total: '/all', failed: '/bad' },
    },
    details: [
      {
        ...{ kind: 'pages', when: { state: ['partial'] }, request: { path: '/jobs/{job}/bad' }, rows: '/bad' },
        ...{ page: { kind: 'cursor', next: '/next', param: 'after' } },
        row: { recordId: '/id', line: '/n', column: '/at', message: { first: ['/why', { const: 'Bad' }] } },
      },
      {
        ...{ kind: 'pages', when: { gt: ['/none', 0] }, request: { path: '/jobs/{job}/none' }, rows: '/none' },
        ...{ page: { kind: 'none' }, row: {} },
      },
      {
        ...{ kind: 'pages', when: { gt: ['/bad', 0] }, request: { path: '/jobs/{job}/odd' }, rows: '/odd' },
        ...{ page: { kind: 'cursor', next: '/next', param: 'after' } },
        ...{ row: { recordId: '/id', item: '' }, failedWhen: { exists: '/why' } },
      },
      {
        ...{ kind: 'pages', of: 'skippedLines', request: { path: '/jobs/{job}/left' }, rows: '' },
        ...{ page: { kind: 'none' }, row: { line: '/n', column: '/at' } },
      },
    ],
  }
  expect((await call('PUT', '/providers/acme', document)).status).toBe(201)
  const { port } = vendor.address() as AddressInfo
  const connection = { provider: 'acme', baseUrl: `http://127.0.0.1:${port}`, credentials: { key: 'key-of-acme' } }
  expect((await call('PUT', '/connections/to-acme', connection)).status).toBe(201)
  const { body: registered } = await call('POST', '/imports', { connection: 'to-acme', jobId: '7' })
  const read = async () => (await call('GET', `/imports/${registered.id}`)).body
  await expect.poll(read, { interval: 200 }).toMatchObject({
    state: 'partial',
    provider: 'acme',
    rows: { total: 9, failed: 3 },
    details: { state: 'complete', rowResults: 5, skippedLines: 1, lastError: null },
  })
  const { body: rows } = await call('GET', `/imports/${registered.id}/row-results`)
  expect(rows.data).toMatchObject([
    { row: 0, line: 3, column: 17, recordId: 'a', error: { message: 'Bad' } },
    { row: 1, line: 4, column: null, recordId: null, error: { message: 'Bad' } },
    { row: 2, line: 8, error: { message: 'Too long' } },
    { row: 3, recordId: 'w', error: null },
    { row: 4, recordId: 'v', error: null },
  ])
  expect(polled.slice(0, 5)).toEqual(['/jobs/7', '/jobs/7?t=1', '/jobs/7?t=2', '/jobs/7?t=3', '/jobs/7?t=4'])
  const { body: lines } = await call('GET', `/imports/${registered.id}/skipped-lines`)
  expect(lines.data).toMatchObject([{ line: 2, column: 5 }])
  const { body: snapshots } = await call('GET', `/imports/${registered.id}/snapshots`)
  expect(snapshots.data).toMatchObject([
    { state: 'running', polls: 4 },
    { state: 'partial', polls: 1 },
  ])
})
