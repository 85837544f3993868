// Owns the contract of a provider's adapter. An adapter (cdq.ts, micro.ts, …) is data and pure functions: it describes
// requests and reads answers. client.ts sends them; polling/ and collecting/ decide when.
import type { z } from 'zod'
import type { DefaultLimits } from '../model/limits.ts'
import type { ReportedState } from '../model/reported-state.ts'
import type { ProviderError, ProviderErrorKind } from './error.ts'
import type { FileForm } from './files/read-file.ts'
import type { JobIdForm } from './job-id.ts'

/** Counts of rows. Null is unknown, which differs from 0. */
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

/** One status answer in our words. Null: the provider doesn't say. */
export interface Report {
  state: ReportedState
  /** The provider's own word for the state. */
  providerStatus: string | null
  /** The provider's text for people. */
  message: string | null
  /** 0 to 1. */
  progress: number | null
  rows: RowCounts
  createdAt: Date | null
  startedAt: Date | null
  finishedAt: Date | null
  /** When the provider will forget the job. */
  expiresAt: Date | null
  /** The answer without its row lists. */
  body: Record<string, unknown>
}

/** A line of the source file that the provider skipped. */
export interface SkippedLine {
  line: number | null
  column: number | null
}

/** The result of one row. */
export interface RowResult {
  recordId: string | null
  created: boolean | null
  existing: boolean | null
  error: { code: string | null; message: string | null } | null
  /** Where the row is in the source file. Absent: the provider never says. */
  line?: number | null
  column?: number | null
  /** The item itself, if the provider repeats it. */
  item?: unknown
}

/** Some skipped lines or row results, and the cursor of the next ones. */
export interface DetailPage {
  skippedLines: SkippedLine[]
  rowResults: RowResult[]
  /** The opaque cursor of the next page. Null: this was the last one. */
  next: string | null
  /** Of several lists, where the one behind this begins, which is read if `next` was used before. Absent: there is none. */
  behind?: string
  /** How many rows the whole list has, if this answer says so. A list with fewer rows is incomplete. */
  announced?: number | null
}

/** Asks for the first page, whose cursor no answer has named yet. */
export const firstPage = ''

/** The content of a status answer. */
export interface StatusAnswer {
  report: Report
  /**
   * The gap or contradiction in a report with an outcome, for people (`result.statistics is missing.`).
   * Null: it is complete. Polling asks again before it believes an incomplete success.
   */
  missing: string | null
  /**
   * Details that came with the status, or where to start asking for them. Null: there are none. Adapters give details
   * for terminal reports alone, because collecting begins once the import is over.
   */
  details: DetailPage | null
  /**
   * True: only the rows tell how the import ended ({@link Provider.outcomeOfRows}), so that it isn't over before they
   * are read.
   */
  awaitsRows?: boolean
  /**
   * Where the next poll goes: a URL below the base URL, or the rest of one. Null: as before. Absent: the provider never
   * says.
   */
  pollUrl?: string | null
}

/** How many rows of a job are stored, and how many of them have failed. */
export interface RowsRead {
  rows: number
  failed: number
}

/** A job with everything that a request needs. */
export interface Job<Credentials, Settings> {
  jobId: string
  credentials: Credentials
  settings: Settings
  /** Where the request goes to, for ids that are URLs. */
  baseUrl?: string
  /** The access token, where the provider has {@link Provider.tokenRequest} for these credentials. */
  token?: string
}

/** An access token, as a provider's token endpoint gives it. */
export interface Token {
  accessToken: string
  lifetimeMs: number
  /** The refresh token for the next time. Null: the one that was used goes on working. */
  refreshToken: string | null
  /** Where requests with it go to. Null: to the connection's base URL. */
  baseUrl: string | null
}

/** How to get an access token: a form that is posted to a URL. */
export interface TokenRequest {
  url: string
  /** How it is asked for, but for what the connection says. */
  grant: string
  /** The refresh token of the credentials themselves. Null: they have none. */
  firstRefreshToken: string | null
  query: Record<string, string>
  headers: Record<string, string>
  /** Made when it is sent: an assertion is signed for its moment. @throws {ProviderError} */
  form(now: Date): Promise<Record<string, string>>
  /** @throws {z.ZodError} if the answer has no token. */
  read(body: unknown): Token
  /** The refresh token for the next time, which counts even if `read` refuses the rest. Null: there is none. */
  readRefreshToken(body: unknown): string | null
}

/** An answer that can't be used, but replaced the refresh token that was sent. */
export interface RefusedToken {
  refreshToken: string
  refusal: ProviderError
}

/** What an answer says before its body. */
export interface AnswerHead {
  status: number
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The connection's. */
  settings?: unknown
}

/** What an answer is, as its provider reads it. */
export interface Classified {
  /** Null: what its status says; a 2xx is no error. */
  kind: ProviderErrorKind | null
  /** The wait that an error asks for elsewhere than in `Retry-After`. Null: it asks for none. */
  retryAfterMs: number | null
}

/** A request below the connection's base URL. */
export interface ProviderRequest {
  /** Absent: GET. */
  method?: 'GET' | 'POST'
  /** Starts with `/`; job ids are percent-encoded in it. */
  path: string
  query?: Record<string, string>
  headers: Record<string, string>
  /** JSON, of a POST. */
  body?: string
}

