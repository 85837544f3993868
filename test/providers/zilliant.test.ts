// Owns what Zilliant's answers mean, the second call at the end included.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ReportedState } from '../../src/model/reported-state.ts'
import { askStatus } from '../../src/providers/ask.ts'
import { unknownRows } from '../../src/providers/contract.ts'
import { zilliant } from '../../src/providers/zilliant.ts'
import { cases, fixture } from './cases.ts'
import { noSignal, sendJson, startClient, startVendor, type Vendor } from './vendor.ts'

const succeeded = fixture('zilliant-succeeded') as Record<string, unknown>
const failed = fixture('zilliant-failed') as Record<string, unknown>

describe('a Zilliant status', () => {
  it.each<[string, ReportedState]>([
    ['RUNNING', 'running'],
    ['SUCCEEDED', 'succeeded'],
    ['FAILED', 'failed'],
    ['SUCCESS', 'unmapped'],
  ])('%s is %s', (status, state) => {
    expect(zilliant.readStatus({ status }).report).toMatchObject({ state, providerStatus: status })
  })

  it.each<[Record<string, unknown>, ReportedState]>([
    [succeeded, 'succeeded'],
    [failed, 'failed'],
  ])("has everything that the vendor's example says: %j", (body, state) => {
    expect(zilliant.readStatus(body)).toEqual({
      report: {
        state,
        providerStatus: body.status,
        message: null,
        progress: null,
        rows: unknownRows,
        createdAt: null,
        startedAt: new Date('2021-09-28T13:09:25Z'),
        finishedAt: new Date('2021-09-28T13:16:06Z'),
        expiresAt: null,
        body,
      },
      missing: 'its report is missing.',
      details: null,
    })
  })

  it('shows a client-side error, and keeps it', () => {
    for (const clientErrorCallingService of [true, 'true'])
      expect(zilliant.readStatus({ ...failed, clientErrorCallingService }).report).toMatchObject({
        message: 'A client-side error occurred when calling the service (clientErrorCallingService).',
        body: { clientErrorCallingService },
      })
  })
})

describe("Zilliant's report", () => {
  const summarise = (status: string, report: unknown) => {
    if (!zilliant.summary) throw new TypeError('expected a summary')
    return zilliant.summary.read(report, zilliant.readStatus({ ...succeeded, status }).report)
  }

  it.each<[string, unknown, ReportedState]>([
    ['SUCCEEDED', { status: 'SUCCESS', failedRows: 0 }, 'succeeded'],
    ['SUCCEEDED', { status: 'PARTIAL_SUCCESS' }, 'partial'],
    ['FAILED', { status: 'PARTIAL_SUCCESS' }, 'partial'],
    ['SUCCEEDED', { status: 'SUCCESS', failedRows: '1' }, 'partial'],
    ['SUCCEEDED', { status: 'FAILED' }, 'failed'],
    ['FAILED', { status: 'SUCCESS' }, 'failed'],
    ['FAILED', { status: 'FAILED' }, 'failed'],
    ['SUCCEEDED', { status: 'SOMETHING_NEW' }, 'succeeded'],
    ['SUCCEEDED', {}, 'succeeded'],
  ])('%s and %j are %s', (status, report, state) => {
    expect(summarise(status, report).report.state).toBe(state)
  })

  it.each<[unknown, string | null]>([
    [{ status: 'SUCCESS', processedRows: 5 }, null],
    [{ status: 'SUCCESS', failedRows: 0 }, null],
    [{ status: 'SUCCESS' }, 'processedRows of its report is missing.'],
    [{ status: 'PARTIAL_SUCCESS', processedRows: 5, failedRows: 1 }, null],
    [{ status: 'PARTIAL_SUCCESS', processedRows: 5 }, 'failedRows of its report is missing.'],
    [{ status: 'FAILED' }, null],
    [{ status: 'IN_PROGRESS' }, 'its report has the status IN_PROGRESS, which tells no end.'],
    [{}, 'its report has the status null, which tells no end.'],
  ])('%j is whole, or says what it lacks: %j', (report, missing) => {
    expect(summarise('SUCCEEDED', report).missing).toBe(missing)
  })

  it.each([
    [
      { processedRows: 7000, failedRows: 3000 },
      { processed: 10_000, succeeded: 7_000, failed: 3_000 },
    ],
    [{ processedRows: 5 }, { processed: 5, succeeded: 5, failed: null }],
    [{ failedRows: 12 }, { processed: 12, succeeded: null, failed: 12 }],
    [{}, { processed: null, succeeded: null, failed: null }],
  ])('counts processedRows as those that succeeded: %j', (counts, rows) => {
    expect(summarise('SUCCEEDED', { status: 'SUCCESS', ...counts }).report.rows).toMatchObject(rows)
  })

  it('adds the counts, the message and itself', () => {
    const report = { status: 'PARTIAL_SUCCESS', processedRows: '100', failedRows: 7, message: '7 rows failed.' }
    expect(summarise('SUCCEEDED', report)).toMatchObject({
      report: {
        providerStatus: 'SUCCEEDED',
        message: '7 rows failed.',
        rows: { ...unknownRows, processed: 107, succeeded: 100, failed: 7 },
        body: { ...succeeded, report },
      },
      missing: null,
    })
  })
})

