// Owns BigQuery's side: `GET /bigquery/v2/projects/{projectId}/jobs/{jobId}`. A service account signs for its token.
import { randomUUID } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { type Job, ok, type Refusal, refusalStatus } from '../vendor.ts'
import { after, call, type DocumentVendor, failedRows, refused } from './form.ts'
import { sandboxKey } from './service-account.ts'

/** The first errors only, as the vendor has it. */
const mostErrors = 5

export const bigquery: DocumentVendor = {
  words: {
    queued: ['PENDING'],
    running: 'RUNNING',
    outcomes: { succeeded: 'DONE', partial: 'DONE', failed: 'DONE failed', canceled: 'DONE stopped' },
    over: new Set(['DONE', 'DONE failed', 'DONE stopped']),
  },
  shape: { holder: null, required: ['jobReference', 'status'] },
  keepsForMs: 183 * 86_400_000,
  newJobId: () => `job_${randomUUID().replaceAll('-', '')}`,
  credentials: (name) => ({
    serviceAccountJson: JSON.stringify({
      type: 'service_account',
      project_id: 'sandbox-project',
      private_key_id: `${name}-key`,
      private_key: sandboxKey().privateKey,
      client_email: `${name}@sandbox-project.iam.gserviceaccount.com`,
      token_uri: '{origin}/token',
    }),
  }),
  settings: { projectId: 'sandbox-project' },
  tokens: { path: '/token', clientAuth: 'assertion', lifetimeS: 3_599, more: () => ({ token_type: 'Bearer' }) },

  readCall(segments) {
    const found = after(segments, 'bigquery', 'v2', 'projects', 'sandbox-project', 'jobs')
    return found && found.rest.length === 0 ? call('status', found.id) : null
  },

  authorise: ({ isToken }, headers) => (isToken(headers.authorization, 'Bearer ') ? 'ok' : 'unauthorized'),

  answer(job, _call, elapsedMs) {
    const moment = momentAt(job.script, bigquery.words, elapsedMs)
    const { counters, progress, over } = moment
    const [state = '', how] = moment.status.split(' ')
    const reason = how === 'stopped' ? 'stopped' : 'invalid'
    const message =
      moment.message ?? (how === 'stopped' ? 'Job execution was cancelled.' : 'Too many errors encountered.')
    const errorResult = how === undefined ? undefined : { reason, message }
    return ok({
      kind: 'bigquery#job',
      etag: 'x==',
      id: `sandbox-project:US.${job.jobId}`,
      jobReference: { projectId: 'sandbox-project', jobId: job.jobId, location: 'US' },
      status: {
        state,
        errorResult,
        errors:
          over && counters !== null && counters.failed > 0
            ? failedRows(counters, mostErrors, (row) => ({
                reason: 'invalid',
                location: 'gs://sandbox/rows.csv',
                message: `Error while reading data, error message: too many values in row; line ${row + 1}`,
              }))
            : undefined,
      },
      statistics: {
        creationTime: msAfter(job, 0),
        startTime: moment.startedAfterMs === null ? undefined : msAfter(job, moment.startedAfterMs),
        endTime: moment.finishedAfterMs === null ? undefined : msAfter(job, moment.finishedAfterMs),
        completionRatio: state === 'RUNNING' && progress !== null ? progress / 100 : undefined,
        load:
          over && counters !== null
            ? {
                inputFiles: '1',
                inputFileBytes: '2048',
                outputRows: how === undefined ? String(counters.succeeded) : '0',
                outputBytes: '4096',
                badRecords: String(counters.failed),
              }
            : undefined,
      },
    })
  },

  refusalBody: (refusal) => bodyOf(refusal, refusalStatus[refusal]),
  // A limit is a 403, and nothing says how long to wait.
  refuse: (refusal) => (refusal === 'rate_limited' ? refused(403, bodyOf(refusal, 403)) : null),
}

function msAfter(job: Job, ms: number): string {
  return String(job.createdAt.getTime() + ms)
}

function bodyOf(refusal: Refusal, code: number) {
  const [reason, message] = refusals[refusal]
  return { error: { code, message, errors: [{ domain: 'global', reason, message }] } }
}

const refusals: Readonly<Record<Refusal, readonly [reason: string, message: string]>> = {
  bad_request: ['invalid', 'Invalid value'],
  unauthorized: ['authError', 'Request had invalid authentication credentials.'],
  forbidden: ['accessDenied', 'Access Denied: Project sandbox-project'],
  not_found: ['notFound', 'Not found: Job'],
  rate_limited: ['rateLimitExceeded', 'Exceeded rate limits: too many api requests per user per method'],
  server_error: ['internalError', 'An internal error occurred and the request could not be completed.'],
  unavailable: ['backendError', 'Visibility check was unavailable. Please retry the request.'],
}
