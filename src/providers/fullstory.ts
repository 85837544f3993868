// Owns how FullStory's API describes a batch import of events or users, and its failed items.
import { z } from 'zod'
import { isTerminal, type ReportedState, tellsOutcome } from '../model/reported-state.ts'
import { keptBody, keptJson, refusal } from './body.ts'
import { firstPage, type Job, type Provider, type RowResult, unknownRows } from './contract.ts'
import { headerText } from './credentials.ts'
import { readPlainError } from './error-body.ts'
import { count, isObject, readText, rows, shortened, shownCount, stateOf, text, timestamp } from './fields.ts'
import { jobIdSegment } from './job-id.ts'
import { parseStatus } from './parse-status.ts'
import { politeDefaults, unpublishedSpread } from './polite-defaults.ts'

const credentialsSchema = z.strictObject({ apiKey: headerText })
const settingsSchema = z.strictObject({
  resource: z.enum(['events', 'users'], { error: 'must be "events" or "users"' }).optional(),
})

type Credentials = z.infer<typeof credentialsSchema>
type Settings = z.infer<typeof settingsSchema>

const statesByStatus: Readonly<Record<string, ReportedState>> = {
  PROCESSING: 'running',
  COMPLETED: 'succeeded',
  FAILED: 'failed',
}

/** `job.id` repeats the requested id; it stays in `body`. */
const batchSchema = z.object({
  imports: count,
  errors: count,
  job: z.object({ status: text, created: timestamp, finished: timestamp }).nullish(),
})

const errorsSchema = z.object({ results: rows(rowResult), total_records: shownCount, next_page_token: text })

export const fullstory: Provider<Credentials, Settings> = {
  name: 'fullstory',
  defaultBaseUrl: 'https://api.fullstory.com',
  credentialsSchema,
  settingsSchema,
  // FullStory has a limit (429) but publishes no number: so few in flight, and `Retry-After` does the rest.
  defaultLimits: politeDefaults,
  durationPrior: { medianMs: 60_000, sigma: unpublishedSpread },
  forgetsJobs: false,
  volatileFields: [],

  statusRequest: (job) => batchRequest(job),

  readStatus(body) {
    const { status: batch, unreadable } = parseStatus(batchSchema, body)
    const status = batch.job?.status ?? null
    const state = outcome(stateOf(statesByStatus, status), batch)
    return {
      report: {
        state,
        providerStatus: shortened(status),
        message: null,
        progress: null,
        rows: {
          ...unknownRows,
          succeeded: batch.imports,
          failed: unreadable === null ? failedItems(state, batch) : batch.errors,
        },
        createdAt: batch.job?.created ?? null,
        startedAt: null,
        finishedAt: batch.job?.finished ?? null,
        expiresAt: null,
        body: keptBody(body),
      },
      missing: tellsOutcome(state) ? (unreadable ?? missingIn(state, batch)) : null,
      // FullStory refuses the errors while the job is processing. A job without failures has none.
      details:
        isTerminal(state) && state !== 'succeeded'
          ? { skippedLines: [], rowResults: [], next: firstPage, announced: batch.errors }
          : null,
    }
  },

  details: {
    request(job, cursor) {
      const request = batchRequest(job)
      return {
        ...request,
        path: `${request.path}/errors`,
        ...(cursor !== firstPage && { query: { page_token: cursor } }),
      }
    },
    read(body, cursor) {
      const page = errorsSchema.parse(body)
      if (page.results === null && !isEmptyList(body, cursor)) throw refusal('must be a list of objects', ['results'])
      return {
        skippedLines: [],
        rowResults: page.results ?? [],
        next: page.next_page_token,
        announced: page.total_records,
      }
    },
  },

  readError: readPlainError,
}

function batchRequest({ jobId, credentials, settings }: Job<Credentials, Settings>) {
  return {
    path: `/v2/${settings.resource ?? 'events'}/batch/${jobIdSegment(jobId)}`,
    headers: { authorization: `Basic ${credentials.apiKey}` }, // the key as issued, not encoded again
  }
}

/** FAILED covers partial failure: some imports make it partial. Inferred: errors of a COMPLETED job do, too. */
function outcome(state: ReportedState, { imports, errors }: z.infer<typeof batchSchema>): ReportedState {
  if (state === 'failed') return (imports ?? 0) > 0 ? 'partial' : 'failed'
  return state === 'succeeded' && (errors ?? 0) > 0 ? 'partial' : state
}

/** "Only included for failed imports": absent means 0 if a completed job has `imports`. Otherwise it is unknown. */
function failedItems(state: ReportedState, { imports, errors }: z.infer<typeof batchSchema>): number | null {
  return errors ?? (state === 'succeeded' && imports !== null ? 0 : null)
}

/**
 * Without `imports`, a failed job may have failed in part or as a whole. Without `errors`, FAILED doesn't say how much
 * failed.
 */
function missingIn(state: ReportedState, { imports, errors }: z.infer<typeof batchSchema>): string | null {
  if (imports === null) return 'imports is missing.'
  return state !== 'succeeded' && errors === null ? 'errors is missing.' : null
}

/** Returns true if a first page says nothing else: servers leave out empty fields, so it is an empty list. */
function isEmptyList(body: unknown, cursor: string): boolean {
  if (cursor !== firstPage || !isObject(body)) return false
  return Object.entries(body).every(([field, value]) => field === 'total_records' || value === null || value === '')
}

/** Reads a failed item with the user's own id (`uid`): of the user that the item is, or that the event is about. */
function rowResult(failure: Readonly<Record<string, unknown>> | null): RowResult {
  const { message, code, event, user } = failure ?? {}
  const item = keptJson(event ?? user ?? null)
  return {
    recordId: uidOf(user) ?? (isObject(event) ? uidOf(event.user) : null),
    created: null,
    existing: null,
    error: { code: readText(code), message: readText(message) },
    ...(item !== null && { item }),
  }
}

function uidOf(user: unknown): string | null {
  return isObject(user) ? readText(user.uid) : null
}
