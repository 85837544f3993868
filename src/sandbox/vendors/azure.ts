// Owns Azure's side: an operation by its URL, which is the job's id. Once it runs, its answers name another URL.
import { randomUUID } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { isoAfter, ok, type Refusal } from '../vendor.ts'
import { after, call, type DocumentVendor } from './form.ts'

const provider = ['subscriptions', 's', 'providers', 'Microsoft.Sandbox'] as const
const path = [...provider, 'operations'] as const
const movedTo = [...provider, 'locations', 'westeurope', 'operationStatuses'] as const

export const azure: DocumentVendor = {
  words: {
    queued: ['NotStarted'],
    running: 'Running',
    outcomes: { succeeded: 'Succeeded', failed: 'Failed', canceled: 'Canceled' },
    over: new Set(['Succeeded', 'Failed', 'Canceled']),
  },
  shape: { holder: null, required: ['id', 'status'] },
  keepsForMs: null,
  newJobId: randomUUID,
  shownJobId: (jobId, baseUrl) => `${baseUrl}/${path.join('/')}/${jobId}?api-version=2026-01-01`,
  credentials: (name) => ({ accessToken: `${name}-azure-token` }),

  readCall(segments) {
    const found = after(segments, ...path) ?? after(segments, ...movedTo)
    return found && found.rest.length === 0 ? call('status', found.id) : null
  },

  authorise: ({ credentials }, headers) =>
    headers.authorization === `Bearer ${credentials.accessToken}` ? 'ok' : 'unauthorized',

  answer(job, { origin }, elapsedMs) {
    const moment = momentAt(job.script, azure.words, elapsedMs)
    const { status, progress, startedAfterMs, finishedAfterMs, message } = moment
    const moved = `${origin}/azure/${movedTo.join('/')}/${job.jobId}?api-version=2026-01-01`
    const answer = ok({
      id: `/${path.join('/')}/${job.jobId}`,
      name: job.jobId,
      status,
      startTime: startedAfterMs === null ? undefined : isoAfter(job, startedAfterMs),
      endTime: finishedAfterMs === null ? undefined : isoAfter(job, finishedAfterMs),
      percentComplete: progress ?? undefined,
      error: status === 'Failed' ? { code: 'ImportFailed', message: message ?? 'The file is no CSV.' } : undefined,
    })
    return startedAfterMs === null ? answer : { ...answer, headers: { 'azure-asyncoperation': moved } }
  },

  refusalBody(refusal) {
    const [code, message] = refusals[refusal]
    return { error: { code, message } }
  },
}

const refusals: Readonly<Record<Refusal, readonly [code: string, message: string]>> = {
  bad_request: ['BadRequest', 'The request is invalid.'],
  unauthorized: ['InvalidAuthenticationToken', 'The access token is invalid.'],
  forbidden: ['AuthorizationFailed', 'The client does not have authorization to perform the action.'],
  not_found: ['ResourceNotFound', 'The operation was not found.'],
  rate_limited: ['TooManyRequests', 'The request is being throttled.'],
  server_error: ['InternalServerError', 'The server could not answer.'],
  unavailable: ['ServerBusy', 'The server is busy.'],
}
