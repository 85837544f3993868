// Owns that BullMQ's own warnings don't get between our lines, and what is said of a Redis instead.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { openQueues } from '../../src/queue/queues.ts'
import { checkRedis } from '../../src/queue/redis.ts'
import { startLocalRedis } from '../support/local.ts'
import type { Service } from '../support/services.ts'

test('a Redis that takes connections and says nothing is refused in time', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  await expect(checkRedis(`redis://127.0.0.1:${port}`, pino({ enabled: false }), 100)).rejects.toThrow(
    /^REDIS_URL must lead to .*: no answer within 0\.1 s\.$/,
  )
  silent.close()
})

describe.skipIf(inject('services').redisUrl === null)('a Redis that may drop keys', () => {
  let redis: Service | null
  beforeAll(async () => {
    redis = await startLocalRedis()
    await tell((client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'))
  })
  afterAll(() => redis?.stop())

  const url = () => redis?.url ?? ''
  async function tell(say: (client: Redis) => Promise<unknown>) {
    const client = new Redis(url())
    await say(client)
    client.disconnect()
  }

  test('is warned of once, in the log', async () => {
    const lines: string[] = []
    await checkRedis(url(), pino({}, { write: (line) => void lines.push(line) }))
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 40, policy: 'allkeys-lru' }])
    await tell((client) => client.config('SET', 'maxmemory-policy', 'noeviction'))
    await checkRedis(url(), pino({}, { write: (line) => void lines.push(line) }))
    await tell((client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'))
    expect(lines).toHaveLength(1)
  })

  test('makes no queue and no worker print anything, and both work', async () => {
    const printed = [vi.spyOn(console, 'warn'), vi.spyOn(console, 'log'), vi.spyOn(console, 'error')]
    const queues = openQueues({ redisUrl: url(), databaseUrl: '', installationId: 'test', onError: () => {} })
    const one = newId()
    const done = Promise.withResolvers<string>()
    queues.work('poll', async ({ leaseId }) => done.resolve(leaseId), { concurrency: 1 })
    await queues.all.poll.add('poll', { leaseId: one })
    expect(await done.promise).toBe(one)
    await queues.close()
    for (const print of printed) expect(print).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  test('that wants a password is refused with its own word', async () => {
    await tell((client) => client.config('SET', 'requirepass', 'hush'))
    const asked = (to: string) => checkRedis(to, pino({ enabled: false }))
    await expect(asked(url())).rejects.toThrow(/^REDIS_URL must lead to .*: NOAUTH .*\.$/)
    await expect(asked(url().replace('//', '//:wrong@'))).rejects.toThrow(/^REDIS_URL must lead to .*: WRONGPASS .*\.$/)
    await asked(url().replace('//', '//:hush@'))
    await expect(asked(`${url().replace('//', '//:hush@')}/9999`)).rejects.toThrow(/^REDIS_URL .*out of range/)
  })
})
