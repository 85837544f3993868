// Owns the places that queues can be kept in, for suites that have to pass on each of them.
import { Redis } from 'ioredis'
import { describe, inject } from 'vitest'

export interface QueueStore {
  name: 'postgres' | 'redis'
  /** False: there is none here, and its tests are skipped by name. */
  available: boolean
  /** Empty queues of one's own. `redisUrl` null: they are in the test's own database. */
  open(): Promise<{ redisUrl: string | null; close(): Promise<void> }>
}

const { redisUrl } = inject('services')

export const queueStores: readonly QueueStore[] = [
  { name: 'postgres', available: true, open: async () => ({ redisUrl: null, close: async () => {} }) },
  {
    name: 'redis',
    available: redisUrl !== null,
    async open() {
      if (redisUrl === null) throw new Error('no Redis here')
      return openRedis(redisUrl)
    },
  },
]

/** The suite on each store, named after it. */
export function describeEachStore(title: string, suite: (store: QueueStore) => void): void {
  for (const store of queueStores)
    describe.skipIf(!store.available)(`${title}, with the queue in ${store.name}`, () => suite(store))
}

/** One of the server's numbered databases, emptied; 0 holds the counter that hands them out. */
async function openRedis(url: string): Promise<{ redisUrl: string; close(): Promise<void> }> {
  const server = new Redis(url)
  const [, databases] = (await server.config('GET', 'databases')) as [string, string]
  const number = 1 + ((await server.incr('import-tracker-tests')) % (Number(databases) - 1))
  server.disconnect()

  const own = new URL(url)
  own.pathname = `/${number}`
  const client = new Redis(own.href)
  await client.flushdb()
  return {
    redisUrl: own.href,
    async close() {
      await client.flushdb()
      client.disconnect()
    },
  }
}
