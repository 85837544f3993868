// Owns providers as documents over the API: uploading, revisions, trying, deleting, and connections that are pinned.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken, testEncryption } from '../support/worlds/ground.ts'

const api = useApi()

type Json = Record<string, unknown>

const documentOf = (name: string, changes: Json = {}): Json => ({
  format: 1,
  name,
  title: 'Acme imports',
  baseUrl: 'https://api.acme.example',
  credentials: { apiKey: {} },
  settings: { region: { default: 'eu' }, team: { optional: true } },
  auth: { kind: 'bearer', token: '{credentials.apiKey}' },
  limits: { maxInFlight: 3, minIntervalMs: 7_000 },
  status: {
    request: { path: '/{settings.region}/jobs/{job}' },
    state: { from: '/state', map: { working: 'running', done: 'succeeded' } },
    rows: { total: '/all' },
  },
  examples: [{ answer: { body: { state: 'done', all: 3 } }, report: { state: 'succeeded', rows: { total: 3 } } }],
  ...changes,
})

const bearerOf = (credential: string) => ({ kind: 'bearer', token: `{credentials.${credential}}` })

const put = (name: string, body: unknown, token = adminToken) =>
  api.call('PUT /v1/providers/{name}', { name }, { body, token })
const get = (name: string) => api.call('GET /v1/providers/{name}', { name })
const tried = (name: string, body: unknown) => api.call('POST /v1/providers/{name}/try', { name }, { body })
const putConnection = (name: string, body: Json) => api.call('PUT /v1/connections/{name}', { name }, { body })
const acme = (provider: string, changes: Json = {}) => ({
  provider,
  credentials: { apiKey: 'key-of-acme' },
  ...changes,
})

describe('the API’s document', () => {
  const described = async () => {
    const { schemas } = (await api.send('/openapi.json')).body.components
    return schemas as Record<string, { properties?: Record<string, Json>; anyOf?: Json[]; oneOf?: Json[] }>
  }

  test('knows an uploaded provider as soon as it is there, and until it is deleted', async () => {
    const name = 'own-described' // its schemas don't get in the way of those of the service
    expect(await described()).not.toHaveProperty('PutUploadedOwn-describedConnection')
    await put(name, documentOf(name, { credentials: { clientKey: { title: 'Key' } }, auth: bearerOf('clientKey') }))
    const schemas = await described()
    expect(schemas['PutUploadedOwn-describedConnection']?.properties?.provider).toEqual({ type: 'string', const: name })
    expect(schemas['UploadedOwn-describedCredentials']?.properties).toHaveProperty('clientKey')
    expect(schemas['UploadedOwn-describedSettings']?.properties).toHaveProperty('region')
    expect(JSON.stringify(schemas.PutConnection)).toContain('PutUploadedOwn-describedConnection')
    expect(JSON.stringify(schemas.PatchConnection)).toContain('UploadedOwn-describedCredentials')

    await put(name, documentOf(name, { credentials: { other: {} }, auth: bearerOf('other') }))
    expect((await described())['UploadedOwn-describedCredentials']?.properties).toHaveProperty('other')
    await api.call('DELETE /v1/providers/{name}', { name })
    expect(await described()).not.toHaveProperty('PutUploadedOwn-describedConnection')
  })

  test('describes the uploaded one instead of that of its name that comes with the service', async () => {
    await put('shopify', documentOf('shopify'))
    const schemas = await described()
    expect(schemas).toHaveProperty('PutUploadedShopifyConnection')
    expect(schemas).not.toHaveProperty('PutShopifyConnection')
    await api.call('DELETE /v1/providers/{name}', { name: 'shopify' })
    expect(await described()).toHaveProperty('PutShopifyConnection')
  })
})

