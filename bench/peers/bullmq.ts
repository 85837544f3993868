// BullMQ on Redis with a job scheduler for each import, as its guide recommends for work that repeats.
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { createTables, forEachThousand, options, poll, ready } from './poll.ts'

const connection = new Redis(options.redisUrl, { maxRetriesPerRequest: null })
const queue = new Queue('peer', { connection, defaultJobOptions: { removeOnComplete: true, removeOnFail: true } })
await createTables()
await forEachThousand((ids) =>
  Promise.all(ids.map((id) => queue.upsertJobScheduler(`import-${id}`, { every: options.everyMs }, { data: { id } }))),
)
const worker = new Worker('peer', ({ data }) => poll(data.id), { connection, concurrency: options.concurrency })
worker.on('error', () => {})
ready()
