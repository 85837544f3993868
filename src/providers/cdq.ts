// Owns how CDQ's Data Exchange API describes an import job (Poll Import Job, version 5).
import { z } from 'zod'
import { isTerminal, type ReportedState, tellsOutcome } from '../model/reported-state.ts'
import { keptBody } from './body.ts'
import { type DetailPage, firstPage, type Job, type Provider, type SkippedLine, unknownRows } from './contract.ts'
import { headerText } from './credentials.ts'
import {
  count,
  percentage,
  readPosition,
  requiredRows,
  rows,
  shortened,
  shownCount,
  stateOf,
  text,
  timestamp,
} from './fields.ts'
import { jobIdSegment } from './job-id.ts'
import { parseStatus } from './parse-status.ts'
import { politeDefaults, unpublishedSpread } from './polite-defaults.ts'

const credentialsSchema = z.strictObject({ apiKey: headerText })
const settingsSchema = z.strictObject({})

type Credentials = z.infer<typeof credentialsSchema>
type Settings = z.infer<typeof settingsSchema>

const statesByStatus: Readonly<Record<string, ReportedState>> = {
  CREATED: 'queued',
  PERSISTED: 'queued',
  SCHEDULED: 'queued',
  WAITING: 'queued',
  RUNNING: 'running',
  FINISHED: 'succeeded',
  FAILED: 'failed',
  DIED: 'failed',
  COULDNT_START: 'failed',
  CANCELED: 'canceled', // also "due to invalid input configuration", as statusMessage says
  ARCHIVED: 'archived', // inferred: over, and its outcome is no longer available
  UNKNOWN: 'unknown', // inferred: no news, so the state stays and polling continues
}

const statisticsSchema = z.object({
  numberOfInserts: shownCount,
  numberOfUpdates: shownCount,
  numberOfFailed: count,
  skipped: rows(skippedLine),
  /** Opaque, although it looks like a line number. */
  skippedNextStartAfter: text,
})

/** The fields that the report is built from. Every other published field (name, storageId, …) stays in its `body`. */
const jobSchema = z.object({
  status: text,
  statusMessage: text,
  progress: percentage,
  createdAt: timestamp,
  /** May be absent until the job ends. */
  result: z.object({ statistics: statisticsSchema.nullish() }).nullish(),
})

/** A page repeats the whole job. Its list is required: without it the last page would look like a broken one. */
const pageSchema = z.object({
  result: z.object({
    statistics: z.object({ skipped: requiredRows(skippedLine), skippedNextStartAfter: text }),
  }),
})

const errorSchema = z.object({
  status: z.object({
    code: text,
    technicalKey: text,
    details: z.array(z.object({ message: text })).nullish(),
  }),
})

export const cdq: Provider<Credentials, Settings> = {
  name: 'cdq',
  defaultBaseUrl: 'https://api.cdq.com/data-exchange/rest',
  credentialsSchema,
  settingsSchema,
  // No limits are published. Jobs run for minutes to hours.
  defaultLimits: politeDefaults,
  durationPrior: { medianMs: 60_000, sigma: unpublishedSpread },
  forgetsJobs: false, // jobs are ARCHIVED instead
  volatileFields: ['/modifiedAt'],

  statusRequest: (job) => jobRequest(job),

  readStatus(body) {
    const { status: job, unreadable } = parseStatus(jobSchema, body)
    const statistics = job.result?.statistics
    const page = detailPage(statistics)
    const hasSkipped = page.skippedLines.length > 0 || page.next !== null
    const state = outcome(stateOf(statesByStatus, job.status), (statistics?.numberOfFailed ?? 0) > 0 || hasSkipped)
    const isOver = isTerminal(state)
    return {
      report: {
        state,
        providerStatus: shortened(job.status),
        message: shortened(job.statusMessage),
        progress: job.progress,
        rows: {
          ...unknownRows,
          inserted: statistics?.numberOfInserts ?? null,
          updated: statistics?.numberOfUpdates ?? null,
          failed: statistics?.numberOfFailed ?? null,
          // The answer holds the first page of skipped lines. It is their number only if the job is over and no page
          // follows.
          skipped: isOver && statistics?.skipped && page.next === null ? page.skippedLines.length : null,
        },
        createdAt: job.createdAt,
        startedAt: null,
        finishedAt: null, // `modifiedAt` also changes when a finished job is archived
        expiresAt: null,
        body: keptBody(body, [['result', 'statistics', 'skipped']]),
      },
      missing: tellsOutcome(state) ? (unreadable ?? missingIn(state, statistics)) : null,
      // Without its lines the page can't be gone on from, so the list is asked for from its beginning.
      details: isOver && hasSkipped ? (statistics?.skipped ? page : { ...page, next: firstPage }) : null,
    }
  },

  details: {
    request: (job, cursor) => ({ ...jobRequest(job), ...(cursor !== '' && { query: { skippedStartAfter: cursor } }) }),
    read: (body) => detailPage(pageSchema.parse(body).result.statistics),
  },

  readError(body) {
    const { data } = errorSchema.safeParse(body)
    if (!data) return null
    const messages = (data.status.details ?? []).map(({ message }) => message).filter((message) => message !== null)
    return { code: data.status.technicalKey ?? data.status.code, message: messages.join('; ') || null }
  },
}

function jobRequest({ jobId, credentials }: Job<Credentials, Settings>) {
  return { path: `/jobs/importjobs/${jobIdSegment(jobId)}`, headers: { 'x-api-key': credentials.apiKey } }
}

/** Without these counts, success and partial success can't be told apart. */
function missingIn(
  state: ReportedState,
  statistics: z.infer<typeof statisticsSchema> | null | undefined,
): string | null {
  if (state !== 'succeeded' && state !== 'partial') return null
  if (!statistics) return 'result.statistics is missing.'
  return statistics.numberOfFailed === null ? 'result.statistics.numberOfFailed is missing.' : null
}

/** Inferred: FINISHED with failed partners or skipped lines is a partial success. */
function outcome(state: ReportedState, hasLosses: boolean): ReportedState {
  return state === 'succeeded' && hasLosses ? 'partial' : state
}

function skippedLine(line: Readonly<Record<string, unknown>> | null): SkippedLine {
  return { line: readPosition(line?.line), column: readPosition(line?.column) }
}

function detailPage(
  statistics: Pick<z.infer<typeof statisticsSchema>, 'skipped' | 'skippedNextStartAfter'> | null | undefined,
): DetailPage {
  return {
    skippedLines: statistics?.skipped ?? [],
    rowResults: [],
    next: statistics?.skippedNextStartAfter ?? null,
  }
}
