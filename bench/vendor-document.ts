// CDQ's status API as a document, to compare a poll by a document with one by a file.
export const cdqDocument = {
  format: 1,
  name: 'cdq-document',
  title: 'CDQ, as a document',
  baseUrl: null,
  credentials: { apiKey: {} },
  auth: { kind: 'header', name: 'x-api-key', value: '{credentials.apiKey}' },
  errorCode: { first: ['/status/technicalKey', '/status/code'] },
  errorMessage: '/status/details/*/message',
  status: {
    request: { path: '/jobs/importjobs/{job}' },
    state: {
      from: '/status',
      map: {
        SCHEDULED: 'queued',
        WAITING: 'queued',
        RUNNING: 'running',
        FINISHED: 'succeeded',
        FAILED: 'failed',
        DIED: 'failed',
        COULDNT_START: 'failed',
        CANCELED: 'canceled',
        ARCHIVED: 'archived',
      },
      refine: [
        {
          from: 'succeeded',
          to: 'partial',
          when: { any: [{ gt: ['/result/statistics/numberOfFailed', 0] }, { notEmpty: '/result/statistics/skipped' }] },
        },
      ],
    },
    rows: {
      inserted: '/result/statistics/numberOfInserts',
      updated: '/result/statistics/numberOfUpdates',
      failed: '/result/statistics/numberOfFailed',
    },
    progress: { percent: '/progress' },
    message: '/statusMessage',
    createdAt: '/createdAt',
    needs: ['/result/statistics/numberOfFailed'],
    omit: ['/result/statistics/skipped'],
  },
}
