// Owns Zendesk's side: `GET /api/v2/job_statuses/{id}`, whose last answer has the results of all rows.
import { randomBytes } from 'node:crypto'
import { RowList } from '../json.ts'
import { isOneOf } from '../rows.ts'
import { momentAt } from '../timeline.ts'
import { ok, type Refusal } from '../vendor.ts'
import { after, call, type DocumentVendor } from './form.ts'

const dayMs = 86_400_000

export const zendesk: DocumentVendor = {
  words: {
    queued: ['queued'],
    running: 'working',
    outcomes: { succeeded: 'completed', partial: 'completed', failed: 'failed', canceled: 'killed' },
    over: new Set(['completed', 'failed', 'killed']),
  },
  shape: { holder: 'job_status', required: ['id', 'status'] },
  keepsForMs: dayMs,
  newJobId: () => randomBytes(16).toString('hex'),
  credentials: (name) => ({ email: `${name}@example.com`, apiToken: `${name}-zendesk-token` }),

  readCall(segments) {
    const found = after(segments, 'api', 'v2', 'job_statuses')
    return found && found.rest.length === 0 ? call('status', found.id.replace(/\.json$/, '')) : null
  },

  authorise({ credentials }, headers) {
    const pair = Buffer.from(`${credentials.email}/token:${credentials.apiToken}`).toString('base64')
    return headers.authorization === `Basic ${pair}` ? 'ok' : 'unauthorized'
  },

  answer(job, { origin }, elapsedMs) {
    const { script, jobId } = job
    const { status, counters, message, over } = momentAt(script, zendesk.words, elapsedMs)
    return ok({
      job_status: {
        id: jobId,
        job_type: 'Bulk Create User',
        url: `${origin}/zendesk/api/v2/job_statuses/${jobId}.json`,
        total: script.rows,
        progress: counters?.processed ?? null,
        status,
        message: message ?? (status === 'failed' ? 'The job failed.' : null),
        results:
          over && counters !== null
            ? new RowList(counters.processed, (index) =>
                isOneOf(index, counters.failed, counters.processed)
                  ? { index, error: 'RecordInvalid', details: `Email: user-${index + 1}@ is not properly formatted` }
                  : { id: 9_000_000 + index, index, status: 'Created', success: true },
              )
            : null,
      },
    })
  },

  refusalBody(refusal) {
    const [error, description] = refusals[refusal]
    return { error, description }
  },
}

const refusals: Readonly<Record<Refusal, readonly [error: string, description: string]>> = {
  bad_request: ['RecordInvalid', 'Record validation errors'],
  unauthorized: ["Couldn't authenticate you", ''],
  forbidden: ['Forbidden', 'You do not have access to this page.'],
  not_found: ['RecordNotFound', 'Not found'],
  rate_limited: ['APIRateLimitExceeded', 'Number of allowed API requests per minute exceeded'],
  server_error: ['InternalError', 'An internal error occurred'],
  unavailable: ['ServiceUnavailable', 'The service is unavailable'],
}
