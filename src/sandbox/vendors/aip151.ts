// Owns the side of a service with long-running operations (AIP-151): `GET /v1/{name}`, whose name has slashes.
import { randomUUID } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { isoAfter, ok, type Refusal, refusalStatus } from '../vendor.ts'
import { call, type DocumentVendor } from './form.ts'

export const aip151: DocumentVendor = {
  words: {
    queued: [],
    running: 'RUNNING',
    outcomes: { succeeded: 'SUCCEEDED', failed: 'FAILED', canceled: 'CANCELLED' },
    over: new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']),
  },
  shape: { holder: null, required: ['name', 'done'] },
  keepsForMs: 30 * 86_400_000,
  newJobId: () => `projects/sandbox/locations/here/operations/${randomUUID()}`,
  credentials: (name) => ({ accessToken: `${name}-aip151-token` }),
  settings: { progressPercent: '/metadata/progressPercent' },

  readCall(segments) {
    const [version, ...name] = segments
    return version === 'v1' && name.length > 1 ? call('status', name.join('/')) : null
  },

  authorise: ({ credentials }, headers) =>
    headers.authorization === `Bearer ${credentials.accessToken}` ? 'ok' : 'unauthorized',

  answer(job, _call, elapsedMs) {
    const { status, progress, over, finishedAfterMs, message } = momentAt(job.script, aip151.words, elapsedMs)
    const isCanceled = status === 'CANCELLED'
    const error = { code: isCanceled ? 1 : 3, message: message ?? (isCanceled ? 'Canceled.' : 'The file is no CSV.') }
    return ok({
      name: job.jobId,
      metadata: {
        '@type': 'type.googleapis.com/sandbox.OperationMetadata',
        createTime: isoAfter(job, 0),
        endTime: finishedAfterMs === null ? undefined : isoAfter(job, finishedAfterMs),
        progressPercent: progress ?? undefined,
      },
      done: over ? true : undefined,
      error: over && status !== 'SUCCEEDED' ? error : undefined,
      response: status === 'SUCCEEDED' ? { '@type': 'type.googleapis.com/google.protobuf.Empty' } : undefined,
    })
  },

  refusalBody(refusal) {
    const [status, message] = refusals[refusal]
    return { error: { code: refusalStatus[refusal], message, status } }
  },
}

const refusals: Readonly<Record<Refusal, readonly [status: string, message: string]>> = {
  bad_request: ['INVALID_ARGUMENT', 'The name is invalid.'],
  unauthorized: ['UNAUTHENTICATED', 'Request had invalid authentication credentials.'],
  forbidden: ['PERMISSION_DENIED', 'The caller does not have permission.'],
  not_found: ['NOT_FOUND', 'Operation not found.'],
  rate_limited: ['RESOURCE_EXHAUSTED', 'Quota exceeded.'],
  server_error: ['INTERNAL', 'Internal error.'],
  unavailable: ['UNAVAILABLE', 'The service is currently unavailable.'],
}
