// Owns Elasticsearch's side: `GET /_tasks/{node:id}` of a reindex, whose last answer has its failures; at `/_reindex`, as
// from version 9.5 on, without the task around it.
import { randomBytes, randomInt } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { ok, type Refusal, refusalStatus } from '../vendor.ts'
import { after, call, type DocumentVendor, failedRows } from './form.ts'

/** Only the failures of the batch that ended the reindex are listed. */
const mostFailures = 1_000

export const elasticsearch: DocumentVendor = {
  words: {
    queued: [],
    running: 'running',
    outcomes: { succeeded: 'completed', partial: 'completed', failed: 'error', canceled: 'cancelled' },
    over: new Set(['completed', 'error', 'cancelled']),
  },
  shape: { holder: null, required: ['completed', 'task'] },
  keepsForMs: null,
  newJobId: () => `${randomBytes(16).toString('base64url')}:${randomInt(100, 100_000)}`,
  credentials: (name) => ({ apiKey: Buffer.from(`${name}:elasticsearch`).toString('base64') }),

  readCall(segments) {
    const [what] = segments
    const found = what === '_tasks' || what === '_reindex' ? after(segments, what) : null
    return found && found.rest.length === 0 ? call('status', found.id, null, what) : null
  },

  authorise: ({ credentials }, headers) =>
    headers.authorization === `ApiKey ${credentials.apiKey}` ? 'ok' : 'unauthorized',

  answer(job, { scope }, elapsedMs) {
    const moment = momentAt(job.script, elasticsearch.words, elapsedMs)
    const { counters, status, over } = moment
    const [node = '', id] = job.jobId.split(':')
    const counts = {
      total: job.script.rows,
      created: counters?.inserted ?? 0,
      updated: counters?.updated ?? 0,
      deleted: 0,
      batches: 1,
      version_conflicts: 0,
      noops: 0,
      retries: { bulk: 0, search: 0 },
      throttled_millis: 0,
    }
    const running = {
      status: counts,
      start_time_in_millis: job.createdAt.getTime(),
      running_time_in_nanos: Math.round((over ? moment.changedAfterMs : elapsedMs) * 1e6),
      cancelled: status === 'cancelled',
    }
    const action = 'indices:data/write/reindex'
    const task = { node, id: Number(id), type: 'transport', action, ...running, cancellable: true, headers: {} }
    return ok({
      completed: over,
      ...(scope === '_reindex' ? { id: job.jobId, ...running } : { task }),
      response:
        over && status !== 'error' && counters !== null
          ? {
              took: moment.changedAfterMs,
              timed_out: false,
              ...counts,
              failures: failedRows(counters, mostFailures, (row) => ({
                index: 'dst',
                id: String(row + 1),
                cause: { type: 'document_parsing_exception', reason: `[1:9] failed to parse row ${row + 1}` },
                status: 400,
              })),
              canceled: status === 'cancelled' ? 'by user request' : undefined,
            }
          : undefined,
      error:
        status === 'error'
          ? { type: 'index_not_found_exception', reason: moment.message ?? 'no such index [src]' }
          : undefined,
    })
  },

  refusalBody(refusal) {
    const [type, reason] = refusals[refusal]
    return { error: { type, reason }, status: refusalStatus[refusal] }
  },
}

const refusals: Readonly<Record<Refusal, readonly [type: string, reason: string]>> = {
  bad_request: ['illegal_argument_exception', 'malformed task id'],
  unauthorized: ['security_exception', 'unable to authenticate with provided credentials'],
  forbidden: ['security_exception', 'action is unauthorized for API key'],
  not_found: ['resource_not_found_exception', "task isn't running and hasn't stored its results"],
  rate_limited: ['circuit_breaking_exception', 'Data too large'],
  server_error: ['exception', 'internal error'],
  unavailable: ['cluster_block_exception', 'blocked by: [SERVICE_UNAVAILABLE]'],
}
