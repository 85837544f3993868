// Owns trying the queue at the start: one job, from end to end, needs everything that the service will need.
import type { Job, Queue, Worker } from 'bullmq'
import { newId } from '../base/ids.ts'

export interface Trial {
  queue(name: string): Queue
  worker(name: string, run: (job: Job) => Promise<void>): Worker
}

/**
 * Adds a job to a queue of its own, waits like an idle worker, runs the job, and deletes the queue.
 * @throws the store's error if it allows less than that, or an error if the job didn't run in time.
 */
export async function tryOut(trial: Trial, withinMs = 30_000): Promise<void> {
  // Under a name of its own, so that no other process's worker takes the job.
  const name = `try-out-${newId()}`
  const tried = Promise.withResolvers<void>()
  const queue = trial.queue(name).on('error', tried.reject)
  const worker = trial.worker(name, async () => {}).on('error', tried.reject)
  worker.on('completed', () => tried.resolve())
  // The queue is empty, so the worker is about to wait, and the job has to wake it.
  worker.once('drained', () => queue.add(name, {}, { jobId: name }).catch(tried.reject))
  const timer = setTimeout(() => tried.reject(new Error(`a job wasn't run within ${withinMs / 1_000} s`)), withinMs)
  try {
    await tried.promise
    await worker.close()
    await queue.obliterate({ force: true })
  } finally {
    clearTimeout(timer)
    tried.promise.catch(() => {}) // failures while closing change nothing
    await Promise.allSettled([worker.close(true), queue.close()])
  }
}