/** A file of row results or skipped lines. */
export interface FileSource<Credentials = unknown, Settings = unknown> extends FileForm {
  /** Where the status answer says that it is, below or beside the base URL. Null: `request` alone says it. */
  url: string | null
  /**
   * Hosts that `url` may have besides that of the base URL: exact, or with all below them (`*.example.com`), at the port
   * of https or at one that is named (`example.com:8443`). Only the base URL's own origin gets the headers of `request`, and with them the credentials.
   */
  hosts: readonly string[]
  request(job: Job<Credentials, Settings>): ProviderRequest
  /** How many rows it has, if the status says so. */
  announced: number | null
  /** Reads some records. @throws {z.ZodError} if one isn't of the published form. */
  read(records: readonly unknown[]): Pick<DetailPage, 'skippedLines' | 'rowResults'>
}

/** A list of details in pages. */
export interface PageList<Credentials = unknown, Settings = unknown> {
  request(job: Job<Credentials, Settings>, cursor: string): ProviderRequest
  /** @throws {z.ZodError} if the answer isn't a page. A page without its list would pass for the last one. */
  read(body: unknown, cursor: string, head?: AnswerHead): DetailPage
}

export interface Provider<Credentials = unknown, Settings = unknown> {
  name: string
  /** For people. Absent: the name. */
  title?: string
  /** Null: each customer has a base URL of its own, so the connection must name it. */
  defaultBaseUrl: string | null
  /** Strict zod objects: what `PUT /v1/connections/{name}` accepts. */
  credentialsSchema: z.ZodType<Credentials>
  settingsSchema: z.ZodType<Settings>
  defaultLimits: DefaultLimits
  /**
   * How long its imports take, until some of ours have ended: the median, and the standard deviation of the logarithm.
   * Null: nothing is known, and after the time t the gap is √(2kt).
   */
  durationPrior: { medianMs: number; sigma: number } | null
  /**
   * The provider deletes finished jobs after a while. A 404 on a job seen before then means that the job has expired.
   */
  forgetsJobs: boolean
  /**
   * JSON Pointers of fields that change with time alone (`/updated_at`). A report that differs only in them counts as
   * unchanged.
   */
  volatileFields: readonly string[]
  /** Absent: one segment of a path, of at most 500 characters. */
  jobId?: JobIdForm
  /** A 2xx without a body is an answer, too: `null` is read. */
  readsEmptyBodies?: boolean

  /**
   * How to get the access token that requests need. `refreshToken` is the newest one that the provider gave; null: it
   * gave none yet. Returns null if these credentials need no token.
   */
  tokenRequest?(job: Job<Credentials, Settings>, refreshToken: string | null): TokenRequest | null

  statusRequest(job: Job<Credentials, Settings>): ProviderRequest
  /** @throws {z.ZodError} if the answer isn't of the provider's form. */
  readStatus(body: unknown, head?: AnswerHead): StatusAnswer

  /**
   * A second call after a terminal report (Zilliant's counts), which refines the report. Until it is made, `readStatus`
   * names the summary in `missing`.
   */
  summary?: {
    /** Absent: it is asked of every job that is over. */
    applies?(report: Report, settings: unknown): boolean
    request(job: Job<Credentials, Settings>): ProviderRequest
    /** @throws {z.ZodError} if the answer isn't of the provider's form. */
    read(
      body: unknown,
      report: Report,
      head?: AnswerHead,
    ): Pick<StatusAnswer, 'report' | 'missing'> & Partial<Pick<StatusAnswer, 'details'>>
  }

  /**
   * Pages of details by cursor, after the details that came with the status. `firstPage` must work even if the first
   * page came with the status: if the provider refuses a cursor, collecting begins the list again. `read` gets the
   * cursor that the page was requested with, for providers that count pages and name no next one.
   */
  details?: PageList<Credentials, Settings> & {
    /** Of several lists, which are read one after the other: each of them. Absent: it is one list. */
    lists?: readonly PageList<Credentials, Settings>[]
    /**
     * Of several lists, the cursor of the first page of those that a job's stored report has. Null: it has none. Without
     * it, `firstPage` stands for all of them.
     */
    begin?(report: Pick<Report, 'state' | 'body'>, settings: unknown): string | null
  }

  /**
   * Details in files, instead of pages: they are asked for in their order, each as a stream. Details of a status that
   * name `firstPage` as the next one announce them.
   */
  files?: {
    /** Returns the files of a job that is over. @throws {z.ZodError} if the status answer isn't of the provider's form. */
    of(body: unknown, head?: AnswerHead): FileSource<Credentials, Settings>[]
  }

  /** Refines a report whose answer awaits its rows, once they are read. */
  outcomeOfRows?(report: Report, read: RowsRead): Report

  /** Decides what an answer is where its status doesn't say it: an error within a 2xx, a 403 that means a quota. */
  classify?(head: AnswerHead, body: unknown, now: Date): Classified

  /** Reads an error answer's body, for `lastError.message`. Returns null if it isn't of the published form. */
  readError(body: unknown): { code: string | null; message: string | null } | null
}
