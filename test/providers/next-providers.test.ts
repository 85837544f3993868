// Owns the proof that the contract can say what further providers need: a toy adapter of each kind, asked at a real
// local server. Row errors come inline, by a cursor in the status call, by a cursor elsewhere, by counting pages,
// or not at all; some outcomes need a second call at the end.
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { isTerminal, type ReportedState } from '../../src/model/reported-state.ts'
import { askDetails, askStatus } from '../../src/providers/ask.ts'
import { keptBody } from '../../src/providers/body.ts'
import {
  type DetailPage,
  firstPage,
  type Job,
  type Provider,
  type Report,
  type RowResult,
  unknownRows,
} from '../../src/providers/contract.ts'
import { count, fractionOf, stateOf, text, timestamp } from '../../src/providers/fields.ts'
import { jobIdSegment } from '../../src/providers/job-id.ts'
import { noSignal, sendJson, startClient, startVendor, type Vendor } from './vendor.ts'

const credentialsSchema = z.strictObject({ token: z.string() })
const settingsSchema = z.strictObject({})
type Account = z.infer<typeof credentialsSchema>
type Toy = Provider<Account, z.infer<typeof settingsSchema>>

const common = {
  defaultBaseUrl: null,
  credentialsSchema,
  settingsSchema,
  defaultLimits: {
    requestsPerSecond: null,
    requestsPerMinute: null,
    requestsPerDay: null,
    requestsPerMonth: null,
    maxInFlight: 1,
    minIntervalMs: 1,
    maxIntervalMs: 2,
    deadlineMs: 3,
  },
  durationPrior: null,
  forgetsJobs: false,
  volatileFields: [],
  readError: () => null,
}

const get = (path: string, { credentials }: Job<Account, unknown>) => ({
  path,
  headers: { authorization: `Bearer ${credentials.token}` },
})

const nothingElse = {
  message: null,
  progress: null,
  rows: unknownRows,
  createdAt: null,
  startedAt: null,
  finishedAt: null,
  expiresAt: null,
}

const failedRow = (recordId: string | null, code: string | null, message: string | null): RowResult => ({
  recordId,
  created: null,
  existing: null,
  error: { code, message },
})

/** Like Klaviyo's bulk profile imports: no failed value, nullable counts, errors by an opaque link elsewhere. */
const klaviyoLike: Toy = {
  ...common,
  name: 'klaviyo-like',
  statusRequest: (job) => get(`/api/profile-bulk-import-jobs/${jobIdSegment(job.jobId)}`, job),
  readStatus(body) {
    const attributes = z.object({
      status: text,
      total_count: count,
      completed_count: count,
      failed_count: count,
      completed_at: timestamp,
    })
    const job = z.object({ data: z.object({ attributes }) }).parse(body).data.attributes
    const done = stateOf(
      { queued: 'queued', processing: 'running', complete: 'succeeded', cancelled: 'canceled' },
      job.status,
    )
    const state = done === 'succeeded' && (job.failed_count ?? 0) > 0 ? 'partial' : done
    const report: Report = {
      ...nothingElse,
      state,
      providerStatus: job.status,
      progress: fractionOf(job.completed_count, job.total_count),
      rows: { ...unknownRows, total: job.total_count, succeeded: job.completed_count, failed: job.failed_count },
      finishedAt: job.completed_at,
      body: keptBody(body),
    }
    return {
      report,
      missing: null,
      details: state === 'partial' ? { skippedLines: [], rowResults: [], next: firstPage } : null,
    }
  },
  details: {
    request: (job, cursor) => ({
      ...get(`/api/profile-bulk-import-jobs/${jobIdSegment(job.jobId)}/import-errors`, job),
      ...(cursor !== firstPage && { query: { 'page[cursor]': cursor } }),
    }),
    read(body) {
      const error = z.object({
        attributes: z.object({ code: text, title: text, original_payload: z.object({ id: text }) }),
      })
      const page = z.object({ data: z.array(error), links: z.object({ next: text }) }).parse(body)
      return {
        skippedLines: [],
        rowResults: page.data.map(({ attributes: { code, title, original_payload } }) =>
          failedRow(original_payload.id, code, title),
        ),
        next: page.links.next && new URL(page.links.next).searchParams.get('page[cursor]'),
      }
    },
  },
}

