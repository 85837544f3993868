// Owns FullStory's side: `GET /v2/events/batch/{jobId}` (and `/v2/users/…`), with the failed items at `…/errors`.
import { randomBytes } from 'node:crypto'
import { type Json, RowList } from './json.ts'
import { indexOfNth } from './rows.ts'
import { type Counters, momentAt } from './timeline.ts'
import { type Answer, isoAfter, type Job, lastCursorOf, ok, type Refusal, type Vendor } from './vendor.ts'

export const fullstory: Vendor<'fullstory'> = {
  words: {
    queued: [],
    running: 'PROCESSING',
    outcomes: { succeeded: 'COMPLETED', partial: 'FAILED', failed: 'FAILED' },
    over: new Set(['COMPLETED', 'FAILED']),
  },
  shape: { holder: 'job', required: ['id', 'status'] },
  keepsForMs: null,
  // Eight bytes end in one `=`, as in the vendor's own example.
  newJobId: () => randomBytes(8).toString('base64'),

  readCall(segments, query) {
    const [version, resource, batch, jobId, what, ...rest] = segments
    if (version !== 'v2' || batch !== 'batch' || jobId === undefined || rest.length > 0) return null
    if (resource !== 'events' && resource !== 'users') return null
    if (what === undefined) return { kind: 'status', jobId, cursor: null, scope: resource }
    if (what !== 'errors') return null
    return { kind: 'details', jobId, cursor: query.get('page_token') || null, scope: resource }
  },

  authorise(account, headers) {
    return headers.authorization === `Basic ${account.credentials.apiKey}` ? 'ok' : 'unauthorized'
  },

  answer(job, call, elapsedMs) {
    const { jobId, script } = job
    if (call.scope !== script.resource) return 'not_found'
    const moment = momentAt(script, fullstory.words, elapsedMs)
    const { counters, finishedAfterMs } = moment
    if (call.kind === 'details') {
      // The vendor's page names an answer for "still processing", with any body. 202 is this sandbox's choice.
      if (!moment.over || counters === null) return { status: 202, headers: {}, body: {} }
      return errorPage(job, counters, call.cursor)
    }
    return ok({
      imports: counters?.succeeded,
      errors: moment.status === 'FAILED' ? counters?.failed : undefined,
      job: {
        id: jobId,
        status: moment.status,
        created: isoAfter(job, 0),
        finished: finishedAfterMs === null ? undefined : isoAfter(job, finishedAfterMs),
      },
    })
  },

  refusalBody(refusal) {
    const [code, message] = refusals[refusal]
    return { message, code }
  },
}

function errorPage({ script }: Job, { processed, failed }: Counters, token: string | null): Answer | Refusal {
  const start = token === null ? 0 : readToken(token)
  if (start === null || (token !== null && start >= failed)) return 'bad_request'
  const end = Math.min(start + script.pageSize, failed)
  return ok({
    results: new RowList(end - start, (nth) => failedItem(script.resource, indexOfNth(start + nth, failed, processed))),
    total_records: String(failed),
    next_page_token: end < failed ? writeToken(end) : lastCursorOf(script, token),
  })
}

function failedItem(resource: 'events' | 'users', row: number): Json {
  const uid = `user-${row + 1}`
  return resource === 'events'
    ? { message: 'name is required', code: 'required_field', event: { user: { uid }, properties: { row: row + 1 } } }
    : { message: 'email is invalid', code: 'invalid_field', user: { uid, properties: { row: row + 1 } } }
}

function writeToken(start: number): string {
  return Buffer.from(`item:${start}`).toString('base64')
}

function readToken(token: string): number | null {
  const [, start] = /^item:(\d{1,15})$/.exec(Buffer.from(token, 'base64').toString()) ?? []
  return start === undefined ? null : Number(start)
}

const refusals: Readonly<Record<Refusal, readonly [code: string, message: string]>> = {
  bad_request: ['invalid_field', 'page_token is invalid'],
  unauthorized: ['unauthorized', 'access is unauthorized'],
  forbidden: ['forbidden', 'insufficient permissions'],
  not_found: ['resource_not_found', 'Requested resource does not exist'],
  rate_limited: ['too_many_requests', 'Too many requests. Client has exceeded the rate limit for this endpoint.'],
  server_error: ['server_error', 'Server error was encountered'],
  unavailable: ['server_error', 'The service is unavailable'],
}
