// pg-boss with a job that sends its next one, in batches and with several workers in the process, as its guide
// recommends for throughput.
import { PgBoss } from 'pg-boss'
import { createTables, forEachThousand, options, poll, ready } from './poll.ts'

const queue = 'peer'
const batchSize = 50
const boss = new PgBoss({ connectionString: options.databaseUrl, schema: 'peer_boss', max: 10 })
boss.on('error', () => {})
await createTables()
await boss.start()
await boss.createQueue(queue)
await forEachThousand((ids) =>
  boss.insert(
    queue,
    ids.map((id) => ({ data: { id }, startAfter: after(Math.random()) })),
  ),
)
await boss.work<{ id: number }>(
  queue,
  { batchSize, localConcurrency: Math.ceil(options.concurrency / batchSize), pollingIntervalSeconds: 0.5 },
  async (jobs) => {
    await Promise.all(jobs.map(({ data }) => poll(data.id)))
    await boss.insert(
      queue,
      jobs.map(({ data }) => ({ data, startAfter: after(1) })),
    )
  },
)
ready()

/** This share of the interval from now on. */
function after(share: number): Date {
  return new Date(Date.now() + options.everyMs * share)
}