/** Like HubSpot's imports: more states, errors by an `after` elsewhere. */
const hubspotLike: Toy = {
  ...common,
  name: 'hubspot-like',
  statusRequest: (job) => get(`/crm/v3/imports/${jobIdSegment(job.jobId)}`, job),
  readStatus(body) {
    const job = z.object({ state: text }).parse(body)
    const states: Record<string, ReportedState> = {
      STARTED: 'running',
      PROCESSING: 'running',
      DEFERRED: 'queued',
      DONE: 'succeeded',
      FAILED: 'failed',
      CANCELED: 'canceled',
      REVERTED: 'canceled',
    }
    const state = stateOf(states, job.state)
    const report = { ...nothingElse, state, providerStatus: job.state, body: keptBody(body) }
    return {
      report,
      missing: null,
      details: isTerminal(state) ? { skippedLines: [], rowResults: [], next: firstPage } : null,
    }
  },
  details: {
    request: (job, after) => ({
      ...get(`/crm/v3/imports/${jobIdSegment(job.jobId)}/errors`, job),
      ...(after !== firstPage && { query: { after } }),
    }),
    read(body) {
      const page = z
        .object({
          results: z.array(z.object({ id: text, errorType: text, errorMessage: text })),
          paging: z.object({ next: z.object({ after: text }).nullish() }).nullish(),
        })
        .parse(body)
      return {
        skippedLines: [],
        rowResults: page.results.map(({ id, errorType, errorMessage }) => failedRow(id, errorType, errorMessage)),
        next: page.paging?.next?.after ?? null,
      }
    },
  },
}

/** Like Zendesk's job statuses: the results are in the status, all at once. */
const inline: Toy = {
  ...common,
  name: 'inline',
  statusRequest: (job) => get(`/api/v2/job_statuses/${jobIdSegment(job.jobId)}`, job),
  readStatus(body) {
    const result = z.object({ id: text, error: text })
    const { job_status: job } = z
      .object({ job_status: z.object({ status: text, results: z.array(result).nullish() }) })
      .parse(body)
    const results = job.results ?? []
    const done = stateOf(
      { queued: 'queued', working: 'running', completed: 'succeeded', killed: 'canceled' },
      job.status,
    )
    const state = done === 'succeeded' && results.some(({ error }) => error) ? 'partial' : done
    const rowResults = results.map(({ id, error }) => ({
      ...failedRow(id, null, error),
      ...(error === null && { error: null }),
    }))
    return {
      report: { ...nothingElse, state, providerStatus: job.status, body: keptBody(body, [['job_status', 'results']]) },
      missing: null,
      details: isTerminal(state) && rowResults.length > 0 ? { skippedLines: [], rowResults, next: null } : null,
    }
  },
}

/** The cursor is in the status call itself, and each page repeats the job. */
const cursorInStatus: Toy = {
  ...common,
  name: 'cursor-in-status',
  statusRequest: (job) => get(`/jobs/${jobIdSegment(job.jobId)}`, job),
  readStatus(body) {
    const { state } = z.object({ state: text }).parse(body)
    const report: Report = {
      ...nothingElse,
      state: stateOf({ working: 'running', done: 'partial' }, state),
      providerStatus: state,
      body: keptBody(body, [['bad']]),
    }
    return { report, missing: null, details: isTerminal(report.state) ? badLines(body) : null }
  },
  details: {
    request: (job, cursor) => ({ ...get(`/jobs/${jobIdSegment(job.jobId)}`, job), query: { from: cursor } }),
    read: badLines,
  },
}

