// Owns trying the queue at the start: one job, from end to end, does all that the service will need to be allowed to do.
import type { Job, Queue, Worker } from 'bullmq'
import { newId } from '../base/ids.ts'

export interface Trial {
  queue(name: string): Queue
  worker(name: string, run: (job: Job) => Promise<void>): Worker
}

/**
 * Adds a job to a queue of its own, waits like an idle worker, runs the job, and deletes the queue.
 * @throws what the store says where it allows less than that, or that the job wasn't run in time.
 */
export async function tryOut(trial: Trial, withinMs = 30_000): Promise<void> {
  // No other process's worker may take the job.
  const name = `try-out-${newId()}`
  const tried = Promise.withResolvers<void>()
  const queue = trial.queue(name).on('error', tried.reject)
  const worker = trial.worker(name, async () => {}).on('error', tried.reject)
  worker.on('completed', () => tried.resolve())
  // With the queue empty, the worker is about to wait: so the job wakes it.
  worker.once('drained', () => queue.add(name, {}, { jobId: name }).catch(tried.reject))
  const timer = setTimeout(() => tried.reject(new Error(`a job wasn't run within ${withinMs / 1_000} s`)), withinMs)
  try {
    await tried.promise
    await worker.close()
    await queue.obliterate({ force: true })
  } finally {
    clearTimeout(timer)
    tried.promise.catch(() => {}) // what fails while closing changes nothing
    await Promise.allSettled([worker.close(true), queue.close()])
  }
}
