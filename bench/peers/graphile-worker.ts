// graphile-worker with a job that adds its next one, and its local queue and batched completion for throughput, as its
// documentation recommends.
import { Logger, run } from 'graphile-worker'
import { createTables, forEachThousand, options, poll, ready } from './poll.ts'

await createTables()
const runner = await run({
  connectionString: options.databaseUrl,
  concurrency: options.concurrency,
  logger: new Logger(() => () => {}),
  preset: {
    worker: { maxPoolSize: 20, pollInterval: 500, localQueue: { size: 500 }, completeJobBatchDelay: 0 },
  },
  taskList: {
    peer: async (payload, { addJob }) => {
      const { id } = payload as { id: number }
      await poll(id)
      await addJob('peer', { id }, { runAt: after(1) })
    },
  },
})
await forEachThousand((ids) =>
  Promise.all(ids.map((id) => runner.addJob('peer', { id }, { runAt: after(Math.random()) }))),
)
ready()

/** This share of the interval from now on. */
function after(share: number): Date {
  return new Date(Date.now() + options.everyMs * share)
}
