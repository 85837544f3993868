// Owns HubSpot's side: `GET /crm/v3/imports/{importId}`, or below a dated path, with the failed rows at `…/errors`.
import { randomInt } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { isoAfter, ok, type Refusal } from '../vendor.ts'
import { after, call, type DocumentVendor, emailOf, failedPage } from './form.ts'

export const hubspot: DocumentVendor = {
  words: {
    queued: ['STARTED', 'DEFERRED'],
    running: 'PROCESSING',
    outcomes: { succeeded: 'DONE', partial: 'DONE', failed: 'FAILED', canceled: 'CANCELED' },
    over: new Set(['DONE', 'FAILED', 'CANCELED', 'REVERTED']),
  },
  shape: { holder: null, required: ['id', 'state'] },
  keepsForMs: null,
  newJobId: () => String(randomInt(1_000, 10_000_000)),
  credentials: (name) => ({
    clientId: `${name}-hubspot-client`,
    clientSecret: `${name}-hubspot-secret`,
    refreshToken: `${name}-hubspot-refresh`,
  }),
  tokens: { path: '/oauth/v1/token', clientAuth: 'body', lifetimeS: 1_800 },

  readCall(segments, query) {
    const dated = /^\d{4}-\d\d$/.test(segments[2] ?? '') && after(segments, 'crm', 'imports', segments[2] ?? '')
    const found = dated || after(segments, 'crm', 'v3', 'imports')
    if (!found) return null
    if (found.rest.length === 0) return call('status', found.id)
    if (found.rest.join('/') !== 'errors') return null
    // One row is asked for to see whether there is any.
    return query.get('limit') === '1' ? call('summary', found.id) : call('details', found.id, query.get('after'))
  },

  authorise: ({ isToken }, headers) => (isToken(headers.authorization, 'Bearer ') ? 'ok' : 'unauthorized'),

  answer(job, { kind, cursor }, elapsedMs) {
    const { script } = job
    const moment = momentAt(script, hubspot.words, elapsedMs)
    const { counters } = moment
    if (kind !== 'status') {
      if (!moment.over || counters === null) return ok({ results: [] })
      const page = failedPage(kind === 'summary' ? { ...script, pageSize: 1 } : script, counters, cursor, (row) => ({
        id: String(13_311_685 + row),
        createdAt: job.createdAt.getTime() + moment.changedAfterMs,
        errorType: 'INVALID_EMAIL',
        errorMessage: `The email address ${emailOf(row)} is invalid`,
        knownColumnNumber: 1,
        sourceData: { lineNumber: row + 1, fileId: 3_579_849, rowData: [emailOf(row)], additionalRowData: [] },
      }))
      if (page === null) return 'bad_request'
      return ok({ results: page.rows, paging: page.next ? { next: { after: page.next } } : undefined })
    }
    return ok({
      id: job.jobId,
      state: moment.status,
      createdAt: isoAfter(job, 0),
      updatedAt: isoAfter(job, moment.changedAfterMs),
      optOutImport: false,
      mappedObjectTypeIds: ['0-1'],
      metadata: {
        counters:
          counters === null || moment.startedAfterMs === null
            ? {}
            : { TOTAL_ROWS: script.rows, CREATED_OBJECTS: counters.inserted, UPDATED_OBJECTS: counters.updated },
        fileIds: ['3579849'],
        objectLists: [],
      },
    })
  },

  refusalBody: (refusal) => {
    const [category, message] = refusals[refusal]
    return { status: 'error', category, message, correlationId: 'b2f0a1de-2f65-4a0a-9b7e-0a5f6f1d2c3b' }
  },
}

const refusals: Readonly<Record<Refusal, readonly [category: string, message: string]>> = {
  bad_request: ['VALIDATION_ERROR', 'Invalid input'],
  unauthorized: ['INVALID_AUTHENTICATION', 'Authentication credentials not found.'],
  forbidden: ['MISSING_SCOPES', "This app hasn't been granted all required scopes."],
  not_found: ['OBJECT_NOT_FOUND', 'The import could not be found'],
  rate_limited: ['RATE_LIMITS', 'You have reached your ten_secondly_rolling limit.'],
  server_error: ['INTERNAL_ERROR', 'internal error'],
  unavailable: ['SERVICE_UNAVAILABLE', 'The service is unavailable'],
}