describe('asking Zilliant', () => {
  let vendor: Vendor
  let asker: ReturnType<typeof startClient>
  let report: { status: number; body: unknown } | 'reset'

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

  const { credentials, settings } = cases.zilliant
  const ask = (status: string, controller = new AbortController()) => {
    vendor.answer((request, response) => {
      if (request.url?.endsWith('/status')) return sendJson(response, { ...succeeded, status })
      if (report === 'reset') return void request.socket.destroy()
      return sendJson(response, report.body, report.status)
    })
    const target = { baseUrl: vendor.baseUrl, credentials, settings }
    return askStatus(asker.client, zilliant, target, '2587c81c', { signal: controller.signal })
  }

  it('asks for the report once, when the import is over', async () => {
    report = { status: 200, body: { status: 'SUCCESS', processedRows: 5, failedRows: 0 } }
    expect(await ask('RUNNING')).toMatchObject({ requests: 1, report: { state: 'running' } })
    expect(vendor.seen.map(({ target }) => target)).toEqual(['/v1/EntityImport/2587c81c/status'])
    expect(await ask('SUCCEEDED')).toMatchObject({
      requests: 2,
      summaryError: null,
      missing: null,
      report: { state: 'succeeded', rows: { processed: 5, failed: 0 } },
    })
    expect(vendor.seen.slice(1).map(({ target }) => target)).toEqual([
      '/v1/EntityImport/2587c81c/status',
      '/v1/EntityImport/2587c81c/report',
    ])
    expect(vendor.seen.every(({ headers }) => headers.authorization === cases.zilliant.headers.authorization)).toBe(
      true,
    )
  })

  it.each([
    ['not_found', { status: 404, body: {} }],
    ['rate_limited', { status: 429, body: {} }],
    ['server_error', { status: 500, body: {} }],
    ['invalid_response', { status: 200, body: ['no report'] }],
    ['connection_reset', 'reset' as const],
  ])('has an outcome that is not whole where the report answers %s', async (kind, answer) => {
    report = answer
    expect(await ask('SUCCEEDED')).toMatchObject({
      requests: 2,
      summaryError: { kind },
      missing: expect.stringMatching(/^its report is missing\. T/),
      report: { state: 'succeeded', rows: unknownRows, body: succeeded },
    })
  })

  it('leaves the whole poll undone where it is aborted between the two calls', async () => {
    const controller = new AbortController()
    report = { status: 200, body: {} }
    const asked = ask('SUCCEEDED', controller)
    vendor.answer((request, response) => {
      if (request.url?.endsWith('/status')) sendJson(response, succeeded)
      else controller.abort()
    })
    await expect(asked).rejects.toMatchObject({ kind: 'aborted' })
  })

  it('sends the token response exactly as given, and no forwarded host unless there is one', async () => {
    vendor.answerJson({ status: 'RUNNING' })
    const tokenResponse = ' {"access_token" : "ünï✓"}\n'
    const target = { baseUrl: vendor.baseUrl, credentials: { tokenResponse }, settings: {} }
    await askStatus(asker.client, zilliant, target, '1', { signal: noSignal() })
    const headers = vendor.seen[0]?.headers
    const [scheme, token = ''] = headers?.authorization?.split(' ') ?? []
    expect([scheme, Buffer.from(token, 'base64').toString('utf8')]).toEqual(['OAuth', tokenResponse])
    expect(headers).not.toHaveProperty('x-forwarded-host')
  })
})

describe("Zilliant's account", () => {
  it.each(['token', '[]', 'null', '{"access_token":', '', '"{}"', 7, { access_token: 'x' }])(
    'needs the JSON text of an object, which %j is not',
    (tokenResponse) => {
      const { error } = zilliant.credentialsSchema.safeParse({ tokenResponse })
      expect(error?.issues[0]).toMatchObject({
        path: ['tokenResponse'],
        message: 'must be the JSON text of an object, at most 16384 characters',
      })
    },
  )

  it.each(['https://example.com', 'a b', 'example.com\r\nx: y', '', '-example.com', 'exämple.com'])(
    'refuses %j as forwardedHost',
    (forwardedHost) => {
      const { error } = zilliant.settingsSchema.safeParse({ forwardedHost })
      expect(error?.issues[0]?.message).toBe('must be a host name, such as login.example.com')
    },
  )

  it('has a base URL of its own', () => {
    expect(zilliant.defaultBaseUrl).toBeNull()
  })
})
