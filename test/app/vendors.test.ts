// Owns the proof that every vendor which the service knows by a document is followed to each of its ends, and that its
// refusals are understood: played by the sandbox, polled by a running service.
import { generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { FaultInput } from '../../src/sandbox/faults.ts'
import { hasDetails, outcomesOf } from '../../src/sandbox/script.ts'
import { klaviyoKinds } from '../../src/sandbox/vendors/klaviyo.ts'
import { type DocumentVendorName, documentVendorNames } from '../../src/sandbox/vendors/names.ts'
import { fixture } from '../providers/cases.ts'
import { queueStores } from '../support/stores.ts'
import { unique } from '../support/worlds/ground.ts'
import { hasty, useService } from '../support/worlds/service.ts'

/** Vendors whose access tokens expire: one that is refused is replaced. */
const renewing: readonly DocumentVendorName[] = ['salesforce', 'hubspot', 'auth0', 'marketo', 'bigquery']

/** How many rows are stored of 40, of which 4 failed. Others: none. */
const partialRows: Partial<Record<DocumentVendorName, number>> = {
  salesforce: 4,
  shopify: 40,
  hubspot: 4,
  klaviyo: 4,
  zendesk: 40,
  auth0: 4,
  marketo: 4,
  bigquery: 4,
  elasticsearch: 4,
  mailchimp: 40,
  sendgrid: 4,
}

/** BigQuery names the first errors only. */
const lists: Partial<Record<DocumentVendorName, number>> = { bigquery: 5 }

/** A word of the vendor's own for each refusal, in the error that an import shows. */
const words: Readonly<Record<DocumentVendorName, { throttled: string; unauthorized: string; unknown: string }>> = {
  salesforce: { throttled: '403: TotalRequests', unauthorized: 'invalid_client', unknown: '(NOT_FOUND)' },
  hubspot: { throttled: '(RATE_LIMITS)', unauthorized: 'invalid_client', unknown: '(OBJECT_NOT_FOUND)' },
  klaviyo: { throttled: '(throttled)', unauthorized: '(not_authenticated)', unknown: '(not_found)' },
  shopify: { throttled: '200: Throttled', unauthorized: 'Invalid API key', unknown: 'answered 200' },
  zendesk: { throttled: '(APIRateLimitExceeded)', unauthorized: 'authenticate you', unknown: '(RecordNotFound)' },
  auth0: { throttled: '(too_many_requests)', unauthorized: 'invalid_client', unknown: '(inexistent_job)' },
  mailchimp: { throttled: 'answered 403.', unauthorized: '(API Key Invalid)', unknown: '(Resource Not Found)' },
  marketo: { throttled: '200: Max rate', unauthorized: 'invalid_client', unknown: '200: Object not found (1013)' },
  bigquery: { throttled: '403: Exceeded', unauthorized: 'invalid_client', unknown: '(notFound)' },
  azure: {
    throttled: '(TooManyRequests)',
    unauthorized: '(InvalidAuthenticationToken)',
    unknown: '(ResourceNotFound)',
  },
  aip151: { throttled: '(RESOURCE_EXHAUSTED)', unauthorized: '(UNAUTHENTICATED)', unknown: '(NOT_FOUND)' },
  elasticsearch: {
    throttled: '(circuit_breaking_exception)',
    unauthorized: '(security_exception)',
    unknown: '(resource_not_found_exception)',
  },
  sendgrid: { throttled: 'too many requests', unauthorized: 'authorization required', unknown: 'not found' },
  intercom: { throttled: '(rate_limit_exceeded)', unauthorized: 'Access Token Invalid', unknown: 'Job Not Found' },
  contentful: { throttled: '(RateLimitExceeded)', unauthorized: '(AccessTokenInvalid)', unknown: '(NotFound)' },
  algolia: { throttled: 'Too many requests', unauthorized: 'Invalid Application-ID', unknown: 'Task does not exist' },
}

/** Where what the document says of an outcome isn't the outcome itself. */
const told: Partial<Record<DocumentVendorName, Partial<Record<string, string>>>> = {
  shopify: { archived: 'lost' },
}

const [store] = queueStores
if (!store) throw new Error('there is a store')

describe('the sandbox’s vendors', () => {
  const app = useService(store)

  async function connect(provider: DocumentVendorName, credentials: Record<string, string>, more: object = {}) {
    const name = unique(provider)
    const { baseUrl, settings } = app.sandbox
    const body = {
      provider,
      baseUrl: baseUrl(provider),
      credentials,
      settings: { ...settings(provider), ...more },
      limits: hasty,
    }
    expect(await app.call('PUT /v1/connections/{name}', { name }, { body })).toMatchObject({ status: 201 })
    return name
  }
  const connected = (provider: DocumentVendorName) => connect(provider, app.sandbox.credentials(provider))

  const lastErrorOf = (id: string) =>
    vi.waitFor(async () => {
      const { lastError } = await app.get(id)
      expect(lastError).not.toBeNull()
      return lastError
    }, 10_000)

  const everyRequest = (kind: 'rate_limited' | 'unauthorized'): FaultInput => ({ kind })

  test.each(documentVendorNames)('%s: every outcome', async (provider) => {
    const connection = await connected(provider)
    const outcomes = outcomesOf[provider].map(async (outcome) => {
      const script = { provider, outcome, durationMs: 0, rows: 40, failedRows: outcome === 'partial' ? 4 : undefined }
      const { id } = await app.track(connection, { ...script, pageSize: 3 } as Parameters<typeof app.track>[1])
      const ended = await app.over(id)
      expect(ended.state, outcome).toBe(told[provider]?.[outcome] ?? outcome)
      if (outcome !== 'partial') return
      const rowResults = partialRows[provider] ?? 0
      await vi.waitFor(async () => {
        const { details } = await app.get(id)
        expect(details).toMatchObject({ state: rowResults > 0 ? 'complete' : 'none', rowResults })
      }, 10_000)
    })
    await Promise.all(outcomes)
  })

  test.each(klaviyoKinds)('klaviyo: %s', async (jobType) => {
    const connection = await connect('klaviyo', app.sandbox.credentials('klaviyo'), { jobType })
    const script = { provider: 'klaviyo', outcome: 'partial', durationMs: 0, rows: 40, failedRows: 4 } as const
    const { id } = await app.track(connection, script)
    // What can't be suppressed is skipped: those jobs have no failures.
    const isSuppression = jobType.includes('suppression')
    expect(await app.over(id)).toMatchObject({
      state: isSuppression ? 'succeeded' : 'partial',
      rows: isSuppression
        ? { total: 40, succeeded: 36, failed: null, skipped: 4 }
        : { total: 40, processed: 40, succeeded: 36, failed: 4 },
    })
    await vi.waitFor(async () => {
      const { details } = await app.get(id)
      const rows = isSuppression ? { state: 'none', rowResults: 0 } : { state: 'complete', rowResults: 4 }
      expect(details).toMatchObject(rows)
    }, 10_000)
  })

  test.each<[DocumentVendorName, Record<string, string>, object, number]>([
    ['hubspot', { apiPath: '/crm/imports/2026-09' }, { total: 40, inserted: 36 }, 4],
    ['marketo', { resource: 'program/members' }, { processed: 40, succeeded: 36, failed: 4 }, 4],
    ['marketo', { resource: 'customobjects/car_c' }, { processed: 40, succeeded: 36, failed: 4 }, 4],
    ['elasticsearch', { path: '/_reindex' }, { total: 40, inserted: 36, failed: 4 }, 4],
    ['intercom', { resource: 'companies' }, { total: 40 }, 0],
  ])('%s: by the settings %j', async (provider, settings, rows, rowResults) => {
    const connection = await connect(provider, app.sandbox.credentials(provider), settings)
    const script = { provider, outcome: 'partial', durationMs: 0, rows: 40, failedRows: 4 } as const
    const { id } = await app.track(connection, script as Parameters<typeof app.track>[1])
    expect(await app.over(id)).toMatchObject({ state: 'partial', rows })
    await vi.waitFor(async () => {
      const { details } = await app.get(id)
      expect(details).toMatchObject({ state: rowResults > 0 ? 'complete' : 'none', rowResults })
    }, 10_000)
  })

  test('salesforce: the failed records of a job that was aborted, then those that nobody came to', async () => {
    const connection = await connected('salesforce')
    const script = { provider: 'salesforce', outcome: 'canceled', durationMs: 0, rows: 40, failedRows: 4 } as const
    const { id } = await app.track(connection, script)
    expect(await app.over(id)).toMatchObject({ state: 'canceled', rows: { processed: 24, succeeded: 22, failed: 2 } })
    await vi.waitFor(async () => {
      const { details } = await app.get(id)
      expect(details).toMatchObject({ state: 'complete', rowResults: 18, lastError: null })
    }, 30_000)
    const { body } = await app.call('GET /v1/imports/{id}/row-results', { id })
    const codes = body.data.map(({ error }: { error: { code: string } }) => error.code)
    expect(codes).toEqual([...Array(2).fill('INVALID_EMAIL_ADDRESS'), ...Array(16).fill('UNPROCESSED')])
  })

  test('marketo: the failed rows, then those with a warning, which haven’t failed', async () => {
    const connection = await connected('marketo')
    const script = { provider: 'marketo', outcome: 'partial', durationMs: 0, rows: 40, failedRows: 4 } as const
    const faults: FaultInput[] = [{ kind: 'server_error', on: 'details', atRequest: 2 }]
    const { id } = await app.track(connection, { ...script, warnedRows: 3, faults })
    expect(await app.over(id)).toMatchObject({ state: 'partial', rows: { succeeded: 36, failed: 4 } })
    await vi.waitFor(async () => {
      const { details } = await app.get(id)
      expect(details).toMatchObject({ state: 'complete', rowResults: 7, lastError: null })
    }, 30_000)
    const { body } = await app.call('GET /v1/imports/{id}/row-results', { id })
    const reason = 'Invalid email address'
    expect(body.data.map(({ recordId, error }: Record<string, unknown>) => [recordId, error])).toEqual([
      ...[10, 20, 30, 40].map((n) => [`user-${n}@`, { code: null, message: reason }]),
      ...[1, 2, 3].map((n) => [`user-${n}@`, null]),
    ])
    const stored = await app.sql('SELECT item FROM row_results WHERE import_id = $1 ORDER BY row', [id])
    expect(stored.at(-1)?.item).toEqual({ email: 'user-3@', 'Import Warning Reason': reason })
  })

  test('azure: is asked where its answers say, from one poll to the next', async () => {
    const connection = await connected('azure')
    const { id } = await app.track(connection, { provider: 'azure', durationMs: 60_000 })
    const { jobId } = await app.get(id)
    const name = new URL(jobId).pathname.split('/').at(-1) ?? ''
    const asked = () => app.sandbox.requests().flatMap(({ url }) => (url.includes(name) ? [url] : []))
    await vi.waitFor(() => expect(asked().at(-1)).toContain(`/operationStatuses/${name}?`), 10_000)
    expect(asked()[0]).toContain(`/operations/${name}?`)
    app.sandboxClock.advance(60_000)
    expect(await app.over(id)).toMatchObject({ jobId, state: 'succeeded', lastError: null })
    expect(asked().at(-1)).toContain(`/operationStatuses/${name}?`)
  })

  test.each(documentVendorNames)('%s: all that goes wrong on the way changes no end', async (provider) => {
    const connection = await connected(provider)
    const outcome = outcomesOf[provider].includes('partial') ? 'partial' : 'succeeded'
    const failedRows = outcome === 'partial' ? 7 : 0
    const expired: FaultInput[] = renewing.includes(provider) ? [{ kind: 'unauthorized', atRequest: 1 }] : []
    const next = expired.length + 1
    const details: FaultInput[] = hasDetails(provider)
      ? [
          { kind: 'truncated', on: 'details', atRequest: 1 },
          { kind: 'server_error', on: 'details', atRequest: 2 },
        ]
      : []
    const { id } = await app.track(connection, {
      provider,
      outcome,
      durationMs: 0,
      rows: 29,
      failedRows,
      pageSize: 2,
      faults: [
        ...expired,
        { kind: 'server_error', atRequest: next },
        { kind: 'garbage', atRequest: next + 1 },
        ...details,
      ],
    } as Parameters<typeof app.track>[1])
    const ended = await app.over(id)
    expect(ended).toMatchObject({ state: outcome, lastError: null })
    expect(ended.polls).toBeGreaterThanOrEqual(3)
    const all = ['shopify', 'zendesk', 'mailchimp'].includes(provider)
    const rowResults = outcome === 'partial' && partialRows[provider] ? (all ? 29 : (lists[provider] ?? failedRows)) : 0
    await vi.waitFor(async () => {
      const { details } = await app.get(id)
      expect(details).toMatchObject({ state: rowResults > 0 ? 'complete' : 'none', rowResults })
    }, 30_000)
  })

  test.each(documentVendorNames)('%s: throttled, in its own form', async (provider) => {
    const connection = await connected(provider)
    const { id } = await app.track(connection, { provider, faults: [everyRequest('rate_limited')] })
    const lastError = await lastErrorOf(id)
    expect(lastError).toMatchObject({
      code: 'rate_limited',
      message: expect.stringContaining(words[provider].throttled),
    })
    const { body } = await app.call('GET /v1/connections/{name}', { name: connection })
    expect(body).toMatchObject({ pausedAt: null, blockedUntil: expect.any(String) })
  })

  test.each(documentVendorNames)('%s: wrong credentials, refused in its own words', async (provider) => {
    const right = app.sandbox.credentials(provider)
    const connection = await connect(provider, { ...right, ...wrongPart(right) })
    const { id } = await app.track(connection, { provider })
    expect(await lastErrorOf(id)).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining(words[provider].unauthorized),
    })
  })

  test.each(documentVendorNames)('%s: a token that has ended', async (provider) => {
    const connection = await connected(provider)
    const isRenewing = renewing.includes(provider)
    const fault: FaultInput = isRenewing ? { kind: 'unauthorized', atRequest: 1 } : everyRequest('unauthorized')
    const { id } = await app.track(connection, { provider, durationMs: 0, faults: [fault] })
    if (isRenewing) expect(await app.over(id)).toMatchObject({ state: 'succeeded', lastError: null })
    else expect(await lastErrorOf(id)).toMatchObject({ code: 'unauthorized' })
  })

  test.each(documentVendorNames)('%s: a job that nobody has', async (provider) => {
    const connection = await connected(provider)
    const tried = await app.call('POST /v1/connections/{name}/test', { name: connection })
    expect(tried.body).toMatchObject({ ok: true, code: 'accepted' })
    const { jobId } = app.sandbox.add({ provider })
    // In the same form, and another one even if it ends with zeros.
    const unknown = jobId.replace(/...(?=$|\?)/, (end) => [...end].map((char) => (char === '0' ? '1' : '0')).join(''))
    const body = { connection, jobId: unknown }
    const registered = await app.call('POST /v1/imports', {}, { body })
    expect(registered.status).toBe(201)
    expect(await lastErrorOf(registered.body.id)).toMatchObject({
      code: 'not_found',
      message: expect.stringContaining(words[provider].unknown),
    })
  })
})

