import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { queueNames } from '../../src/queue/jobs.ts'
import { openQueues } from '../../src/queue/queues.ts'
import { queueStores } from '../support/stores.ts'

describe.skipIf(inject('services').redisUrl === null)('a process of an older version, while it is replaced', () => {
  const opened = new AsyncDisposableStack()
  let redisUrl = ''

  beforeAll(async () => {
    const queue = await queueStores.find(({ name }) => name === 'redis')?.open()
    opened.defer(() => queue?.close())
    redisUrl = queue?.redisUrl ?? ''
  })
  afterAll(() => opened.disposeAsync())

  test('takes none of our jobs, whose payloads it would drop, and we none of its', async () => {
    const queues = openQueues({ redisUrl, databaseUrl: '', installationId: 'test', onError: () => {} })
    opened.defer(() => queues.close())
    const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
    opened.defer(() => connection.disconnect())
    const older = { connection, prefix: '{import-tracker-test}' }
    const ran = { ours: new Set<string>(), older: new Set<string>() }
    for (const name of queueNames) {
      const worker = new Worker(name, async (job) => void ran.older.add(job.name), older)
      const queue = new Queue(name, older)
      opened.defer(async () => void (await Promise.all([worker.close(true), queue.close()])))
      queues.work(name, async () => void ran.ours.add(name), { concurrency: 1 })
      await queues.all[name].add(`our ${name}`, name === 'dispatch' ? { kind: 'poll' } : { leaseId: newId() })
      await queue.add(`older ${name}`, {})
    }
    await vi.waitFor(() => {
      expect([...ran.ours].toSorted()).toEqual(queueNames.toSorted())
      expect([...ran.older].toSorted()).toEqual(queueNames.map((name) => `older ${name}`).toSorted())
    }, 20_000)
  })
})
