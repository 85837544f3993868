import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { openQueues } from '../../src/queue/queues.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { describeEachStore } from '../support/stores.ts'

const queuesModule = new URL('../../src/queue/queues.ts', import.meta.url).href
/** A dead worker's job is given up after some of these, instead of half a minute. */
const stalling = { stalledInterval: 150, lockDuration: 300 }

describeEachStore('a job whose worker is killed', (store) => {
  const opened = new AsyncDisposableStack()
  let database: TestDatabase
  let redisUrl: string | null

  beforeAll(async () => {
    database = await createTestDatabase()
    opened.defer(() => database.close())
    const queue = await store.open()
    redisUrl = queue.redisUrl
    opened.defer(() => queue.close())
  })
  afterAll(() => opened.disposeAsync())

  test('is dropped, not run again: the owner’s lease brings the work back', async () => {
    const options = { redisUrl, databaseUrl: database.url, installationId: 'test', stalling }
    const queues = openQueues({ ...options, onError: () => {} })
    opened.defer(() => queues.close())
    const leaseId = newId()
    const add = () => queues.all.poll.add('poll', { leaseId }, { jobId: leaseId })
    await add()
    await killInTheMiddle(options)

    const ran: string[] = []
    queues.work('poll', async (payload) => void ran.push(payload.leaseId), { concurrency: 1 })
    await vi.waitFor(async () => expect(await queues.all.poll.getJob(leaseId)).toBeUndefined(), 10_000)
    expect(ran).toEqual([])
    await add()
    await vi.waitFor(() => expect(ran).toEqual([leaseId]), 5_000)
  })
})

/** Has a process take the waiting job, and kills it there. */
async function killInTheMiddle(options: Record<string, unknown>): Promise<void> {
  const code = `
    import { openQueues } from ${JSON.stringify(queuesModule)}
    const queues = openQueues({ ...${JSON.stringify(options)}, onError: console.error })
    queues.work('poll', () => new Promise(() => console.log('begun')), { concurrency: 1 })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}
