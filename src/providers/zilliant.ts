// Owns how Zilliant's API describes an entity import: its status, and the report with its counts once it is over.
import { z } from 'zod'
import { isTerminal, type ReportedState } from '../model/reported-state.ts'
import { keptBody } from './body.ts'
import { type Job, type Provider, type Report, unknownRows } from './contract.ts'
import { hostName, jsonObjectText } from './credentials.ts'
import { readPlainError } from './error-body.ts'
import { count, flag, shortened, shownCount, stateOf, text, timestamp } from './fields.ts'
import { jobIdSegment } from './job-id.ts'
import { parseStatus } from './parse-status.ts'
import { politeDefaults, unpublishedSpread } from './polite-defaults.ts'

/** The whole answer of the OAuth token endpoint, as text. Zilliant wants all of it, not its access_token alone. */
const credentialsSchema = z.strictObject({ tokenResponse: jsonObjectText })
const settingsSchema = z.strictObject({ forwardedHost: hostName.optional() })

type Credentials = z.infer<typeof credentialsSchema>
type Settings = z.infer<typeof settingsSchema>

const statesByStatus: Readonly<Record<string, ReportedState>> = {
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
}

const statesByReport: Readonly<Record<string, ReportedState>> = {
  SUCCESS: 'succeeded',
  PARTIAL_SUCCESS: 'partial',
  FAILED: 'failed',
}

/** `entityImportId` repeats the requested id; it stays in `body`. */
const statusSchema = z.object({
  status: text,
  startDate: timestamp,
  stopDate: timestamp,
  clientErrorCallingService: flag,
})

const reportSchema = z.object({ status: text, processedRows: shownCount, failedRows: count, message: text })

const clientErrorMessage = 'A client-side error occurred when calling the service (clientErrorCallingService).'

export const zilliant: Provider<Credentials, Settings> = {
  name: 'zilliant',
  defaultBaseUrl: null,
  credentialsSchema,
  settingsSchema,
  // Zilliant publishes no limits. File imports run for minutes (the published example for six and a half).
  defaultLimits: politeDefaults,
  durationPrior: { medianMs: 120_000, sigma: unpublishedSpread },
  forgetsJobs: false,
  volatileFields: [],

  statusRequest: (job) => importRequest(job, 'status'),

  readStatus(body) {
    const status = statusSchema.parse(body)
    const state = stateOf(statesByStatus, status.status)
    return {
      report: {
        state,
        providerStatus: shortened(status.status),
        message: status.clientErrorCallingService ? clientErrorMessage : null,
        progress: null,
        rows: unknownRows,
        createdAt: null,
        startedAt: status.startDate,
        finishedAt: status.stopDate,
        expiresAt: null,
        body: keptBody(body),
      },
      missing: isTerminal(state) ? 'its report is missing.' : null,
      details: null, // the error file has no published format
    }
  },

  summary: {
    request: (job) => importRequest(job, 'report'),
    read(body, report) {
      const { status: summary, unreadable } = parseStatus(reportSchema, body)
      const messages = [summary.message, report.message].filter((message) => message !== null)
      const refined = {
        ...report,
        state: worse(report.state, summary),
        message: shortened(messages.join(' ') || null),
        rows: { ...report.rows, ...countsOf(summary) },
        body: { ...report.body, report: keptBody(body) },
      }
      return { report: refined, missing: unreadable ?? missingIn(summary) }
    },
  },

  readError: readPlainError,
}

function importRequest({ jobId, credentials, settings }: Job<Credentials, Settings>, what: 'status' | 'report') {
  const token = Buffer.from(credentials.tokenResponse, 'utf8').toString('base64')
  return {
    path: `/v1/EntityImport/${jobIdSegment(jobId)}/${what}`,
    headers: {
      authorization: `OAuth ${token}`,
      ...(settings.forwardedHost !== undefined && { 'x-forwarded-host': settings.forwardedHost }),
    },
  }
}

/**
 * A summary without an end is no report yet. For a success one count is enough, because `failedRows` is published as
 * absent then.
 */
function missingIn({ status, processedRows, failedRows }: z.infer<typeof reportSchema>): string | null {
  const state = stateOf(statesByReport, status)
  if (state === 'unmapped') return `its report has the status ${status ?? 'null'}, which tells no end.`
  if (state === 'partial' && failedRows === null) return 'failedRows of its report is missing.'
  return state === 'succeeded' && processedRows === null && failedRows === null
    ? 'processedRows of its report is missing.'
    : null
}

/**
 * The vendor's page of the report: `processedRows` is the "number of rows processed successfully", absent if the import
 * failed, and `failedRows` is absent if it succeeded. We count both as processed.
 */
function countsOf({ processedRows, failedRows }: z.infer<typeof reportSchema>) {
  const processed = processedRows === null && failedRows === null ? null : (processedRows ?? 0) + (failedRows ?? 0)
  return { processed, succeeded: processedRows, failed: failedRows }
}

/**
 * PARTIAL_SUCCESS is partial whatever the status said. Inferred: SUCCESS with failed rows is partial, too. If status
 * and report contradict each other, the worse one holds.
 */
function worse(state: Report['state'], { status, failedRows }: z.infer<typeof reportSchema>): ReportedState {
  const reported = stateOf(statesByReport, status)
  if (reported === 'partial' || (state === 'succeeded' && reported === 'failed')) return reported
  return state === 'succeeded' && (failedRows ?? 0) > 0 ? 'partial' : state
}
