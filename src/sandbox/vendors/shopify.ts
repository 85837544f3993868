// Owns Shopify's side: the bulk operation by GraphQL, and the file with its lines. It tells errors with 200.
import { randomInt } from 'node:crypto'
import { type Json, RowText } from '../json.ts'
import { isOneOf } from '../rows.ts'
import { type Counters, momentAt } from '../timeline.ts'
import { type Answer, isoSecondsAfter, type Job, ok, type Refusal } from '../vendor.ts'
import { call, type DocumentVendor, isSigned, signedUrl } from './form.ts'

const restoreRate = 100

export const shopify: DocumentVendor = {
  words: {
    queued: ['CREATED'],
    running: 'RUNNING',
    outcomes: {
      succeeded: 'COMPLETED',
      partial: 'COMPLETED',
      failed: 'FAILED',
      canceled: 'CANCELED',
      archived: 'EXPIRED',
    },
    over: new Set(['COMPLETED', 'FAILED', 'CANCELED', 'EXPIRED']),
  },
  shape: { holder: 'data', required: ['bulkOperation'] },
  keepsForMs: null,
  newJobId: () => `gid://shopify/BulkOperation/${randomInt(1_000_000, 1_000_000_000)}`,
  credentials: (name) => ({ accessToken: `shpat_${name}` }),

  readCall(segments, query, post) {
    if (post === null && isSigned(segments, query)) return call('details', segments[1] ?? '')
    const isGraphql = segments[0] === 'admin' && segments[1] === 'api' && segments[3] === 'graphql.json'
    const id = isGraphql && post !== null ? idIn(post) : null
    return id === null ? null : call('status', id)
  },

  // The file's URL is signed: it takes no header.
  authorise: ({ credentials }, headers, { kind }) =>
    kind === 'details' || headers['x-shopify-access-token'] === credentials.accessToken ? 'ok' : 'unauthorized',

  answer(job, { kind, origin }, elapsedMs) {
    const moment = momentAt(job.script, shopify.words, elapsedMs)
    const { counters, status, finishedAfterMs } = moment
    if (kind === 'details') {
      if (!moment.over || counters === null) return 'not_found'
      const { processed, failed } = counters
      return {
        ...ok(new RowText(processed, '', (row) => `${JSON.stringify(lineOf(row, isOneOf(row, failed, processed)))}\n`)),
        headers: { 'content-type': 'application/jsonl' },
      }
    }
    const isThere = status === 'COMPLETED' && counters !== null && counters.processed > 0
    return answered({
      id: job.jobId,
      type: 'MUTATION',
      status,
      errorCode: status === 'FAILED' ? 'INTERNAL_SERVER_ERROR' : null,
      createdAt: isoSecondsAfter(job, 0),
      completedAt: status === 'COMPLETED' && finishedAfterMs !== null ? isoSecondsAfter(job, finishedAfterMs) : null,
      objectCount: String(counters?.processed ?? 0),
      rootObjectCount: String(counters?.processed ?? 0),
      fileSize: isThere ? String(bytesOf(job, counters)) : null,
      url: isThere ? signedUrl('shopify', job.jobId, origin) : null,
      partialDataUrl: null,
    })
  },

  refusalBody: (refusal) => ({ errors: messages[refusal] }),
  refuse(refusal, { waitS }) {
    if (refusal === 'not_found') return answered(null)
    if (refusal !== 'rate_limited') return null
    const error = { message: 'Throttled', extensions: { code: 'THROTTLED' } }
    return ok({ errors: [error], extensions: cost((waitS ?? 1) * restoreRate) })
  },
}

function idIn(post: string): string | null {
  try {
    const { variables } = JSON.parse(post)
    return typeof variables?.id === 'string' ? variables.id : null
  } catch {
    return null
  }
}

function answered(bulkOperation: Json): Answer {
  return ok({ data: { bulkOperation }, extensions: cost(1) })
}

/** What a query costs, of the points that come back at `restoreRate` a second. */
function cost(requestedQueryCost: number): Json {
  const currentlyAvailable = requestedQueryCost > 1 ? 0 : 1_999
  return { cost: { requestedQueryCost, throttleStatus: { maximumAvailable: 2_000, currentlyAvailable, restoreRate } } }
}

const sizes = new WeakMap<Job, number>()

/** Returns the length of the file, which is counted once: the vendor announces it with each answer. */
function bytesOf(job: Job, { processed, failed }: Counters): number {
  let bytes = sizes.get(job)
  if (bytes !== undefined) return bytes
  // The lines differ in their numbers' digits alone.
  const [right, wrong] = [false, true].map((isFailed) => JSON.stringify(lineOf(0, isFailed)).length + 1)
  bytes = 0
  for (let row = 0; row < processed; row++) {
    const isFailed = isOneOf(row, failed, processed)
    bytes += (isFailed ? Number(wrong) : Number(right) + String(row + 1).length - 1) + String(row).length - 1
  }
  sizes.set(job, bytes)
  return bytes
}

function lineOf(row: number, isFailed: boolean) {
  const userErrors = isFailed ? [{ field: ['input', 'title'], message: "Title can't be blank" }] : []
  const product = isFailed ? null : { id: `gid://shopify/Product/${row + 1}` }
  return { data: { productCreate: { product, userErrors } }, __lineNumber: row }
}

const messages: Readonly<Record<Refusal, string>> = {
  bad_request: 'Bad request',
  unauthorized: '[API] Invalid API key or access token (unrecognized login or wrong password)',
  forbidden: 'Access denied',
  not_found: 'Not Found',
  rate_limited: 'Throttled',
  server_error: 'Internal error',
  unavailable: 'Service unavailable',
}
