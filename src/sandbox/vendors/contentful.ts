// Owns Contentful's side: `GET /spaces/{space}/environments/{environment}/bulk_actions/actions/{id}`.
import { randomBytes } from 'node:crypto'
import { RowList } from '../json.ts'
import { momentAt } from '../timeline.ts'
import { isoAfter, ok, type Refusal } from '../vendor.ts'
import { after, call, type DocumentVendor, failedRows } from './form.ts'

export const contentful: DocumentVendor = {
  words: {
    queued: ['created'],
    running: 'inProgress',
    outcomes: { succeeded: 'succeeded', failed: 'failed' },
    over: new Set(['succeeded', 'failed']),
  },
  shape: { holder: 'sys', required: ['id', 'status'] },
  keepsForMs: 7 * 86_400_000,
  newJobId: () => randomBytes(11).toString('hex'),
  credentials: (name) => ({ accessToken: `CFPAT-${name}` }),
  settings: { space: 'sandbox' },

  readCall(segments) {
    const found = after(segments, 'spaces', 'sandbox', 'environments', 'master', 'bulk_actions', 'actions')
    return found && found.rest.length === 0 ? call('status', found.id) : null
  },

  authorise: ({ credentials }, headers) =>
    headers.authorization === `Bearer ${credentials.accessToken}` ? 'ok' : 'unauthorized',

  answer(job, _call, elapsedMs) {
    const { status, counters, changedAfterMs, message } = momentAt(job.script, contentful.words, elapsedMs)
    const link = (row: number) => ({ sys: { type: 'Link', linkType: 'Entry', id: `entry-${row + 1}` } })
    return ok({
      sys: {
        type: 'BulkAction',
        id: job.jobId,
        status,
        createdAt: isoAfter(job, 0),
        updatedAt: isoAfter(job, changedAfterMs),
      },
      action: 'publish',
      payload: { entities: { items: new RowList(Math.min(job.script.rows, 200), link) } },
      error:
        status === 'failed' && counters !== null
          ? {
              sys: { type: 'Error', id: 'BulkActionFailed' },
              message: message ?? 'Not all entities could be published',
              details: {
                errors: failedRows(counters, 200, (row) => ({
                  entity: link(row),
                  error: {
                    sys: { type: 'Error', id: 'VersionMismatch' },
                    message: `Entry ${row + 1} has another version`,
                  },
                })),
              },
            }
          : undefined,
    })
  },

  refusalBody: (refusal) => ({ sys: { type: 'Error', id: ids[refusal] }, message: ids[refusal], requestId: 'r' }),
}

const ids: Readonly<Record<Refusal, string>> = {
  bad_request: 'BadRequest',
  unauthorized: 'AccessTokenInvalid',
  forbidden: 'AccessDenied',
  not_found: 'NotFound',
  rate_limited: 'RateLimitExceeded',
  server_error: 'ServerError',
  unavailable: 'ServiceUnavailable',
}