describe('a vendor of one’s own', () => {
  const app = useService(store)

  test('is followed by the document that the walk in docs/providers.md ends with', async () => {
    const vendor = await startDataverse()
    onTestFinished(() => void vendor.close())
    const document = fixture('dataverse')
    const put = await app.call('PUT /v1/providers/{name}', { name: 'dataverse' }, { body: document })
    expect(put.status).toBe(201)
    const baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`
    const connection = { provider: 'dataverse', baseUrl, credentials: { accessToken: 'entra' }, limits: hasty }
    expect(await app.call('PUT /v1/connections/{name}', { name: 'crm' }, { body: connection })).toMatchObject({
      status: 201,
    })
    const tested = await app.call('POST /v1/connections/{name}/test', { name: 'crm' })
    expect(tested.body).toMatchObject({ ok: true, code: 'accepted' })

    const jobId = '5f0c1c5e-0000-0000-0000-000000000001'
    const { body } = await app.call('POST /v1/imports', {}, { body: { connection: 'crm', jobId } })
    expect(await app.over(body.id)).toMatchObject({
      state: 'partial',
      providerStatus: '4',
      rows: { total: 10, succeeded: 7, failed: 3 },
    })
    await vi.waitFor(async () => expect((await app.get(body.id)).details).toMatchObject({ state: 'complete' }), 10_000)
    const rows = await app.call('GET /v1/imports/{id}/row-results', { id: body.id })
    expect(rows.body.data.map(({ line, error }: { line: number; error: object }) => [line, error])).toEqual(
      [3, 5, 9].map((line) => [line, { code: '-2147220970', message: `Line ${line} is wrong.` }]),
    )
  })
})

/** Plays one import, as the vendor's pages say: parsing, importing, completed, with three failed rows in two pages. */
async function startDataverse(): Promise<Server> {
  const id = '5f0c1c5e-0000-0000-0000-000000000001'
  const words = [1, 3, 4]
  const logOf = (linenumber: number) => ({
    linenumber,
    columnvalue: 'ann@',
    errornumber: -2_147_220_970,
    errordescription: `Line ${linenumber} is wrong.`,
  })
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://dataverse')
    const send = (status: number, body: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.headers.authorization !== 'Bearer entra')
      return send(401, { error: { code: '0x80048306', message: 'No.' } })
    const filter = url.searchParams.get('$filter') ?? ''
    if (url.pathname === `/api/data/v9.2/imports(${id})`)
      return send(200, {
        importid: id,
        statuscode: words.length > 1 ? words.shift() : words[0],
        createdon: '2026-11-25T10:00:00Z',
      })
    if (url.pathname === '/api/data/v9.2/importfiles' && filter === `_importid_value eq ${id}`)
      return send(200, { value: [{ successcount: 7, failurecount: 2, partialfailurecount: 1, totalcount: 10 }] })
    if (url.pathname === '/api/data/v9.2/importlogs' && filter === `importfileid/_importid_value eq ${id}`) {
      const isSecond = url.searchParams.get('$skiptoken') === 'a=1&b'
      const next = `https://acme.crm.dynamics.com/api/data/v9.2/importlogs?$skiptoken=${encodeURIComponent('a=1&b')}`
      return send(200, isSecond ? { value: [logOf(9)] } : { value: [logOf(3), logOf(5)], '@odata.nextLink': next })
    }
    return send(404, { error: { code: '0x80040217', message: 'There is no such import.' } })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The part of the credentials that proves who asks, made wrong. */
function wrongPart(credentials: Record<string, string>): Record<string, string> {
  const { serviceAccountJson } = credentials
  if (serviceAccountJson !== undefined) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
    const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' })
    return { serviceAccountJson: JSON.stringify({ ...JSON.parse(serviceAccountJson), private_key }) }
  }
  const secret = ['clientSecret', 'apiToken', 'accessToken', 'apiKey'].find((name) => credentials[name] !== undefined)
  return { [secret ?? '']: 'another-one' }
}
