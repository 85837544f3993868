// Owns Intercom's side: `GET /contacts/bulk/{id}`, or of companies. Its times are in seconds, and it tells no failed rows.
import { randomUUID } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { type Job, ok, type Refusal } from '../vendor.ts'
import { after, call, type DocumentVendor } from './form.ts'

export const intercom: DocumentVendor = {
  words: {
    queued: ['pending'],
    running: 'running',
    outcomes: { succeeded: 'completed', partial: 'completed_with_errors' },
    over: new Set(['completed', 'completed_with_errors']),
  },
  shape: { holder: null, required: ['id', 'state'] },
  keepsForMs: null,
  newJobId: () => `job_${randomUUID()}`,
  credentials: (name) => ({ accessToken: `${name}-intercom-token` }),

  readCall(segments) {
    const [what] = segments
    const found = what === 'contacts' || what === 'companies' ? after(segments, what, 'bulk') : null
    return found && found.rest.length === 0 ? call('status', found.id, null, what) : null
  },

  authorise: ({ credentials }, headers) =>
    headers.authorization === `Bearer ${credentials.accessToken}` ? 'ok' : 'unauthorized',

  answer(job, { origin, scope }, elapsedMs) {
    const { status, changedAfterMs, startedAfterMs, finishedAfterMs } = momentAt(job.script, intercom.words, elapsedMs)
    const times = { created_at: secondsAfter(job, 0), completed_at: secondsAfter(job, finishedAfterMs) }
    return ok({
      id: job.jobId,
      type: scope === 'companies' ? 'company_bulk_job' : 'contact_bulk_job',
      state: status,
      ...times,
      updated_at: secondsAfter(job, changedAfterMs),
      tasks: [
        {
          id: `${job.jobId}-1`,
          item_count: job.script.rows,
          state: status,
          started_at: secondsAfter(job, startedAfterMs),
          ...times,
        },
      ],
      url: `${origin}/intercom/${scope}/bulk/${job.jobId}`,
    })
  },

  refusalBody: (refusal) => ({
    type: 'error.list',
    request_id: 'req_1',
    errors: [{ code: refusal === 'rate_limited' ? 'rate_limit_exceeded' : refusal, message: messages[refusal] }],
  }),
}

function secondsAfter(job: Job, ms: number | null): number | null {
  return ms === null ? null : Math.floor((job.createdAt.getTime() + ms) / 1_000)
}

const messages: Readonly<Record<Refusal, string>> = {
  bad_request: 'The id is invalid',
  unauthorized: 'Access Token Invalid',
  forbidden: 'You are not allowed to do this',
  not_found: 'Job Not Found',
  rate_limited: 'Exceeded rate limit',
  server_error: 'An internal error occurred',
  unavailable: 'The service is unavailable',
}
