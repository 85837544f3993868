// Owns micro.so's side: `GET /v2/prism/{teamId}/imports/{jobId}`. The last answer has the results of all rows, unpaged.
import { randomUUID } from 'node:crypto'
import { RowList } from './json.ts'
import { before, isOneOf, recordIds } from './rows.ts'
import { type Counters, momentAt } from './timeline.ts'
import { isoAfter, ok, type Refusal, type Vendor } from './vendor.ts'

const sevenDaysMs = 7 * 86_400_000

export const micro: Vendor<'micro'> = {
  words: {
    queued: [],
    running: 'processing',
    outcomes: { succeeded: 'complete', partial: 'complete', failed: 'failed' },
    over: new Set(['complete', 'failed']),
  },
  shape: { holder: null, required: ['job_id', 'status', 'total'] },
  keepsForMs: sevenDaysMs,
  newJobId: randomUUID,

  readCall(segments) {
    const [version, prism, teamId, imports, jobId, ...rest] = segments
    if (version !== 'v2' || prism !== 'prism' || imports !== 'imports') return null
    if (teamId === undefined || jobId === undefined || rest.length > 0) return null
    return { kind: 'status', jobId, cursor: null, scope: teamId }
  },

  authorise({ credentials, settings }, headers, call) {
    const key = headers['x-api-key']
    if (key === undefined || key === '') return 'unauthorized'
    return key === credentials.apiKey && call.scope === settings.teamId ? 'ok' : 'forbidden'
  },

  answer(job, _call, elapsedMs) {
    const { jobId, script } = job
    const moment = momentAt(script, micro.words, elapsedMs)
    const { counters } = moment
    return ok({
      job_id: jobId,
      status: moment.status,
      total: script.rows,
      created_at: isoAfter(job, 0),
      error:
        moment.status === 'failed'
          ? { code: 'import_failed', message: moment.message ?? 'The import could not be carried out.' }
          : undefined,
      expires_at: isoAfter(job, script.expiresAfterMs ?? sevenDaysMs),
      failed: counters?.failed,
      processed: counters?.processed,
      results: moment.status === 'complete' && counters !== null ? resultRows(jobId, counters) : undefined,
      succeeded: counters?.succeeded,
      updated_at: isoAfter(job, moment.changedAfterMs),
    })
  },

  refusalBody(refusal) {
    return { message: refusalMessages[refusal] }
  },
}

function resultRows(jobId: string, { processed, succeeded, failed, updated }: Counters): RowList {
  const recordId = recordIds(jobId)
  return new RowList(processed, (row) => {
    if (isOneOf(row, failed, processed)) {
      return {
        created: false,
        existing: false,
        error: { code: 'invalid_row', message: `Row ${row + 1} has no email.` },
      }
    }
    const existing = isOneOf(row - before(row, failed, processed), updated, succeeded)
    return { id: recordId(row), created: !existing, existing }
  })
}

const refusalMessages: Readonly<Record<Refusal, string>> = {
  bad_request: 'Malformed request',
  unauthorized: 'Missing x-api-key header',
  forbidden: "API key is invalid, revoked, or doesn't have access to the requested team",
  not_found: 'Import not found',
  rate_limited: 'Rate limit exceeded',
  server_error: 'Something went wrong on our end',
  unavailable: 'The service is unavailable',
}
