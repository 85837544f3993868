// Owns Klaviyo's side: `GET /api/{kind of job}/{jobId}`. Profiles that failed are at `…/import-errors`; other kinds have
// their errors in the answer, or none.
import { randomBytes } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { isoAfter, ok, type Refusal, refusalStatus } from '../vendor.ts'
import { after, call, type DocumentVendor, emailOf, failedPage, failedRows, refused } from './form.ts'

const weekMs = 7 * 86_400_000

const profiles = 'profile-bulk-import-jobs'
const suppressions = ['profile-suppression-bulk-create-jobs', 'profile-suppression-bulk-delete-jobs']
const withErrors = [
  ...['item', 'variant', 'category'].flatMap((what) =>
    ['create', 'update', 'delete'].map((verb) => `catalog-${what}-bulk-${verb}-jobs`),
  ),
  'coupon-code-bulk-create-jobs',
]
/** The kinds of jobs, by their paths. A job is one of that kind by which it is asked for. */
export const klaviyoKinds: readonly string[] = [profiles, ...suppressions, ...withErrors]

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
    const kind = segments[1] ?? ''
    const found = klaviyoKinds.includes(kind) ? after(segments, 'api', kind) : null
    if (!found) return null
    if (found.rest.length === 0) return call('status', found.id, null, kind)
    const isErrors = kind === profiles && found.rest.join('/') === 'import-errors'
    return isErrors ? call('details', found.id, query.get('page[cursor]'), kind) : null
  },

  authorise: ({ credentials }, headers) =>
    headers.authorization === `Klaviyo-API-Key ${credentials.apiKey}` && headers.revision !== undefined
      ? 'ok'
      : 'unauthorized',

  answer(job, { kind, cursor, scope, origin }, elapsedMs) {
    const { script, jobId } = job
    const moment = momentAt(script, klaviyo.words, elapsedMs)
    const { counters, over } = moment
    const what = scope ?? profiles
    const path = `${origin}/klaviyo/api/${what}/${jobId}`
    const hasNoFailures = suppressions.includes(what)
    if (kind === 'details') {
      if (!over || counters === null) return ok({ data: [], links: { self: path, next: null } })
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
        type: what.slice(0, -1),
        id: jobId,
        attributes: {
          status: moment.status,
          created_at: isoAfter(job, 0),
          total_count: script.rows,
          completed_count: counters?.succeeded ?? null,
          ...(hasNoFailures ? { skipped_count: counters?.failed ?? null } : { failed_count: counters?.failed ?? null }),
          errors:
            withErrors.includes(what) && over && counters !== null && counters.failed > 0
              ? failedRows(counters, 1_000_000, (row) => ({
                  id: `error-${row + 1}`,
                  code: 'duplicate_result',
                  title: 'Duplicate object.',
                  detail: `Row ${row + 1} exists already.`,
                  source: { pointer: `/data/attributes/items/data/${row}` },
                }))
              : undefined,
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
