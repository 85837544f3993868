// Owns that a connection of the queue in Postgres which breaks while it is used doesn't end the process.
import type { Pool } from 'pg'
import { expect, test } from 'vitest'
import { migrateQueue } from '../../src/queue/migrate.ts'
import { openQueues } from '../../src/queue/queues.ts'
import { createTestDatabase } from '../support/database.ts'

test('connections that break in the middle of transactions fail those, and nothing else', async () => {
  await using stack = new AsyncDisposableStack()
  const database = await createTestDatabase()
  stack.defer(() => database.close())
  await migrateQueue(database.pool)
  const queues = openQueues({ redisUrl: null, databaseUrl: database.url, installationId: 'test', onError: () => {} })
  stack.defer(() => queues.close())

  const jobs = Array.from({ length: 50 }, (_, i) => ({ name: 'poll', data: { importId: `${i}` } }))
  let failed = 0
  while (failed < 50) {
    const adding = Array.from({ length: 20 }, () => queues.all.poll.addBulk(jobs))
    const breaking = Array.from({ length: 5 }, () => breakConnections(database.pool))
    failed += (await Promise.allSettled(adding)).filter(({ status }) => status === 'rejected').length
    await Promise.all(breaking)
  }
  await expect.poll(() => queues.ping()).toBeUndefined()
})

function breakConnections(pool: Pool) {
  return pool.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'import-tracker-queue'",
  )
}
