// Owns how micro.so's Prism API describes an import job, and a small import that it answered inline.
import { z } from 'zod'
import { isTerminal, type ReportedState, tellsOutcome } from '../model/reported-state.ts'
import { keptBody } from './body.ts'
import { type Provider, type RowResult, unknownRows } from './contract.ts'
import { headerText } from './credentials.ts'
import { plainError, readError, readPlainError } from './error-body.ts'
import {
  count,
  fractionOf,
  readFlag,
  readText,
  rows,
  shortened,
  shownCount,
  stateOf,
  text,
  timestamp,
} from './fields.ts'
import { jobIdSegment } from './job-id.ts'
import { parseStatus } from './parse-status.ts'
import { unpublishedSpread } from './polite-defaults.ts'

const credentialsSchema = z.strictObject({ apiKey: headerText })
const settingsSchema = z.strictObject({ teamId: z.guid({ error: 'must be a UUID: the id of the team' }) })

type Credentials = z.infer<typeof credentialsSchema>
type Settings = z.infer<typeof settingsSchema>

const statesByStatus: Readonly<Record<string, ReportedState>> = {
  processing: 'running',
  complete: 'succeeded',
  failed: 'failed',
}

/** `job_id` isn't read: it is null in an inline answer, and repeats the requested id in a poll's. */
const jobSchema = z.object({
  status: text,
  total: shownCount,
  processed: shownCount,
  succeeded: count,
  failed: count,
  error: plainError,
  created_at: timestamp,
  expires_at: timestamp,
  results: rows(rowResult),
})

export const micro: Provider<Credentials, Settings> = {
  name: 'micro',
  defaultBaseUrl: 'https://developers.micro.so',
  credentialsSchema,
  settingsSchema,
  // micro.so publishes 10 requests a second and 1,000 a month for each key. At the ten-second floor, one import of two
  // hours could use most of a month, so the ceiling is high. It keeps jobs for 7 days.
  defaultLimits: {
    requestsPerSecond: 10,
    requestsPerMinute: null,
    requestsPerDay: null,
    requestsPerMonth: 1_000,
    maxInFlight: 5,
    minIntervalMs: 10_000,
    maxIntervalMs: 600_000,
    deadlineMs: 7 * 24 * 60 * 60 * 1_000,
  },
  durationPrior: { medianMs: 120_000, sigma: unpublishedSpread },
  forgetsJobs: true,
  volatileFields: ['/updated_at'],

  statusRequest: ({ jobId, credentials, settings }) => ({
    path: `/v2/prism/${encodeURIComponent(settings.teamId)}/imports/${jobIdSegment(jobId)}`,
    headers: { 'x-api-key': credentials.apiKey },
  }),

  readStatus(body) {
    const { status: job, unreadable } = parseStatus(jobSchema, body)
    const rowResults = job.results ?? []
    const tally = tallyOf(job)
    const state = outcome(stateOf(statesByStatus, job.status), tally)
    const isDone = state === 'succeeded' || state === 'partial'
    const announced = isDone ? announcedRows(tally) : 0
    return {
      report: {
        state,
        providerStatus: shortened(job.status),
        message: shortened(job.error?.message ?? job.error?.code ?? null),
        progress: fractionOf(tally.processed, job.total),
        rows: {
          ...unknownRows,
          total: job.total,
          processed: tally.processed,
          succeeded: job.succeeded,
          failed: tally.failed,
        },
        createdAt: job.created_at,
        startedAt: null,
        finishedAt: null, // no document says that `updated_at` is the end
        expiresAt: job.expires_at,
        body: keptBody(body, [['results']]),
      },
      missing: (tellsOutcome(state) ? unreadable : null) ?? (isDone ? missingIn(tally) : null),
      // The list is unpaged and has no index. Inferred: the position in the array is the row.
      details:
        isTerminal(state) && (rowResults.length > 0 || announced > 0)
          ? { skippedLines: [], rowResults, next: null, ...(announced > rowResults.length && { announced }) }
          : null,
    }
  },

  readError: readPlainError,
}

/** The counts of a job, checked against its results. */
interface Tally extends z.infer<typeof jobSchema> {
  /** The number of results with an error. `failed` is at least as many. */
  refused: number
}

function tallyOf(job: z.infer<typeof jobSchema>): Tally {
  const refused = (job.results ?? []).filter(({ error }) => error !== null).length
  const failed = refused > (job.failed ?? 0) ? refused : job.failed
  return { ...job, failed, processed: job.processed ?? attempted({ ...job, failed }), refused }
}

/**
 * Inferred: `complete` with failed rows is a partial success, and so is one that leaves rows out. If counts and results
 * contradict each other, the one that speaks against success holds.
 */
function outcome(state: ReportedState, job: Tally): ReportedState {
  if (state !== 'succeeded') return state
  return (job.failed ?? 0) > 0 || leavesOut(job) !== null ? 'partial' : 'succeeded'
}

/** Names the count that falls short of the total. Returns null if none does. */
function leavesOut({ total, processed, succeeded, failed }: Tally): string | null {
  if (total === null) return null
  if (processed !== null && processed < total) return `processed is ${processed} of a total of ${total}.`
  const done = succeeded === null ? null : succeeded + (failed ?? 0)
  return done !== null && done < total ? `succeeded and failed are ${done} of a total of ${total}.` : null
}

/**
 * Says what a completed job lacks. The results of all rows can stand in for `failed`. The counts can stand in for
 * `results` if none failed.
 */
function missingIn(job: Tally): string | null {
  const { total, failed, refused, results } = job
  const given = results?.length ?? 0
  if (failed === null && (total === null || results === null || given < total)) return 'failed is missing.'
  const left = leavesOut(job)
  if (left !== null) return left
  if (failed !== null && refused < failed) return `results has ${refused} of ${failed} failed rows.`
  const counted = countedRows(job)
  return results !== null && given < counted ? `results has ${given} of ${counted} rows.` : null
}

/** How many results there should be: one for each row if there is a list, otherwise one for each failed row. */
function announcedRows(job: Tally): number {
  return Math.max(job.results !== null ? countedRows(job) : 0, job.failed ?? 0)
}

function countedRows({ total, processed }: Tally): number {
  return total ?? processed ?? 0
}

/** The published meaning of `processed`: "attempted (succeeded + failed)". */
function attempted({ succeeded, failed }: z.infer<typeof jobSchema>): number | null {
  return succeeded === null || failed === null ? null : succeeded + failed
}

/** A null row keeps its place, because only its place identifies the row. */
function rowResult(row: Readonly<Record<string, unknown>> | null): RowResult {
  return {
    recordId: readText(row?.id),
    created: readFlag(row?.created),
    existing: readFlag(row?.existing),
    error: readError(row?.error),
  }
}
