// Owns Algolia's side: `GET /1/indexes/{index}/task/{taskID}`, which tells only whether a task is done.
import { randomInt } from 'node:crypto'
import { momentAt } from '../timeline.ts'
import { ok, type Refusal, refusalStatus } from '../vendor.ts'
import { after, call, type DocumentVendor } from './form.ts'

export const algolia: DocumentVendor = {
  words: {
    queued: [],
    running: 'notPublished',
    outcomes: { succeeded: 'published' },
    over: new Set(['published']),
  },
  shape: { holder: null, required: ['status'] },
  keepsForMs: null,
  newJobId: () => String(randomInt(1_000_000, 1_000_000_000)),
  credentials: (name) => ({ appId: 'SANDBOX', apiKey: `${name}-algolia-key` }),
  settings: { index: 'products' },

  readCall(segments) {
    const found = after(segments, '1', 'indexes', 'products', 'task')
    return found && found.rest.length === 0 ? call('status', found.id) : null
  },

  authorise: ({ credentials }, headers) =>
    headers['x-algolia-api-key'] === credentials.apiKey && headers['x-algolia-application-id'] === credentials.appId
      ? 'ok'
      : 'unauthorized',

  answer: (job, _call, elapsedMs) => ok({ status: momentAt(job.script, algolia.words, elapsedMs).status }),

  refusalBody: (refusal) => ({ message: messages[refusal], status: refusalStatus[refusal] }),
}

const messages: Readonly<Record<Refusal, string>> = {
  bad_request: 'Invalid task id',
  unauthorized: 'Invalid Application-ID or API key',
  forbidden: 'Method not allowed with this API key',
  not_found: 'Task does not exist',
  rate_limited: 'Too many requests',
  server_error: 'Internal error',
  unavailable: 'Service unavailable',
}
