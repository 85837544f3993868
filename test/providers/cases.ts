// Owns what the conformance suite has to know of each provider: an account, answers, and what its requests look like.
import { readFileSync } from 'node:fs'
import type { ReportedState } from '../../src/model/reported-state.ts'
import type { ProviderErrorKind } from '../../src/providers/error.ts'
import type { ProviderName } from '../../src/providers/index.ts'

export interface ErrorAnswer {
  status: number
  body: unknown
  kind: ProviderErrorKind
  code: string | null
  message: string
}

export interface ProviderCase {
  credentials: unknown
  settings: unknown
  /** A credential that is sent as it is, and where in `credentials` it is. */
  headerCredential: string | null
  /** The status request's path around the encoded job id. */
  path: (segment: string) => string
  headers: Record<string, string>
  /** The vendor's own example answer, and what it means. */
  example: unknown
  exampleState: ReportedState
  /** Another full answer in which the job goes on, with every number a number. */
  running: Record<string, unknown>
  /** The answer with another status. */
  withStatus: (status: unknown) => Record<string, unknown>
  /** An answer that says that all went well, and nothing else. */
  bareSuccess: Record<string, unknown>
  /** Where its row list is, if it has one. */
  rowList: string[] | null
  errors: ErrorAnswer[]
}

export function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8'))
}

const cdqJob = fixture('cdq-job') as Record<string, unknown>
const microImport = fixture('micro-import') as Record<string, unknown>
const zilliantImport = fixture('zilliant-succeeded') as Record<string, unknown>
const fullstoryBatch = fixture('fullstory-batch') as Record<string, unknown>

const tokenResponse =
  '{ "access_token":"00Dxx0000001gPL!AR8AQ", "instance_url":"https://example.my.salesforce.com","token_type":"Bearer" }'
const teamId = '5b1c4bd8-6c1e-4b7c-8f0a-2f1f6f1a9d10'

const kinds: Record<number, ProviderErrorKind> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  429: 'rate_limited',
  500: 'server_error',
  503: 'server_error',
}

function kindOf(status: number): ProviderErrorKind {
  const kind = kinds[status]
  if (!kind) throw new TypeError(`No kind for ${status}.`)
  return kind
}

/** An error body for which no form is published: the plain one is assumed. */
function plainError(status: number, code: string, wrap = false): ErrorAnswer {
  const error = { code, message: `Something about ${code}.` }
  return { status, body: wrap ? { error } : error, kind: kindOf(status), ...error }
}

function cdqError(status: number, technicalKey: string): ErrorAnswer {
  const details = [
    { id: '1', message: `First of ${technicalKey}` },
    { id: '2', message: 'second' },
  ]
  return {
    status,
    body: { status: { code: status, technicalKey, details } },
    kind: kindOf(status),
    code: technicalKey,
    message: `First of ${technicalKey}; second`,
  }
}

export const cases: Record<ProviderName, ProviderCase> = {
  cdq: {
    credentials: { apiKey: 'cdq-secret-key' },
    settings: {},
    headerCredential: 'apiKey',
    path: (segment) => `/jobs/importjobs/${segment}`,
    headers: { 'x-api-key': 'cdq-secret-key' },
    example: cdqJob,
    exampleState: 'running',
    running: {
      ...cdqJob,
      progress: 77,
      result: {
        statistics: {
          numberOfInserts: 10,
          numberOfUpdates: 20,
          numberOfFailed: 30,
          skipped: [{ line: 10, column: 11 }],
          skippedStartAfter: '10',
          skippedNextStartAfter: '20',
        },
      },
    },
    withStatus: (status) => ({ ...cdqJob, status }),
    bareSuccess: { status: 'FINISHED' },
    rowList: ['result', 'statistics', 'skipped'],
    errors: [
      cdqError(400, 'BAD_REQUEST'),
      cdqError(401, 'UNAUTHORIZED'),
      cdqError(404, 'NOT_FOUND'),
      cdqError(429, 'TOO_MANY_REQUESTS'),
      cdqError(500, 'INTERNAL_SERVER_ERROR'),
      cdqError(503, 'SERVICE_UNAVAILABLE'),
    ],
  },
  micro: {
    credentials: { apiKey: 'micro-secret-key' },
    settings: { teamId },
    headerCredential: 'apiKey',
    path: (segment) => `/v2/prism/${teamId}/imports/${segment}`,
    headers: { 'x-api-key': 'micro-secret-key' },
    example: microImport,
    exampleState: 'partial', // its counts say 0 rows, its one result has an error
    running: { ...microImport, status: 'processing', total: 200, processed: 50, succeeded: 45, failed: 5, results: [] },
    withStatus: (status) => ({ ...microImport, status }),
    bareSuccess: { status: 'complete' },
    rowList: ['results'],
    errors: [
      plainError(400, 'bad_request', true),
      plainError(401, 'no_key'),
      plainError(403, 'wrong_key', true),
      plainError(404, 'not_found', true),
      plainError(429, 'rate_limited'),
      plainError(500, 'internal'),
    ],
  },
  zilliant: {
    credentials: { tokenResponse },
    settings: { forwardedHost: 'example.my.salesforce.com' },
    headerCredential: null,
    path: (segment) => `/v1/EntityImport/${segment}/status`,
    headers: {
      authorization: `OAuth ${Buffer.from(tokenResponse).toString('base64')}`,
      'x-forwarded-host': 'example.my.salesforce.com',
    },
    example: zilliantImport,
    exampleState: 'succeeded',
    running: { ...zilliantImport, status: 'RUNNING', stopDate: null },
    withStatus: (status) => ({ ...zilliantImport, status }),
    bareSuccess: { status: 'SUCCEEDED' },
    rowList: null,
    errors: [plainError(400, 'bad_request'), plainError(401, 'expired'), plainError(404, 'not_found', true)],
  },
  fullstory: {
    credentials: { apiKey: 'na1.fullstory-secret-key' },
    settings: {},
    headerCredential: 'apiKey',
    path: (segment) => `/v2/events/batch/${segment}`,
    headers: { authorization: 'Basic na1.fullstory-secret-key' },
    example: fullstoryBatch,
    exampleState: 'partial',
    running: { ...fullstoryBatch, job: { ...(fullstoryBatch.job as object), status: 'PROCESSING', finished: null } },
    withStatus: (status) => ({ ...fullstoryBatch, job: { ...(fullstoryBatch.job as object), status } }),
    bareSuccess: { job: { status: 'COMPLETED' } },
    rowList: null,
    errors: (fixture('fullstory-errors') as { status: number; body: { code: string; message: string } }[]).map(
      ({ status, body }) => ({ status, body, kind: kindOf(status), ...body }),
    ),
  },
}