describe('uploading', () => {
  test('makes a revision of each other content, and none of the same in another order', async () => {
    const document = documentOf('revised')
    expect(await put('revised', document)).toMatchObject({
      status: 201,
      body: { revision: 1, source: 'uploaded', document },
    })
    const reordered = Object.fromEntries(Object.entries(document).reverse())
    expect(await put('revised', reordered)).toMatchObject({ status: 200, body: { revision: 1 } })
    expect(await put('revised', { ...document, title: 'Other' })).toMatchObject({ status: 201, body: { revision: 2 } })
    expect(await put('revised', document)).toMatchObject({ status: 201, body: { revision: 3 } })
    expect((await get('revised')).body).toMatchObject({ title: 'Acme imports', revision: 3, document })
  })

  test('of one name at once makes one revision each', async () => {
    const titles = ['a', 'b', 'c', 'd']
    const answers = await Promise.all(titles.map((title) => put('raced', documentOf('raced', { title }))))
    expect(answers.map(({ body }) => body.revision).toSorted()).toEqual([1, 2, 3, 4])
  })

  test.each([
    [
      'a wrong pointer',
      { status: { request: { path: '/{job}' }, state: { from: 'state', map: { a: 'failed' } } } },
      'status.state.from',
    ],
    ['an unknown key', { colour: 'red' }, 'colour'],
    [
      'a state that doesn’t exist',
      { status: { request: { path: '/{job}' }, state: { from: '/state', map: { a: 'finished' } } } },
      'status.state.map.a',
    ],
    ['300 values', { volatileFields: Array.from({ length: 300 }, (_, at) => `/a${at}`) }, 'volatileFields.'],
    ['another name', { name: 'other' }, 'name'],
    ['a private base URL', { baseUrl: 'https://10.0.0.1' }, 'baseUrl'],
    [
      'an example that fails',
      { examples: [{ answer: { body: { state: 'done' } }, report: { state: 'failed' } }] },
      'examples.0.report.state',
    ],
    ['100 kB', { examples: [{ answer: { body: 'x'.repeat(100_000) }, report: {} }] }, 'examples'],
    [
      'a prototype’s name among words',
      JSON.parse('{"status":{"request":{"path":"/{job}"},"state":{"from":"/state","map":{"__proto__":"queued"}}}}'),
      'status.state.map.__proto__',
    ],
    ['a prototype', JSON.parse('{"settings":{"__proto__":{}}}'), 'settings.__proto__'],
  ])('of %s is refused, and nothing is stored', async (_what, changes, field) => {
    const { status, body } = await put('refused', documentOf('refused', changes as Json))
    expect(status).toBe(400)
    const fields = body.errors.map((error: { field: string }) => error.field)
    expect(fields.some((one: string) => one === field || (field.endsWith('.') && one.startsWith(field)))).toBe(true)
    expect((await get('refused')).status).toBe(404)
  })

  test('under the name of a part of the service is a conflict', async () => {
    expect((await put('cdq', documentOf('cdq'))).body).toMatchObject({ status: 409, code: 'conflict' })
  })

  test('is for admins alone', async () => {
    const { body } = await api.call('POST /v1/tokens', {}, { body: { name: 'w', scope: 'write' } })
    expect((await put('mine', documentOf('mine'), body.token)).status).toBe(403)
  })
})

describe('reading', () => {
  test('lists all three sources by name, page by page', async () => {
    await put('zz-last', documentOf('zz-last'))
    const names: string[] = []
    const sources = new Map<string, string>()
    for (let after: string | null | undefined; after !== null; ) {
      const query = { limit: 5, ...(after !== undefined && { after }) }
      const { body } = await api.call('GET /v1/providers', {}, { query })
      for (const one of body.data) sources.set(one.name, one.source)
      names.push(...body.data.map(({ name }: { name: string }) => name))
      after = body.next
    }
    expect(names).toEqual(names.toSorted())
    expect(new Set(names).size).toBe(names.length)
    expect(Object.fromEntries(sources)).toMatchObject({ cdq: 'builtin', klaviyo: 'shipped', 'zz-last': 'uploaded' })
  })

  test('shows the document of a shipped one, and none of a part of the service', async () => {
    expect((await get('klaviyo')).body).toMatchObject({
      source: 'shipped',
      revision: null,
      document: { name: 'klaviyo' },
    })
    expect((await get('cdq')).body).toMatchObject({ source: 'builtin', document: null })
    expect((await get('nobody')).status).toBe(404)
  })
})

