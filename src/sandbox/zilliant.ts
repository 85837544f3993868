// Owns Zilliant's side: `GET /v1/EntityImport/{importId}/status`, and `…/report` with the counts.
import { randomUUID } from 'node:crypto'
import { type Moment, momentAt } from './timeline.ts'
import { type Answer, isoSecondsAfter, type Job, ok, type Refusal, type Vendor } from './vendor.ts'

export const zilliant: Vendor<'zilliant'> = {
  words: {
    queued: [],
    running: 'RUNNING',
    outcomes: { succeeded: 'SUCCEEDED', partial: 'SUCCEEDED', failed: 'FAILED' },
    over: new Set(['SUCCEEDED', 'FAILED']),
  },
  shape: { holder: null, required: ['status'] },
  keepsForMs: null,
  newJobId: randomUUID,

  readCall(segments) {
    const [version, entityImport, jobId, what, ...rest] = segments
    if (version !== 'v1' || entityImport !== 'EntityImport' || jobId === undefined || rest.length > 0) return null
    if (what === 'status') return { kind: 'status', jobId, cursor: null, scope: null }
    return what === 'report' ? { kind: 'summary', jobId, cursor: null, scope: null } : null
  },

  // A request without X-Forwarded-Host counts as one from inside the vendor's network.
  authorise({ credentials, settings }, headers) {
    const token = Buffer.from(credentials.tokenResponse).toString('base64')
    const forwardedHost = headers['x-forwarded-host'] ?? settings.forwardedHost
    const right = headers.authorization === `OAuth ${token}` && forwardedHost === settings.forwardedHost
    return right ? 'ok' : 'unauthorized'
  },

  answer(job, call, elapsedMs) {
    const moment = momentAt(job.script, zilliant.words, elapsedMs)
    if (call.kind === 'summary') return report(moment)
    return ok({
      status: moment.status,
      startDate: optionalDate(job, moment.startedAfterMs),
      stopDate: optionalDate(job, moment.finishedAfterMs),
      clientErrorCallingService: job.script.clientErrorCallingService,
      entityImportId: job.jobId,
    })
  },

  // The vendor publishes the statuses of its errors, but not their bodies.
  refusalBody(refusal) {
    return { message: refusalMessages[refusal] }
  },
}

/**
 * `processedRows` counts the imported rows, and is absent if the import failed. `failedRows` is absent if no row
 * failed. The vendor doesn't publish its answer before the end: here it is a 404.
 */
function report({ status, over, counters, message }: Moment): Answer | Refusal {
  if (!over || counters === null) return 'not_found'
  const { processed, succeeded, failed } = counters
  if (status === 'FAILED') {
    return ok({ status: 'FAILED', failedRows: failed, message: message ?? 'The file could not be imported.' })
  }
  if (failed === 0) {
    return ok({ status: 'SUCCESS', processedRows: succeeded, message: message ?? `${succeeded} rows were imported.` })
  }
  return ok({
    status: 'PARTIAL_SUCCESS',
    processedRows: succeeded,
    failedRows: failed,
    message: message ?? `${failed} of ${processed} rows could not be imported. Check the error file for details.`,
  })
}

function optionalDate(job: Job, ms: number | null): string | undefined {
  return ms === null ? undefined : isoSecondsAfter(job, ms)
}

const refusalMessages: Readonly<Record<Refusal, string>> = {
  bad_request: 'Bad request.',
  unauthorized: 'Unauthorized.',
  forbidden: 'Forbidden.',
  not_found: 'Import ID not found.',
  rate_limited: 'Too many requests.',
  server_error: 'Internal server error.',
  unavailable: 'Service unavailable.',
}
