// Owns Mailchimp's side: `GET /batches/{batchId}`. Whether an operation failed is counted, not told.
import { randomBytes } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { isoSecondsAfter, ok, type Refusal, refusalStatus } from '../vendor.ts'
import { after, call, type DocumentVendor } from './form.ts'

export const mailchimp: DocumentVendor = {
  words: {
    queued: ['pending', 'preprocessing'],
    running: 'started',
    outcomes: { succeeded: 'finished', partial: 'finished', failed: 'finished' },
    over: new Set(['finished']),
  },
  shape: { holder: null, required: ['id', 'status'] },
  keepsForMs: null,
  newJobId: () => randomBytes(5).toString('hex'),
  credentials: (name) => ({ apiKey: `${name}-mailchimp-us19` }),

  readCall(segments) {
    const found = after(segments, 'batches')
    return found && found.rest.length === 0 ? call('status', found.id) : null
  },

  authorise({ credentials }, headers) {
    const [, pair = ''] = /^Basic (.*)$/.exec(headers.authorization ?? '') ?? []
    return Buffer.from(pair, 'base64').toString().split(':')[1] === credentials.apiKey ? 'ok' : 'unauthorized'
  },

  answer(job, _call, elapsedMs) {
    const { status, counters, finishedAfterMs } = momentAt(job.script, mailchimp.words, elapsedMs)
    return ok({
      id: job.jobId,
      status,
      total_operations: job.script.rows,
      finished_operations: counters?.processed ?? 0,
      errored_operations: counters?.failed ?? 0,
      submitted_at: isoSecondsAfter(job, 0),
      completed_at: finishedAfterMs === null ? '' : isoSecondsAfter(job, finishedAfterMs),
      response_body_url: '',
    })
  },

  refusalBody: (refusal) => ({
    type: 'https://mailchimp.com/developer/marketing/docs/errors/',
    title: titles[refusal],
    status: refusalStatus[refusal],
    detail: 'See the title.',
    instance: 'd3cd2c5e-7c6a-4f3a-9e2c-3d6a2f0b1a11',
  }),
}

const titles: Readonly<Record<Refusal, string>> = {
  bad_request: 'Invalid Resource',
  unauthorized: 'API Key Invalid',
  forbidden: 'Forbidden',
  not_found: 'Resource Not Found',
  rate_limited: 'Too Many Requests',
  server_error: 'Internal Server Error',
  unavailable: 'Service Unavailable',
}
