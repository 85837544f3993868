// Owns Salesforce's side: `GET /services/data/v66.0/jobs/ingest/{jobId}`, and its failed and unprocessed records as CSV.
import { randomBytes } from 'node:crypto'
import { RowText } from '../json.ts'
import { indexOfNth } from '../rows.ts'
import { momentAt } from '../timeline.ts'
import { isoAfter, ok, type Refusal } from '../vendor.ts'
import { after, call, type DocumentVendor, emailOf, refused } from './form.ts'

const offset = (iso: string) => iso.replace('Z', '+0000')

export const salesforce: DocumentVendor = {
  words: {
    queued: ['Open', 'UploadComplete'],
    running: 'InProgress',
    outcomes: { succeeded: 'JobComplete', partial: 'JobComplete', failed: 'Failed', canceled: 'Aborted' },
    over: new Set(['JobComplete', 'Failed', 'Aborted']),
  },
  shape: { holder: null, required: ['id', 'state'] },
  keepsForMs: null,
  newJobId: () => `750${randomBytes(6).toString('hex')}`,
  credentials: (name) => ({ clientId: `${name}-salesforce-client`, clientSecret: `${name}-salesforce-secret` }),
  settings: {},
  tokens: {
    path: '/services/oauth2/token',
    clientAuth: 'body',
    lifetimeS: 7_200,
    isSilent: true,
    more: (origin) => ({ instance_url: origin, id: `${origin}/id/00D/005`, token_type: 'Bearer', scope: 'api' }),
  },

  readCall(segments) {
    const found =
      /^v\d+\.0$/.test(segments[2] ?? '') && after(segments, 'services', 'data', segments[2] ?? '', 'jobs', 'ingest')
    if (!found) return null
    const [what] = found.rest
    if (what === undefined) return call('status', found.id)
    return what === 'failedResults' || what === 'unprocessedrecords' ? call('details', found.id, null, what) : null
  },

  authorise: ({ isToken }, headers) => (isToken(headers.authorization, 'Bearer ') ? 'ok' : 'unauthorized'),

  answer(job, { kind, scope }, elapsedMs) {
    const moment = momentAt(job.script, salesforce.words, elapsedMs)
    const { counters } = moment
    if (kind === 'details') {
      if (!moment.over || counters === null) return 'not_found'
      const { failed, processed } = counters
      // Of a job that ended early, the rest of the upload is unprocessed.
      const rest = moment.status === 'JobComplete' ? 0 : Math.max(0, job.script.rows - processed)
      const lines =
        scope === 'failedResults'
          ? new RowText(failed, 'sf__Id,sf__Error,Email\n', (nth) => {
              const email = emailOf(indexOfNth(nth, failed, processed))
              return `"","INVALID_EMAIL_ADDRESS:Email: invalid email address: ${email}:Email --","${email}"\n`
            })
          : new RowText(rest, 'Email\n', (nth) => `"${emailOf(processed + nth)}"\n`)
      return { ...ok(lines), headers: { 'content-type': 'text/csv' } }
    }
    const isCounted = counters !== null && moment.status !== 'Open'
    return {
      ...ok({
        id: job.jobId,
        operation: 'insert',
        object: 'Contact',
        createdDate: offset(isoAfter(job, 0)),
        systemModstamp: offset(isoAfter(job, moment.changedAfterMs)),
        state: moment.status,
        contentType: 'CSV',
        apiVersion: 66,
        jobType: 'V2Ingest',
        lineEnding: 'LF',
        columnDelimiter: 'COMMA',
        errorMessage:
          moment.status === 'Failed' ? (moment.message ?? 'InvalidBatch : Field name not found') : undefined,
        numberRecordsProcessed: isCounted ? counters.processed : undefined,
        numberRecordsFailed: isCounted ? counters.failed : undefined,
        retries: 0,
        totalProcessingTime: moment.changedAfterMs,
      }),
      headers: { 'sforce-limit-info': 'api-usage=18/5000' },
    }
  },

  refusalBody: (refusal) => [errors[refusal]],
  // A used-up allowance is a 403, and nothing says how long to wait.
  refuse: (refusal) => (refusal === 'rate_limited' ? refused(403, [errors.rate_limited]) : null),
}

const errors: Readonly<Record<Refusal, { errorCode: string; message: string }>> = {
  bad_request: { errorCode: 'INVALIDJOB', message: 'Unable to find object' },
  unauthorized: { errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' },
  forbidden: { errorCode: 'INSUFFICIENT_ACCESS', message: 'insufficient access rights' },
  not_found: { errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' },
  rate_limited: { errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' },
  server_error: { errorCode: 'UNKNOWN_EXCEPTION', message: 'An unexpected error occurred.' },
  unavailable: { errorCode: 'SERVER_UNAVAILABLE', message: 'The server is unavailable.' },
}