describe('a connection', () => {
  test('is checked by the document, and pinned to its revision', async () => {
    await put('pinned', documentOf('pinned'))
    const wrong = await putConnection(
      'to-pinned',
      acme('pinned', { credentials: { key: 'x' }, settings: { region: '..' } }),
    )
    expect(wrong.body.errors.map(({ field }: { field: string }) => field).toSorted()).toEqual([
      'credentials.apiKey',
      'credentials.key',
      'settings.region',
    ])
    expect(await putConnection('to-pinned', acme('pinned'))).toMatchObject({
      status: 201,
      body: {
        provider: 'pinned',
        providerRevision: 1,
        settings: {},
        effectiveLimits: { maxInFlight: 3, minIntervalMs: 7_000 },
      },
    })
    await put('pinned', documentOf('pinned', { limits: { maxInFlight: 9 }, credentials: { apiKey: {}, more: {} } }))
    expect((await api.call('GET /v1/connections/{name}', { name: 'to-pinned' })).body).toMatchObject({
      providerRevision: 1,
      effectiveLimits: { maxInFlight: 3 },
    })
    const patched = await api.call(
      'PATCH /v1/connections/{name}',
      { name: 'to-pinned' },
      { body: { limits: { maxInFlight: 4 } } },
    )
    expect(patched).toMatchObject({ status: 200, body: { providerRevision: 1, effectiveLimits: { maxInFlight: 4 } } })
    expect((await putConnection('to-pinned', acme('pinned'))).status).toBe(400)
    const both = { credentials: { apiKey: 'k', more: 'm' } }
    expect((await putConnection('to-pinned', acme('pinned', both))).body).toMatchObject({ providerRevision: 2 })
  })

  test('to a provider that comes with the service has no revision', async () => {
    const klaviyo = await putConnection('to-klaviyo', acme('klaviyo'))
    expect(klaviyo).toMatchObject({
      status: 201,
      body: { providerRevision: null, effectiveLimits: { requestsPerSecond: 2 } },
    })
    const wrong = await putConnection('to-klaviyo', acme('klaviyo', { settings: { jobType: 'nope' } }))
    expect(wrong.body.errors).toEqual([{ field: 'settings.jobType', message: expect.stringContaining('profile-bulk') }])
  })

  test('is opened by a process that has never heard of its provider', async () => {
    await put('unheard', documentOf('unheard'))
    await putConnection('to-unheard', acme('unheard'))
    const log = pino({ level: 'silent' })
    const accesses = createConnectionAccesses({ db: api.database.db, encryption: testEncryption, log })
    const { rows } = await api.database.pool.query(`SELECT id FROM connections WHERE name = 'to-unheard'`)
    const access = (await accesses.load([rows[0].id])).get(rows[0].id)
    expect(access).toMatchObject({ baseUrl: 'https://api.acme.example', limits: { maxInFlight: 3 } })
    const job = { jobId: '7', credentials: access?.credentials, settings: access?.settings }
    expect(access?.provider.statusRequest(job)).toMatchObject({
      path: '/eu/jobs/7',
      headers: { authorization: 'Bearer key-of-acme' },
    })
  })

  test('takes job ids of the form that its document says', async () => {
    await put('pathed', documentOf('pathed', { job: { kind: 'path', maxLength: 20 } }))
    await putConnection('to-pathed', acme('pathed'))
    const register = (jobId: string) => api.call('POST /v1/imports', {}, { body: { connection: 'to-pathed', jobId } })
    expect((await register('a/b/c')).status).toBe(201)
    for (const jobId of ['a//b', '../b', 'x'.repeat(21)])
      expect((await register(jobId)).body.errors).toEqual([{ field: 'jobId', message: expect.any(String) }])
  })

  test('has its imports found by its provider, and unknown ones refused', async () => {
    await put('listed', documentOf('listed'))
    await putConnection('to-listed', acme('listed'))
    await api.call('POST /v1/imports', {}, { body: { connection: 'to-listed', jobId: '1' } })
    const list = (provider: string) => api.call('GET /v1/imports', {}, { query: { provider } })
    expect((await list('listed')).body.data).toMatchObject([{ connection: 'to-listed', provider: 'listed' }])
    expect((await list('nobody')).body.errors).toMatchObject([{ field: 'provider' }])
  })

  test('records an answer that came inline', async () => {
    await put('inline', documentOf('inline'))
    await putConnection('to-inline', acme('inline'))
    const register = (result: Json) => api.call('POST /v1/imports', {}, { body: { connection: 'to-inline', result } })
    expect((await register({ state: 'done', all: 2 })).body).toMatchObject({ state: 'succeeded', rows: { total: 2 } })
  })
})

