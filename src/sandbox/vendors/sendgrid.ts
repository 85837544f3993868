// Owns SendGrid's side: `GET /v3/marketing/contacts/imports/{id}`, and the failed contacts as CSV.
import { randomUUID } from 'node:crypto'
import { RowText } from '../json.ts'
import { indexOfNth } from '../rows.ts'
import { momentAt } from '../timeline.ts'
import { isoSecondsAfter, ok, type Refusal } from '../vendor.ts'
import { after, call, type DocumentVendor, emailOf, isSigned, signedUrl } from './form.ts'

export const sendgrid: DocumentVendor = {
  words: {
    queued: ['pending'],
    running: 'pending',
    outcomes: { succeeded: 'completed', partial: 'errored', failed: 'failed' },
    over: new Set(['completed', 'errored', 'failed']),
  },
  shape: { holder: null, required: ['id', 'status'] },
  keepsForMs: null,
  newJobId: randomUUID,
  credentials: (name) => ({ apiKey: `SG.${name}` }),

  readCall(segments, query) {
    if (isSigned(segments, query)) return call('details', segments[1] ?? '')
    const found = after(segments, 'v3', 'marketing', 'contacts', 'imports')
    return found && found.rest.length === 0 ? call('status', found.id) : null
  },

  authorise: ({ credentials }, headers, { kind }) =>
    kind === 'details' || headers.authorization === `Bearer ${credentials.apiKey}` ? 'ok' : 'unauthorized',

  answer(job, { kind, origin }, elapsedMs) {
    const { status, counters, over, finishedAfterMs } = momentAt(job.script, sendgrid.words, elapsedMs)
    if (kind === 'details') {
      if (!over || counters === null || counters.failed === 0) return 'not_found'
      const { processed, failed } = counters
      const lines = new RowText(failed, 'email,error\n', (nth) => {
        return `${emailOf(indexOfNth(nth, failed, processed))},invalid email\n`
      })
      return { ...ok(lines), headers: { 'content-type': 'text/csv' } }
    }
    return ok({
      id: job.jobId,
      status,
      job_type: 'upsert',
      results:
        over && counters !== null
          ? {
              requested_count: job.script.rows,
              created_count: counters.inserted,
              updated_count: counters.updated,
              errored_count: counters.failed,
              errors_url: counters.failed > 0 ? signedUrl('sendgrid', job.jobId, origin) : '',
            }
          : {},
      started_at: isoSecondsAfter(job, 0),
      finished_at: finishedAfterMs === null ? '' : isoSecondsAfter(job, finishedAfterMs),
    })
  },

  refusalBody: (refusal) => ({ errors: [{ message: messages[refusal], error_id: refusal }] }),
}

const messages: Readonly<Record<Refusal, string>> = {
  bad_request: 'invalid id',
  unauthorized: 'authorization required',
  forbidden: 'access forbidden',
  not_found: 'not found',
  rate_limited: 'too many requests',
  server_error: 'internal error',
  unavailable: 'service unavailable',
}
