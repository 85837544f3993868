// Owns Klaviyo's side: `GET /api/profile-bulk-import-jobs/{jobId}`, with the failed profiles at `…/import-errors`.
import { randomBytes } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { isoAfter, ok, type Refusal, refusalStatus } from '../vendor.ts'
import { after, call, type DocumentVendor, emailOf, failedPage, refused } from './form.ts'

const weekMs = 7 * 86_400_000

export const klaviyo: DocumentVendor = {
  words: {
    queued: ['queued'],
    running: 'processing',
    outcomes: { succeeded: 'complete', partial: 'complete', failed: 'complete', canceled: 'cancelled' },
    over: new Set(['complete', 'cancelled']),
  },
  shape: { holder: 'data', required: ['type', 'id', 'attributes'] },
  keepsForMs: weekMs,
  newJobId: () => `01${randomBytes(12).toString('hex').toUpperCase()}`,
  credentials: (name) => ({ apiKey: `pk_${name}_klaviyo` }),

  readCall(segments, query) {
    const found = after(segments, 'api', 'profile-bulk-import-jobs')
    if (!found) return null
    if (found.rest.length === 0) return call('status', found.id)
    return found.rest.join('/') === 'import-errors' ? call('details', found.id, query.get('page[cursor]')) : null
  },

  authorise: ({ credentials }, headers) =>
    headers.authorization === `Klaviyo-API-Key ${credentials.apiKey}` && headers.revision !== undefined
      ? 'ok'
      : 'unauthorized',

  answer(job, { kind, cursor, origin }, elapsedMs) {
    const { script, jobId } = job
    const moment = momentAt(script, klaviyo.words, elapsedMs)
    const { counters } = moment
    const path = `${origin}/klaviyo/api/profile-bulk-import-jobs/${jobId}`
    if (kind === 'details') {
      if (!moment.over || counters === null) return ok({ data: [], links: { self: path, next: null } })
      const page = failedPage(script, counters, cursor, (row) => ({
        type: 'import-error',
        id: `error-${row + 1}`,
        attributes: {
          code: 'invalid',
          title: 'Invalid input.',
          detail: 'Invalid email address',
          source: { pointer: `/data/attributes/profiles/data/${row}/attributes/email` },
          original_payload: { email: emailOf(row), id: String(row + 1) },
        },
      }))
      if (page === null) return 'bad_request'
      const next = page.next && `${path}/import-errors?page%5Bcursor%5D=${page.next}`
      return ok({ data: page.rows, links: { self: path, next } })
    }
    return ok({
      data: {
        type: 'profile-bulk-import-job',
        id: jobId,
        attributes: {
          status: moment.status,
          created_at: isoAfter(job, 0),
          total_count: script.rows,
          completed_count: counters?.succeeded ?? null,
          failed_count: counters?.failed ?? null,
          started_at: moment.startedAfterMs === null ? null : isoAfter(job, moment.startedAfterMs),
          completed_at: moment.finishedAfterMs === null ? null : isoAfter(job, moment.finishedAfterMs),
          expires_at: isoAfter(job, script.expiresAfterMs ?? weekMs),
        },
        links: { self: `${path}/` },
      },
    })
  },

  refusalBody: (refusal) => {
    const [code, detail] = refusals[refusal]
    return { errors: [{ id: '9f8e7d6c', status: refusalStatus[refusal], code, title: detail, detail }] }
  },
  // The window of a limit is told by RateLimit-Reset.
  refuse(refusal, { waitS }) {
    if (refusal !== 'rate_limited') return null
    const reset =
      waitS === null ? {} : { 'ratelimit-limit': '150', 'ratelimit-remaining': '0', 'ratelimit-reset': String(waitS) }
    return refused(429, klaviyo.refusalBody(refusal), reset)
  },
}

const refusals: Readonly<Record<Refusal, readonly [code: string, detail: string]>> = {
  bad_request: ['invalid', 'Invalid input.'],
  unauthorized: ['not_authenticated', 'Missing or invalid private key.'],
  forbidden: ['permission_denied', 'You do not have permission to perform this action.'],
  not_found: ['not_found', 'A bulk import job does not exist with this id.'],
  rate_limited: ['throttled', 'Request was throttled.'],
  server_error: ['error', 'A server error occurred.'],
  unavailable: ['service_unavailable', 'The service is unavailable.'],
}
