// Owns Auth0's side: `GET /jobs/{id}`, with the failed users at `…/errors`: a list, or 204.
import { randomBytes } from 'node:crypto'
import { RawText } from '../json.ts'
import { momentAt } from '../timeline.ts'
import { isoAfter, ok, type Refusal, refusalStatus } from '../vendor.ts'
import { after, call, type DocumentVendor, emailOf, failedRows, refused } from './form.ts'

const dayMs = 86_400_000

export const auth0: DocumentVendor = {
  words: {
    queued: ['pending'],
    running: 'pending',
    outcomes: { succeeded: 'completed', partial: 'completed', failed: 'failed' },
    over: new Set(['completed', 'failed']),
  },
  shape: { holder: null, required: ['id', 'type', 'status'] },
  keepsForMs: dayMs,
  newJobId: () => `job_${randomBytes(8).toString('hex')}`,
  credentials: (name) => ({ clientId: `${name}-auth0-client`, clientSecret: `${name}-auth0-secret` }),
  tokens: { path: '/oauth/token', clientAuth: 'body', lifetimeS: 86_400 },

  readCall(segments) {
    const found = after(segments, 'jobs')
    if (!found) return null
    if (found.rest.length === 0) return call('status', found.id)
    return found.rest.join('/') === 'errors' ? call('details', found.id) : null
  },

  authorise: ({ isToken }, headers) => (isToken(headers.authorization, 'Bearer ') ? 'ok' : 'unauthorized'),

  answer(job, { kind }, elapsedMs) {
    const { script, jobId } = job
    const { status, counters, over, progress, startedAfterMs, message } = momentAt(script, auth0.words, elapsedMs)
    const common = {
      id: jobId,
      type: 'users_import',
      status,
      created_at: isoAfter(job, 0),
      connection_id: 'con_0000000000000001',
    }
    if (kind === 'details') {
      if (status === 'failed') return ok(common)
      if (!over || counters === null || counters.failed === 0) return { ...ok(new RawText('')), status: 204 }
      return ok(
        failedRows(counters, 1_000_000, (row) => ({
          user: { email: emailOf(row), user_id: String(row + 1) },
          errors: [
            {
              code: 'FORMAT',
              message: `Object didn't pass validation for format email: ${emailOf(row)}`,
              path: 'email',
            },
          ],
        })),
      )
    }
    return ok({
      ...common,
      percentage_done: startedAfterMs === null || status === 'failed' ? undefined : (progress ?? undefined),
      time_left_seconds:
        over || startedAfterMs === null ? undefined : Math.ceil((script.durationMs - elapsedMs) / 1_000),
      status_details:
        status === 'failed' ? (message ?? 'Failed to parse users file JSON when importing users.') : undefined,
      summary:
        status === 'completed' && counters !== null
          ? { failed: counters.failed, updated: counters.updated, inserted: counters.inserted, total: script.rows }
          : undefined,
    })
  },

  refusalBody: (refusal) => ({ statusCode: refusalStatus[refusal], ...errors[refusal] }),
  // When the limit ends, in seconds since 1970.
  refuse: (refusal, { waitS, now }) =>
    refusal === 'rate_limited'
      ? refused(429, auth0.refusalBody(refusal), {
          'x-ratelimit-limit': '2',
          'x-ratelimit-remaining': '0',
          ...(waitS !== null && { 'x-ratelimit-reset': String(Math.ceil(now.getTime() / 1_000) + waitS) }),
        })
      : null,
}

const errors: Readonly<Record<Refusal, { error: string; message: string; errorCode?: string }>> = {
  bad_request: { error: 'Bad Request', message: 'Path validation error', errorCode: 'invalid_uri' },
  unauthorized: { error: 'Unauthorized', message: 'Invalid token', errorCode: 'invalid_token' },
  forbidden: { error: 'Forbidden', message: 'Insufficient scope', errorCode: 'insufficient_scope' },
  not_found: { error: 'Not Found', message: 'The job does not exist', errorCode: 'inexistent_job' },
  rate_limited: {
    error: 'Too Many Requests',
    message: 'Global limit has been reached',
    errorCode: 'too_many_requests',
  },
  server_error: { error: 'Internal Server Error', message: 'An internal error occurred' },
  unavailable: { error: 'Service Unavailable', message: 'The service is unavailable' },
}
