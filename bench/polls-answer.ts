// What the provider of the benchmark answers: CDQ's answer to a running job.
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
