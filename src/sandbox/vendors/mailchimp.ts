// Owns Mailchimp's side: `GET /batches/{batchId}`, and the archive with what came of each operation.
import { randomBytes } from 'node:crypto'
import { RawText, RowList, TarGz } from '../json.ts'
import { isOneOf } from '../rows.ts'
import { momentAt } from '../timeline.ts'
import { isoSecondsAfter, ok, type Refusal, refusalStatus } from '../vendor.ts'
import { after, call, type DocumentVendor, emailOf, isSigned, refused, signedUrl } from './form.ts'

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

  readCall(segments, query) {
    if (isSigned(segments, query)) return call('details', segments[1] ?? '')
    const found = after(segments, 'batches')
    return found && found.rest.length === 0 ? call('status', found.id) : null
  },

  authorise({ credentials }, headers, { kind }) {
    if (kind === 'details') return 'ok'
    const [, pair = ''] = /^Basic (.*)$/.exec(headers.authorization ?? '') ?? []
    return Buffer.from(pair, 'base64').toString().split(':')[1] === credentials.apiKey ? 'ok' : 'unauthorized'
  },

  answer(job, { kind, origin }, elapsedMs) {
    const { status, counters, over, finishedAfterMs } = momentAt(job.script, mailchimp.words, elapsedMs)
    if (kind === 'details') {
      if (!over || counters === null) return 'not_found'
      const { processed, failed } = counters
      const { pageSize } = job.script
      const archive = new TarGz(Math.ceil(processed / pageSize), (nth) => ({
        name: `${job.jobId}-${nth}.json`,
        body: new RowList(Math.min(pageSize, processed - nth * pageSize), (index) => {
          const row = nth * pageSize + index
          return operationOf(row, isOneOf(row, failed, processed))
        }),
      }))
      return { ...ok(archive), headers: { 'content-type': 'application/gzip' } }
    }
    return ok({
      id: job.jobId,
      status,
      total_operations: job.script.rows,
      finished_operations: counters?.processed ?? 0,
      errored_operations: counters?.failed ?? 0,
      submitted_at: isoSecondsAfter(job, 0),
      completed_at: finishedAfterMs === null ? '' : isoSecondsAfter(job, finishedAfterMs),
      response_body_url: over ? signedUrl('mailchimp', job.jobId, origin) : '',
    })
  },

  refusalBody: (refusal) => ({
    type: 'https://mailchimp.com/developer/marketing/docs/errors/',
    title: titles[refusal],
    status: refusalStatus[refusal],
    detail: 'See the title.',
    instance: 'd3cd2c5e-7c6a-4f3a-9e2c-3d6a2f0b1a11',
  }),
  // Under load a server before the API refuses: without JSON, and nothing says how long to wait.
  refuse: (refusal) =>
    refusal === 'rate_limited'
      ? refused(403, new RawText('<html><body>Forbidden</body></html>'), { 'content-type': 'text/html' })
      : null,
}

/** The answer to an operation is JSON in text. */
function operationOf(row: number, isFailed: boolean) {
  const answer = isFailed
    ? { title: 'Invalid Resource', status: 400, detail: `${emailOf(row)} looks fake or invalid.` }
    : { id: `member-${row + 1}`, status: 'subscribed' }
  return { status_code: isFailed ? 400 : 200, operation_id: `user-${row + 1}`, response: JSON.stringify(answer) }
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
