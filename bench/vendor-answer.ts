// What the vendor of the benchmarks answers: CDQ's answer to a running job.
export const answer = {
  id: '35f23c03-1c22-45fe-9484-3ffe769325de',
  name: 'Process vendor data.',
  createdAt: '2026-06-03T12:58:32Z',
  progress: 77,
  status: 'RUNNING',
  storageId: '72d6900fce6b326088f5d9d91049e3e6',
  dataSource: '648824a691d8d2503d65103e',
  result: { statistics: { numberOfInserts: 10, numberOfUpdates: 10, numberOfFailed: 0 } },
}

/** How often a job of a lifecycle is asked for: once queued, five times running, and once when it is over. */
export const lifecyclePolls = 7

/** The answer to the request `nth` (from 1) for a job whose every answer differs. */
export function progressAnswer(nth: number) {
  const statistics = { numberOfInserts: nth, numberOfUpdates: 10, numberOfFailed: 0 }
  return { ...answer, progress: nth % 100, result: { statistics } }
}

/** The answer to the request `nth` (from 1) for a job that goes from its queue to its end. */
export function lifecycleAnswer(nth: number) {
  const { result: _result, ...job } = answer
  if (nth === 1) return { ...job, status: 'SCHEDULED', progress: 0 }
  if (nth < lifecyclePolls) return { ...job, progress: (nth - 1) * 15 }
  const statistics = { numberOfInserts: 10, numberOfUpdates: 10, numberOfFailed: 0, skipped: [] }
  return { ...job, status: 'FINISHED', progress: 100, result: { statistics } }
}
