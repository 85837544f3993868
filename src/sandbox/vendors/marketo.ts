// Owns Marketo's side: `GET /bulk/v1/leads/batch/{batchId}.json`, or of program members and custom objects, with the failed
// records and those with a warning as CSV. Errors come with 200.
import { randomBytes, randomInt } from 'node:crypto'
import { type Json, RowText } from '../json.ts'
import { indexOfNth, indexOfNthOther } from '../rows.ts'
import { momentAt } from '../timeline.ts'
import { type CallIn, ok, type Refusal } from '../vendor.ts'
import { after, call, type DocumentVendor, emailOf } from './form.ts'

export const marketo: DocumentVendor = {
  words: {
    queued: ['Queued'],
    running: 'Importing',
    outcomes: { succeeded: 'Complete', partial: 'Complete', failed: 'Failed' },
    over: new Set(['Complete', 'Failed']),
  },
  shape: { holder: null, required: ['requestId', 'success', 'result'] },
  keepsForMs: 7 * 86_400_000,
  newJobId: () => String(randomInt(1_000, 1_000_000)),
  credentials: (name) => ({ clientId: `${name}-marketo-client`, clientSecret: `${name}-marketo-secret` }),
  tokens: {
    path: '/identity/oauth/token',
    clientAuth: 'query',
    lifetimeS: 3_599,
    more: () => ({ token_type: 'bearer', scope: 'sandbox@example.com' }),
  },

  readCall(segments) {
    const found = after(segments, 'bulk', 'v1', 'leads', 'batch')
    if (!found) return siblingCall(segments)
    if (found.rest.length === 0 && found.id.endsWith('.json')) return call('status', found.id.slice(0, -5))
    const list = lists[found.rest.join('/')]
    return list === undefined ? null : call('details', found.id, null, list)
  },

  authorise: ({ isToken }, headers) => (isToken(headers.authorization, 'Bearer ') ? 'ok' : 'unauthorized'),

  answer(job, { kind, scope }, elapsedMs) {
    const { status, counters, message, over } = momentAt(job.script, marketo.words, elapsedMs)
    const warned = over ? Math.min(job.script.warnedRows, counters?.succeeded ?? 0) : 0
    if (kind === 'details') {
      const rows = scope === 'Warning' ? warned : (counters?.failed ?? 0)
      if (!over || counters === null || rows === 0) return 'not_found'
      const { failed, processed } = counters
      const indexOf = scope === 'Warning' ? indexOfNthOther : indexOfNth
      const lines = new RowText(rows, `email,Import ${scope} Reason\n`, (nth) => {
        return `${emailOf(indexOf(nth, failed, processed))},Invalid email address\n`
      })
      return { ...ok(lines), headers: { 'content-type': 'text/csv' } }
    }
    const isCounted = counters !== null && status !== 'Queued' && status !== 'Failed'
    return ok({
      requestId: requestId(),
      success: true,
      result: [
        {
          batchId: Number(job.jobId),
          importId: job.jobId,
          status,
          ...(scope !== null && { operation: 'import', objectApiName: scope }),
          ...(isCounted && {
            [scope === null ? 'numOfLeadsProcessed' : 'numOfObjectsProcessed']: counters.succeeded,
            numOfRowsFailed: counters.failed,
            numOfRowsWithWarning: warned,
          }),
          message: message ?? (status === 'Failed' ? 'The file could not be read.' : undefined),
        },
      ],
    })
  },

  refusalBody: (refusal) => bodyOf(refusal),
  // Nearly all errors come with 200, and without a header that says how long to wait.
  refuse: (refusal) => (refusal === 'bad_request' ? null : ok(bodyOf(refusal))),
}

/** What the last column of each list is called by. */
const lists: Readonly<Record<string, 'Failure' | 'Warning'>> = {
  'failures.json': 'Failure',
  'warnings.json': 'Warning',
}

/** Program members and custom objects have paths of their own. Of custom objects the status has their name as its scope. */
function siblingCall(segments: readonly string[]): CallIn | null {
  const [, , what = '', name = ''] = segments
  const isObject = what === 'customobjects' && name !== ''
  if (!isObject && !(what === 'program' && name === 'members')) return null
  const found = after(segments, 'bulk', 'v1', what, name, 'import')
  const asked = found?.rest.join('/') ?? ''
  if (!found) return null
  if (asked === 'status.json') return call('status', found.id, null, isObject ? name : null)
  const list = lists[asked]
  return list === undefined ? null : call('details', found.id, null, list)
}

function requestId(): string {
  return `${randomBytes(2).toString('hex')}#${randomBytes(6).toString('hex')}`
}

function bodyOf(refusal: Refusal): Json {
  const [code, message] = refusals[refusal]
  return { requestId: requestId(), success: false, errors: [{ code, message }] }
}

const refusals: Readonly<Record<Refusal, readonly [code: string, message: string]>> = {
  bad_request: ['609', 'Invalid JSON'],
  unauthorized: ['602', 'Access token expired'],
  forbidden: ['603', 'Access denied'],
  not_found: ['1013', 'Object not found'],
  rate_limited: ['606', "Max rate limit '100' exceeded with in '20' secs"],
  server_error: ['611', 'System error'],
  unavailable: ['608', 'API Temporarily Unavailable'],
}
