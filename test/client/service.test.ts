// The client against the service itself, with a vendor's sandbox, and across a restart.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../packages/client/src/index.ts'
import { type Service, startService } from '../../src/app/service.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createLog } from '../../src/base/log.ts'
import { readConfig } from '../../src/config/config.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { testEnvironment } from '../support/service.ts'
import { adminToken } from '../support/worlds/ground.ts'

let database: TestDatabase
let sandbox: Sandbox
let service: Service
let tracker: ReturnType<typeof createClient>

function start(port = '0'): Promise<Service> {
  const config = readConfig({ ...testEnvironment({ database }), PORT: port })
  return startService(config, { clock: systemClock, log: createLog('silent') })
}

beforeAll(async () => {
  database = await createTestDatabase()
  sandbox = await startSandbox({ clock: systemClock })
  service = await start()
  tracker = createClient({ url: service.url, token: adminToken })
  await tracker.connections.put('crm', {
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
})

test('an import is registered, waited for, listed, and its rows are read', async () => {
  const { jobId } = sandbox.add({ provider: 'cdq', durationMs: 1_500, outcome: 'partial', rows: 20, skippedLines: 12 })
  const one = await tracker.imports.register({ connection: 'crm', jobId, metadata: { team: 'data' } })
  const states: string[] = []
  const done = await tracker.imports.wait(one.id, { onChange: ({ state }) => void states.push(state) })
  expect(done).toMatchObject({ id: one.id, state: 'partial' })
  expect(states.at(-1)).toBe('partial')
  expect(await tracker.imports.wait(one.id)).toMatchObject({ state: 'partial' })
  const listed = await all(tracker.imports.list({ state: ['failed', 'partial'], metadata: { team: 'data' } }))
  expect(listed.map(({ id }) => id)).toEqual([one.id])
  await expect.poll(async () => (await tracker.imports.get(one.id)).details.state).toBe('complete')
  expect(await all(tracker.imports.skippedLines(one.id))).toHaveLength(12)
})

test('waiting and following outlive a restart', async () => {
  const { jobId } = sandbox.add({ provider: 'cdq', durationMs: 600_000, outcome: 'succeeded', rows: 1 })
  const one = await tracker.imports.register({ connection: 'crm', jobId })
  const stop = new AbortController()
  const seen: string[] = []
  const changes: string[] = []
  const following = (async () => {
    for await (const event of tracker.events.follow({ signal: stop.signal }))
      if (event.importId === one.id) seen.push(event.type)
  })()
  const waiting = tracker.imports.wait(one.id)
  const watching = tracker.imports.wait(one.id, { onChange: ({ state }) => void changes.push(state) })
  await expect.poll(() => seen.includes('import.running') && changes.includes('running')).toBe(true)

  const { port } = new URL(service.url)
  await service.stop()
  service = await start(port)
  await tracker.imports.stop(one.id)
  expect((await waiting).state).toBe('stopped')
  expect((await watching).state).toBe('stopped')
  await expect.poll(() => seen.at(-1)).toBe('import.stopped')
  expect(new Set(seen).size).toBe(seen.length) // none twice
  stop.abort(new Error('enough'))
  await expect(following).rejects.toThrow('enough')
})

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}
