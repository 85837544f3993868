// A proxy in the environment: nothing is sent through it, and the start says so by the variable's name alone.
import { pino } from 'pino'
import { afterAll, expect, it } from 'vitest'
import { startService } from '../../src/app/service.ts'
import { systemClock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/config/config.ts'
import { startSandbox } from '../../src/sandbox/server.ts'
import { createTestDatabase } from '../support/database.ts'
import { testEnvironment } from '../support/service.ts'
import { connectApi } from '../support/worlds/client.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { startReceiver } from '../webhooks/receiver.ts'

const opened = new AsyncDisposableStack()
afterAll(() => opened.disposeAsync())

it('a proxy of the environment sees nothing, and a warning names its variables', async () => {
  const database = await createTestDatabase()
  opened.defer(() => database.close())
  const proxy = await startReceiver()
  opened.defer(() => proxy.close())
  const sandbox = await startSandbox({ clock: systemClock })
  opened.defer(() => sandbox.close())
  const url = proxy.url.replace('//', '//me:hunter2@')
  const proxies = { HTTP_PROXY: url, https_proxy: url, NO_PROXY: 'example.com' }
  Object.assign(process.env, proxies) // as a library would read them, if one did
  opened.defer(() => {
    for (const name of Object.keys(proxies)) delete process.env[name]
  })
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) })
  const config = readConfig({ ...testEnvironment({ database }), ...proxies })
  const service = await startService(config, { clock: systemClock, log })
  opened.defer(() => service.stop())

  const api = await connectApi(service.url, adminToken)
  const connection = { provider: 'cdq', baseUrl: sandbox.baseUrl('cdq'), credentials: sandbox.credentials('cdq') }
  await api.call('PUT /v1/connections/{name}', { name: 'cdq' }, { body: connection })
  const { jobId } = sandbox.add({ provider: 'cdq', durationMs: 1 })
  const { body } = await api.call('POST /v1/imports', {}, { body: { connection: 'cdq', jobId } })
  const over = await api.call('GET /v1/imports/{id}', { id: body.id }, { query: { waitMs: 60_000 } })
  expect(over.body).toMatchObject({ state: 'succeeded' })

  expect(proxy.received).toEqual([])
  const warnings = lines.filter((line) => line.includes('_PROXY'))
  expect(warnings).toHaveLength(1)
  expect(JSON.parse(warnings[0] ?? '')).toMatchObject({
    level: 40,
    msg: expect.stringMatching(/^HTTP_PROXY, https_proxy: no proxy is used;.* because each address is checked/),
  })
  expect(lines.join('')).not.toContain('hunter2')
})