function badLines(body: unknown): DetailPage {
  const page = z.object({ bad: z.array(z.object({ line: count })), next: text }).parse(body)
  return { skippedLines: page.bad.map(({ line }) => ({ line, column: null })), rowResults: [], next: page.next }
}

/** Pages are counted, and no answer names the next one: the first empty page is the end. */
const countedPages: Toy = {
  ...cursorInStatus,
  name: 'counted-pages',
  readStatus(body) {
    const { report, details } = cursorInStatus.readStatus(body)
    return { report, missing: null, details: details && { skippedLines: [], rowResults: [], next: '1' } }
  },
  details: {
    request: (job, page) => ({ ...get(`/jobs/${jobIdSegment(job.jobId)}/rows`, job), query: { page } }),
    read(body, page) {
      const rows = z.array(z.object({ id: text })).parse(body)
      return {
        skippedLines: [],
        rowResults: rows.map(({ id }) => failedRow(id, null, null)),
        next: rows.length === 0 ? null : String(Number(page) + 1),
      }
    },
  },
}

/** "Done" only means that it is over (AIP-151, BigQuery); how it went takes a second call. */
const secondCall: Toy = {
  ...common,
  name: 'second-call',
  statusRequest: (job) => get(`/operations/${jobIdSegment(job.jobId)}`, job),
  readStatus(body) {
    const { done } = z.object({ done: z.boolean().optional() }).parse(body)
    const report: Report = {
      ...nothingElse,
      state: done ? 'succeeded' : 'running',
      providerStatus: done ? 'done' : 'not done',
      body: keptBody(body),
    }
    return { report, missing: done ? 'its result is missing.' : null, details: null }
  },
  summary: {
    request: (job) => get(`/operations/${jobIdSegment(job.jobId)}/result`, job),
    read(body, report) {
      const result = z.object({ rows: count, error: z.object({ message: text }).nullish() }).parse(body)
      const refined = {
        ...report,
        state: result.error ? ('failed' as const) : report.state,
        message: result.error?.message ?? null,
        rows: { ...report.rows, total: result.rows },
        body: { ...report.body, result: keptBody(body) },
      }
      return { report: refined, missing: null }
    },
  },
}

let vendor: Vendor
let asker: ReturnType<typeof startClient>

beforeAll(async () => {
  vendor = await startVendor()
  asker = startClient()
})
beforeEach(() => {
  vendor.seen.length = 0
})
afterAll(async () => {
  await Promise.all([vendor.close(), asker.close()])
})

function serve(answers: Record<string, unknown>) {
  vendor.answer((request: IncomingMessage, response) => {
    const body = answers[decodeURIComponent(request.url ?? '')]
    sendJson(response, body ?? {}, body === undefined ? 404 : 200)
  })
}

const target = () => ({ baseUrl: vendor.baseUrl, credentials: { token: 'toy' }, settings: {} })
const ask = (provider: Toy) => askStatus(asker.client, provider, target(), '7', { signal: noSignal() })

/** What a collector does: page after page until there is no next one. */
async function collect(provider: Toy): Promise<DetailPage[]> {
  const pages: DetailPage[] = []
  let page = (await ask(provider)).details
  while (page) {
    pages.push(page)
    page =
      page.next === null
        ? null
        : await askDetails(asker.client, provider, target(), '7', page.next, { signal: noSignal() })
  }
  return pages
}

const idsOf = (pages: DetailPage[]) => pages.map(({ rowResults }) => rowResults.map(({ recordId }) => recordId))