test('an endpoint can ask for the events of an uploaded provider', async () => {
  await put('told', documentOf('told'))
  const create = (providers: string[]) =>
    api.call('POST /v1/webhook-endpoints', {}, { body: { url: 'https://example.com/hook', providers } })
  expect((await create(['told', 'cdq', 'klaviyo'])).body).toMatchObject({ providers: ['told', 'cdq', 'klaviyo'] })
  expect((await create(['told', 'nobody'])).body.errors).toMatchObject([{ field: 'providers.1' }])
})

describe('deleting', () => {
  test('is refused while a connection uses it, and then frees the name', async () => {
    const remove = () => api.call('DELETE /v1/providers/{name}', { name: 'gone' })
    await put('gone', documentOf('gone'))
    await putConnection('to-gone', acme('gone'))
    expect((await remove()).body).toMatchObject({ status: 409, detail: expect.stringContaining('to-gone') })
    await api.call('DELETE /v1/connections/{name}', { name: 'to-gone' })
    expect((await remove()).status).toBe(204)
    expect((await remove()).status).toBe(404)
    expect((await putConnection('to-gone', acme('gone'))).body.errors).toMatchObject([{ field: 'provider' }])
    // A number that meant one document never means another.
    expect((await put('gone', documentOf('gone', { title: 'Again' }))).body).toMatchObject({ revision: 2 })
  })

  test('of what comes with the service is a conflict; an upload in its place can be taken back', async () => {
    const remove = (name: string) => api.call('DELETE /v1/providers/{name}', { name })
    expect((await remove('cdq')).status).toBe(409)
    expect((await remove('algolia')).status).toBe(409)
    const { document } = (await get('algolia')).body
    expect(await put('algolia', { ...document, title: 'Mine' })).toMatchObject({
      status: 201,
      body: { source: 'uploaded' },
    })
    expect((await remove('algolia')).status).toBe(204)
    expect((await get('algolia')).body).toMatchObject({ source: 'shipped', title: document.title })
  })
})

describe('trying', () => {
  let vendor: ReturnType<typeof createServer>
  let baseUrl: string
  beforeAll(async () => {
    vendor = createServer((request, response) => {
      const state = request.url?.endsWith('/known') ? 200 : 404
      response.writeHead(state, { 'content-type': 'application/json' }).end(JSON.stringify({ state: 'done', all: 8 }))
    })
    await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
    baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`
  })
  afterAll(() => vendor.close())

  test('shows what an answer means, by a stored document, one that is given, and a part of the service', async () => {
    await put('tried', documentOf('tried'))
    expect((await tried('tried', { answer: { body: { state: 'working', all: 5 } } })).body).toMatchObject({
      report: { state: 'running', rows: { total: 5 }, missing: null },
      details: null,
      error: null,
    })
    expect((await tried('tried', { answer: { status: 429 } })).body).toMatchObject({
      report: null,
      error: { code: 'rate_limited' },
    })
    expect((await tried('tried', { answer: { body: ['x'] } })).body).toMatchObject({
      error: { code: 'invalid_response' },
    })
    const document = documentOf('new')
    expect((await tried('new', { document, answer: { body: { state: 'odd' } } })).body).toMatchObject({
      report: { state: 'unmapped', providerStatus: 'odd' },
    })
    expect((await get('new')).status).toBe(404)
    expect((await tried('cdq', { answer: { body: { status: 'RUNNING' } } })).body).toMatchObject({
      report: { state: 'running' },
    })
  })

  test('asks about a job over a connection', async () => {
    await put('asked', documentOf('asked'))
    await putConnection('to-asked', acme('asked', { baseUrl }))
    const ask = (jobId: string) => tried('asked', { connection: 'to-asked', jobId })
    expect((await ask('known')).body).toMatchObject({ report: { state: 'succeeded', rows: { total: 8 } }, error: null })
    expect((await ask('other')).body).toMatchObject({ report: null, error: { code: 'not_found' } })
    await putConnection('to-cdq', { provider: 'cdq', credentials: { apiKey: 'k' } })
    expect((await tried('asked', { connection: 'to-cdq', jobId: '1' })).body.errors).toMatchObject([
      { field: 'connection' },
    ])
  })

  test.each([
    ['nothing', {}, 'answer'],
    ['a connection without a job', { connection: 'x' }, 'jobId'],
    ['a wrong document', { document: { format: 1 }, answer: {} }, 'document.name'],
  ])('%s is refused', async (_what, body, field) => {
    const answer = await tried('whatever', body)
    expect(answer.status).toBe(400)
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field)
  })
})
