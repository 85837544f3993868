// Owns CDQ's side: `GET /jobs/importjobs/{jobId}`, whose status holds the pages of skipped lines.
import { randomUUID } from 'node:crypto'
import { type JsonObject, RowList } from './json.ts'
import type { Script } from './script.ts'
import { momentAt } from './timeline.ts'
import { isoSecondsAfter, lastCursorOf, ok, type Refusal, refusalStatus, type Vendor } from './vendor.ts'

export const cdq: Vendor<'cdq'> = {
  words: {
    queued: ['SCHEDULED', 'WAITING'],
    running: 'RUNNING',
    outcomes: {
      succeeded: 'FINISHED',
      partial: 'FINISHED',
      failed: 'FAILED',
      canceled: 'CANCELED',
      died: 'DIED',
      couldnt_start: 'COULDNT_START',
      archived: 'ARCHIVED',
    },
    over: new Set(['FINISHED', 'FAILED', 'CANCELED', 'DIED', 'COULDNT_START', 'ARCHIVED']),
  },
  shape: { holder: null, required: ['id', 'status'] },
  keepsForMs: null,
  newJobId: randomUUID,

  readCall(segments, query) {
    const [jobs, importJobs, jobId, ...rest] = segments
    if (jobs !== 'jobs' || importJobs !== 'importjobs' || jobId === undefined || rest.length > 0) return null
    const cursor = query.get('skippedStartAfter') || null
    return { kind: cursor === null ? 'status' : 'details', jobId, cursor, scope: null }
  },

  authorise(account, headers) {
    return headers['x-api-key'] === account.credentials.apiKey ? 'ok' : 'unauthorized'
  },

  answer(job, { cursor }, elapsedMs) {
    const { jobId, script } = job
    const moment = momentAt(script, cdq.words, elapsedMs)
    const page = skippedPage(script, cursor)
    if (page === null) return 'bad_request'
    const { counters } = moment
    const hasWorked = counters !== null && (counters.processed > 0 || script.skippedLines > 0)
    const hasResult = moment.over && counters !== null && (hasWorked || moment.status === 'FINISHED')
    return ok({
      id: jobId,
      name: script.name,
      description: 'I started this job to improve quality of our data.',
      createdBy: '76248934691294444',
      createdAt: isoSecondsAfter(job, 0),
      modifiedAt: isoSecondsAfter(job, moment.changedAfterMs),
      progress: moment.progress ?? undefined,
      status: moment.status,
      statusMessage: moment.message ?? defaultMessages[moment.status],
      storageId: '72d6900fce6b326088f5d9d91049e3e6',
      dataSource: '648824a691d8d2503d65103e',
      dataMapperDefinitionId: '6440dba32b30176c5917b1b7',
      dataTransformationDefinitionId: 'SAP.ODM',
      externalIdColumn: 'BP_EXTERNAL_ID',
      featureOn: ['UPSERT_BY_EXTERNAL_ID'],
      result: hasResult
        ? {
            statistics: {
              numberOfInserts: counters.inserted,
              numberOfUpdates: counters.updated,
              numberOfFailed: counters.failed,
              ...page,
            },
          }
        : undefined,
      domain: 'BusinessPartner',
    })
  },

  // The form is published. The vendor's list of codes shows that a code is the HTTP status with five zeros.
  refusalBody(refusal) {
    const code = refusalStatus[refusal] * 100_000
    return {
      status: {
        code,
        technicalKey: technicalKeys[refusal],
        details: [{ id: code * 10, message: refusalMessages[refusal] }],
      },
    }
  },
}

/**
 * Returns a page of skipped lines, which are 10, 20, 30 …. A cursor is the line that a page starts with, as in the
 * vendor's example. Returns null if the cursor names no skipped line.
 */
function skippedPage(script: Script, cursor: string | null): JsonObject | null {
  const { skippedLines, pageSize } = script
  const start = cursor === null ? 0 : /^\d{1,15}$/.test(cursor) ? Number(cursor) / 10 - 1 : -1
  if (cursor !== null && (!Number.isInteger(start) || start < 0 || start >= skippedLines)) return null
  const end = Math.min(start + pageSize, skippedLines)
  return {
    skipped: new RowList(end - start, (row) => ({
      line: lineOf(start + row),
      column: 1 + ((7 * (start + row) + 9) % 40),
    })),
    skippedStartAfter: skippedLines > 0 ? String(lineOf(start)) : undefined,
    skippedNextStartAfter: end < skippedLines ? String(lineOf(end)) : lastCursorOf(script, cursor),
  }
}

function lineOf(index: number): number {
  return 10 * (index + 1)
}

const defaultMessages: Readonly<Record<string, string>> = {
  FAILED: 'The job failed because storage is empty.',
  CANCELED: 'The job was canceled due to invalid input configuration.',
  DIED: 'The job died unexpectedly.',
  COULDNT_START: 'The job could not be started.',
}

const technicalKeys: Readonly<Record<Refusal, string>> = {
  bad_request: 'BAD_REQUEST',
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  not_found: 'NOT_FOUND',
  rate_limited: 'TOO_MANY_REQUESTS',
  server_error: 'INTERNAL_SERVER_ERROR',
  unavailable: 'SERVICE_UNAVAILABLE',
}

const refusalMessages: Readonly<Record<Refusal, string>> = {
  bad_request: 'Bad Request, invalid input provided.',
  unauthorized: 'Authentication is required and has failed.',
  forbidden: 'Access is not allowed.',
  not_found: 'The requested resource was not found.',
  rate_limited: 'Too many requests, try again later.',
  server_error: 'Request failed due to an internal server error.',
  unavailable: 'Service is currently unavailable.',
}
