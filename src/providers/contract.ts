// Owns what a provider has to be able to say. An adapter (cdq.ts, micro.ts, …) is data and pure functions:
// it describes requests and reads answers; client.ts sends them, polling/ and collecting/ decide when.
import type { z } from 'zod'
import type { DefaultLimits } from '../model/limits.ts'
import type { ReportedState } from '../model/reported-state.ts'

/** Counts of rows; null is unknown, which is not 0. */
export interface RowCounts {
  total: number | null
  processed: number | null
  succeeded: number | null
  failed: number | null
  inserted: number | null
  updated: number | null
  skipped: number | null
}

export const unknownRows: RowCounts = {
  total: null,
  processed: null,
  succeeded: null,
  failed: null,
  inserted: null,
  updated: null,
  skipped: null,
}

/** One answer to "is it done, what failed?", in our words. What the provider doesn't say is null. */
export interface Report {
  state: ReportedState
  /** The provider's own word for it. */
  providerStatus: string | null
  /** What the provider says for people. */
  message: string | null
  /** 0 to 1. */
  progress: number | null
  rows: RowCounts
  createdAt: Date | null
  startedAt: Date | null
  finishedAt: Date | null
  /** When the provider will forget the job. */
  expiresAt: Date | null
  /** The answer as it came, less its row lists. */
  body: Record<string, unknown>
}

/** A line of the source file that the provider skipped. */
export interface SkippedLine {
  line: number | null
  column: number | null
}

/** What became of one row. */
export interface RowResult {
  recordId: string | null
  created: boolean | null
  existing: boolean | null
  error: { code: string | null; message: string | null } | null
  /** The item itself, where the provider repeats it. */
  item?: unknown
}

/** Some skipped lines or row results, and how to ask for more. */
export interface DetailPage {
  skippedLines: SkippedLine[]
  rowResults: RowResult[]
  /** The opaque cursor of the next page; null: this was the last one. `firstPage` asks for the first. */
  next: string | null
  /** How many rows the whole list has, as far as this answer says: with fewer, the list isn't whole. */
  announced?: number | null
}

/** The cursor of a first page that no answer has named yet. */
export const firstPage = ''

/** What a status call told us. */
export interface StatusAnswer {
  report: Report
  /**
   * What a report that tells an outcome lacks, or where it contradicts itself, for people (`result.statistics is
   * missing.`); null: it is whole. A success that isn't whole is asked for again before it is believed.
   */
  missing: string | null
  /**
   * Details that came with the status, or where to start asking for them; null: there are none.
   * Read once the import is over, so an adapter gives it for terminal reports alone.
   */
  details: DetailPage | null
}

/** A job as the adapter sees it: everything a request needs. */
export interface Job<Credentials, Settings> {
  jobId: string
  credentials: Credentials
  settings: Settings
}

/** A request below the connection's base URL. */
export interface ProviderRequest {
  /** Starts with `/`; job ids are percent-encoded in it. */
  path: string
  query?: Record<string, string>
  headers: Record<string, string>
}

export interface Provider<Credentials = unknown, Settings = unknown> {
  name: string
  /** Null: every customer has one of its own, so a connection must say it. */
  defaultBaseUrl: string | null
  /** Strict zod objects: what `PUT /v1/connections/{name}` accepts. */
  credentialsSchema: z.ZodType<Credentials>
  settingsSchema: z.ZodType<Settings>
  defaultLimits: DefaultLimits
  /** The provider deletes finished jobs after a while: a 404 on a job seen before means that it has expired. */
  forgetsJobs: boolean
  /** JSON Pointers of what moves in the body with the time alone (`/updated_at`): it makes no report a different one. */
  volatileFields: readonly string[]

  statusRequest(job: Job<Credentials, Settings>): ProviderRequest
  /** @throws {z.ZodError} when the answer isn't of the provider's form at all. */
  readStatus(body: unknown): StatusAnswer

  /**
   * A second call, made when a report is terminal (Zilliant's counts). It refines the report. Until it is had, the
   * status alone isn't whole: `readStatus` says so in `missing`.
   */
  summary?: {
    request(job: Job<Credentials, Settings>): ProviderRequest
    /** @throws {z.ZodError} when the answer isn't of the provider's form at all. */
    read(body: unknown, report: Report): Pick<StatusAnswer, 'report' | 'missing'>
  }

  /**
   * Pages of details after what came with the status, by cursor, wherever the provider keeps them. `firstPage` asks for
   * the first one, also where that came with the status: a list whose cursor is refused is begun anew.
   * `read` gets the cursor that the page was asked with, for providers that count pages and name no next one.
   */
  details?: {
    request(job: Job<Credentials, Settings>, cursor: string): ProviderRequest
    /** @throws {z.ZodError} when the answer isn't a page of the provider's: without its list, it would pass for the last one. */
    read(body: unknown, cursor: string): DetailPage
  }

  /** What an error answer's body says, for `lastError.message`; null where it isn't of the published form. */
  readError(body: unknown): { code: string | null; message: string | null } | null
}