describe('the contract', () => {
  it('says errors by a cursor elsewhere, named by a link', async () => {
    const path = '/api/profile-bulk-import-jobs/7'
    const error = (id: string) => ({ attributes: { code: 'invalid', title: 'Bad', original_payload: { id } } })
    const attributes = { status: 'complete', total_count: 10, completed_count: '8', failed_count: 2 }
    serve({
      [path]: { data: { attributes } },
      [`${path}/import-errors`]: {
        data: [error('a')],
        links: { next: `https://api.example${path}/import-errors?page%5Bcursor%5D=b%3D` },
      },
      [`${path}/import-errors?page[cursor]=b=`]: { data: [error('b')], links: { next: null } },
    })
    expect((await ask(klaviyoLike)).report).toMatchObject({
      state: 'partial',
      progress: 0.8,
      rows: { total: 10, succeeded: 8, failed: 2, processed: null },
    })
    expect(idsOf(await collect(klaviyoLike))).toEqual([[], ['a'], ['b']])
  })

  it('says errors by a cursor elsewhere, named by a field', async () => {
    const result = (id: string) => ({ id, errorType: 'INVALID', errorMessage: 'Bad' })
    serve({
      '/crm/v3/imports/7': { state: 'DONE' },
      '/crm/v3/imports/7/errors': { results: [result('1')], paging: { next: { after: 'x' } } },
      '/crm/v3/imports/7/errors?after=x': { results: [result('2')] },
    })
    expect(idsOf(await collect(hubspotLike))).toEqual([[], ['1'], ['2']])
    serve({ '/crm/v3/imports/7': { state: 'DEFERRED' } })
    expect(await ask(hubspotLike)).toMatchObject({ report: { state: 'queued' }, details: null })
  })

  it('says results inline', async () => {
    serve({ '/api/v2/job_statuses/7': { job_status: { status: 'completed', results: [{ id: 1 }, { error: 'Bad' }] } } })
    const { report, details } = await ask(inline)
    expect(report).toMatchObject({ state: 'partial', body: { job_status: { status: 'completed' } } })
    expect(report.body).toEqual({ job_status: { status: 'completed' } })
    expect(details?.rowResults.map(({ error }) => error)).toEqual([null, { code: null, message: 'Bad' }])
    expect(idsOf(await collect(inline))).toEqual([['1', null]])
  })

  it('says a cursor in the status call', async () => {
    serve({
      '/jobs/7': { state: 'done', bad: [{ line: 3 }], next: '4' },
      '/jobs/7?from=4': { state: 'done', bad: [{ line: 5 }], next: '' },
    })
    const pages = await collect(cursorInStatus)
    expect(pages.map(({ skippedLines }) => skippedLines.map(({ line }) => line))).toEqual([[3], [5]])
  })

  it('says pages that are counted', async () => {
    serve({
      '/jobs/7': { state: 'done', bad: [], next: null },
      '/jobs/7/rows?page=1': [{ id: 'a' }, { id: 'b' }],
      '/jobs/7/rows?page=2': [{ id: 'c' }],
      '/jobs/7/rows?page=3': [],
    })
    expect(idsOf(await collect(countedPages))).toEqual([[], ['a', 'b'], ['c'], []])
  })

  it('says a second call at the end, made once', async () => {
    serve({ '/operations/7': {} })
    expect(await ask(secondCall)).toMatchObject({ requests: 1, report: { state: 'running' } })
    serve({ '/operations/7': { done: true }, '/operations/7/result': { rows: '12', error: { message: 'Too late' } } })
    expect(await ask(secondCall)).toMatchObject({
      requests: 2,
      report: {
        state: 'failed',
        message: 'Too late',
        rows: { total: 12 },
        body: { done: true, result: { rows: '12' } },
      },
    })
    serve({ '/operations/7': { done: true } })
    expect(await ask(secondCall)).toMatchObject({
      report: { state: 'succeeded', rows: unknownRows },
      missing: 'its result is missing. The provider answered 404.',
      summaryError: { kind: 'not_found' },
    })
  })

  it('says that there are no details at all', async () => {
    const signal = noSignal()
    await expect(askDetails(asker.client, secondCall, target(), '7', firstPage, { signal })).rejects.toThrow(
      'second-call has no pages',
    )
  })
})
