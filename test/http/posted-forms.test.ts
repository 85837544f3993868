// Owns what comes of forms in clumsy hands: sent twice, reloaded, sent late, or made up.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { useApi } from '../support/worlds/api.ts'
import { formsOf } from './forms.ts'

const api = useApi()
const { filled, follow, page, post, signedIn } = formsOf(api)

describe('a form that is sent twice', () => {
  test('makes one endpoint, and shows its secret each time', async () => {
    const as = await signedIn('admin')
    const shown = (await page('/webhooks', as)).body
    const fields = { ...filled(shown, '/webhooks'), url: 'https://hooks.example.com/twice', types: 'import.failed' }
    const [one, other] = await Promise.all([post('/webhooks', as, fields), post('/webhooks', as, fields)])
    const third = await post('/webhooks', as, fields)
    for (const { status } of [one, other, third]) expect(status).toBe(303)
    const [first, ...others] = [one, other, third].map(({ headers }) => headers.get('location'))
    expect(others).toEqual([first, first])
    const endpoints = (await api.call('GET /v1/webhook-endpoints', {}, { query: { limit: '1000' } })).body.data
    expect(endpoints.filter(({ url }: { url: string }) => url === fields.url)).toHaveLength(1)
    const secret = secretIn((await follow(one, as)).body)
    expect(secretIn((await follow(other, as)).body)).toBe(secret)
  })

  test('that was changed in between is another one', async () => {
    const as = await signedIn('admin')
    const fields = { ...filled((await page('/webhooks', as)).body, '/webhooks'), types: 'import.failed' }
    for (const url of ['https://hooks.example.com/one', 'https://hooks.example.com/two'])
      expect((await post('/webhooks', as, { ...fields, url })).status).toBe(303)
    const { data } = (await api.call('GET /v1/webhook-endpoints', {}, { query: { limit: '1000' } })).body
    const urls = data.map(({ url }: { url: string }) => url)
    expect(urls).toEqual(expect.arrayContaining(['https://hooks.example.com/one', 'https://hooks.example.com/two']))
  })

  test('of two people are two', async () => {
    const [one, other] = [await signedIn('admin', 'one'), await signedIn('admin', 'other')]
    const fields = { key: newId(), url: 'https://hooks.example.com/both', types: 'import.failed' }
    const made = await Promise.all([one, other].map((as) => post('/webhooks', as, fields)))
    expect(new Set(made.map(({ headers }) => headers.get('location'))).size).toBe(2)
    // Nobody gets to see the other's secret by the address alone.
    expect((await page(made[0]?.headers.get('location') ?? '', other)).status).toBe(404)
  })

  test('makes one connection, and deletes one', async () => {
    const as = await signedIn('admin')
    const fields = {
      ...filled((await page('/connections/new?provider=cdq', as)).body, '/connections'),
      name: 'made-twice',
      'credentials.0.apiKey': 'key',
    }
    const made = await Promise.all([post('/connections', as, fields), post('/connections', as, fields)])
    expect(made.map(({ status }) => status)).toEqual([303, 303])
    expect((await follow(made[1] as never, as)).body).toContain('The connection is made.')
    const path = '/connections/made-twice/delete'
    const deletion = filled((await page(path, as)).body, path)
    const gone = await Promise.all([post(path, as, deletion), post(path, as, deletion)])
    expect(gone.map(({ status }) => status)).toEqual([303, 303])
    expect((await follow(gone[1] as never, as)).body).toContain('The connection is deleted.')
  })

  test('tries the credentials of a connection once', async () => {
    const as = await signedIn('admin')
    let calls = 0
    const provider = createServer((_request, response) => {
      calls++
      setTimeout(() => response.writeHead(404).end('{}'), 100)
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void provider.close())
    await new Promise((listening) => provider.once('listening', listening))
    const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
    const name = await api.putConnection({ provider: 'cdq', credentials: { apiKey: 'key' }, baseUrl })
    const path = `/connections/${name}/test`
    const fields = filled((await page(`/connections/${name}`, as)).body, path)
    const tried = await Promise.all([post(path, as, fields), post(path, as, fields)])
    expect(tried.map(({ status }) => status)).toEqual([303, 303])
    expect(calls).toBe(1)
    for (const answer of tried) expect((await follow(answer, as)).body).toContain('<b>It works:</b>')
  })

  test('registers an import once, and says so both times', async () => {
    const as = await signedIn('write')
    const connection = await api.putConnection()
    const shown = (await page(`/imports/new?connection=${connection}`, as)).body
    const fields = { ...filled(shown, '/imports'), connection, jobId: 'twice' }
    for (const answer of [await post('/imports', as, fields), await post('/imports', as, fields)])
      expect((await follow(answer, as)).body).toContain('The import is registered')
    const later = { ...filled((await page('/imports/new', as)).body, '/imports'), connection, jobId: 'twice' }
    expect((await follow(await post('/imports', as, later), as)).body).toContain('had been registered before')
  })

  test('steers an import once, and an action on many', async () => {
    const as = await signedIn('admin')
    const one = await api.register()
    const path = `/imports/${one.id}/poll`
    const fields = filled((await page(`/imports/${one.id}`, as)).body, path)
    const polled = await Promise.all([post(path, as, fields), post(path, as, fields)])
    expect(polled.map(({ status }) => status)).toEqual([303, 303])
    expect(await verbsOf({ importId: one.id })).toEqual(['import.poll'])

    const asked = await follow(await post('/imports/actions/confirm', as, { ids: one.id, action: 'stop' }), as)
    const many = filled(asked.body, '/imports/actions')
    const begun = await Promise.all([post('/imports/actions', as, many), post('/imports/actions', as, many)])
    expect(begun[0]?.headers.get('location')).toBe(begun[1]?.headers.get('location'))
    expect(await verbsOf({ importId: one.id })).toEqual(['import.stop', 'import.poll'])
  })

  test('gives an endpoint one new secret, one test, one recovery', async () => {
    const as = await signedIn('admin')
    const { id } = await anEndpoint()
    await api.delivery({ endpointId: id, state: 'exhausted', nextAttemptAt: null })
    const shown = (await page(`/webhooks/${id}`, as)).body
    for (const verb of ['rotate-secret', 'test', 'disable', 'enable']) {
      const path = `/webhooks/${id}/${verb}`
      const form = verb === 'enable' ? (await page(`/webhooks/${id}`, as)).body : shown
      const fields = { ...filled(form, path), ...(verb === 'rotate-secret' && { overlapHours: '24' }) }
      const done = await Promise.all([post(path, as, fields), post(path, as, fields)])
      expect(done.map(({ status }) => status)).toEqual([303, 303])
      expect(done[0]?.headers.get('location')).toBe(done[1]?.headers.get('location'))
    }
    const path = `/webhooks/${id}/recover`
    const fields = filled((await page(path, as)).body, path)
    for (const answer of [await post(path, as, fields), await post(path, as, fields)])
      expect((await follow(answer, as)).body).toContain('sent again')
    expect((await verbsOf({ endpointId: id })).toSorted()).toEqual(
      ['create', 'disable', 'enable', 'recover', 'rotate_secret', 'test'].map((verb) => `endpoint.${verb}`),
    )
  })
})

describe('a secret that was just made', () => {
  test('survives a reload and a switch of the colours, and nothing is made by either', async () => {
    const as = await signedIn('admin')
    const { id } = await anEndpoint()
    const made = await post(`/webhooks/${id}/rotate-secret`, as, { overlapHours: '0' })
    expect(made.status).toBe(303)
    const location = made.headers.get('location') ?? ''
    const secret = secretIn((await page(location, as)).body)
    expect(secretIn((await page(location, as)).body)).toBe(secret)
    const switched = await api.send('/preferences', {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: as, origin: api.url, referer: `${api.url}${location}` },
      body: new URLSearchParams({ theme: 'dark' }),
    })
    expect(secretIn((await page(switched.headers.get('location') ?? '', as)).body)).toBe(secret)
    expect(await verbsOf({ endpointId: id })).toEqual(['endpoint.rotate_secret', 'endpoint.create'])
  })

  test('is not shown later, nor by a made-up address, nor after another one was made', async () => {
    const as = await signedIn('admin')
    const { id } = await anEndpoint()
    const [action] = (await api.call('GET /v1/actions', {}, { query: { endpointId: id } })).body.data
    for (const did of [newId(), action.id])
      expect((await page(`/webhooks/${id}/secret?did=${did}`, as)).status).toBe(404)
    const made = await post(`/webhooks/${id}/rotate-secret`, as, {})
    expect((await follow(made, await signedIn('read'))).status).toBe(403)
    expect((await follow(made, as)).status).toBe(200)
    await api.call('POST /v1/webhook-endpoints/{id}/rotate-secret', { id }, { body: {} })
    expect((await follow(made, as)).status).toBe(409)
    const last = await post(`/webhooks/${id}/rotate-secret`, as, {})
    api.clock.advance(600_000)
    expect((await follow(last, as)).status).toBe(404)
  })
})

describe('what a page says was done', () => {
  test('is never what its address says', async () => {
    const as = await signedIn('admin')
    const { id } = await anEndpoint()
    const one = await api.register()
    for (const path of [
      `/webhooks/${id}?did=recover`,
      `/webhooks/${id}?did=enable`,
      '/connections?did=delete',
      `/imports/${one.id}?did=stop`,
      `/imports/${one.id}?registered=made-up`,
    ]) {
      const { status, body } = await page(path, as)
      expect(status, path).toBe(200)
      expect(body, path).not.toMatch(/notice good|sent again/)
    }
  })

  test('is said of what it was done to alone, to who did it, and for a while', async () => {
    const as = await signedIn('admin')
    const [one, other] = [await api.register(), await api.register()]
    const stopped = await post(`/imports/${one.id}/stop`, as, {})
    const location = stopped.headers.get('location') ?? ''
    expect((await page(location, as)).body).toContain('Polling has been stopped.')
    expect((await page(location.replace(one.id, other.id), as)).body).not.toContain('Polling has been stopped.')
    expect((await page(location, await signedIn('admin', 'somebody else'))).body).not.toContain('Polling has been')
    const deleted = await post(`/imports/${one.id}/delete`, as, {})
    expect((await follow(deleted, as)).body).toContain('The import is deleted')
    api.clock.advance(600_000)
    expect((await follow(deleted, as)).body).not.toContain('The import is deleted')
  })
})

describe('two people who change one thing', () => {
  test('a connection: the later one is told what differs, keeps what was typed, and may put it in place', async () => {
    const as = await signedIn('admin')
    const name = await api.putConnection({
      provider: 'cdq',
      credentials: { apiKey: 'key' },
      limits: { requestsPerSecond: 2 },
    })
    const path = `/connections/${name}/edit`
    const fields = filled((await page(path, as)).body, path)
    const body = { limits: { requestsPerSecond: 7 }, credentials: { apiKey: 'other' } }
    await api.call('PATCH /v1/connections/{name}', { name }, { body })
    const stale = await post(path, as, { ...fields, 'limits.maxInFlight': '3', 'limits.requestsPerSecond': '2' })
    expect(stale.status).toBe(409)
    expect(stale.body).toContain('limits.requestsPerSecond')
    expect(stale.body).toContain('was changed meanwhile: it is “7” now')
    expect(stale.body).toContain('credentials was changed meanwhile')
    const kept = filled(stale.body, path)
    expect(kept).toMatchObject({ 'limits.maxInFlight': '3', 'limits.requestsPerSecond': '2' })
    const untouched = (await api.call('GET /v1/connections/{name}', { name })).body
    expect(untouched.limits).toEqual({ requestsPerSecond: 7 })
    expect((await post(path, as, kept)).status).toBe(303)
    const changed = (await api.call('GET /v1/connections/{name}', { name })).body
    expect(changed.limits).toEqual({ requestsPerSecond: 2, maxInFlight: 3 })
  })

  test('an endpoint: of two who save at once one is refused', async () => {
    const as = await signedIn('admin')
    const { id } = await anEndpoint({ 'X-Key': 'private' })
    const path = `/webhooks/${id}/edit`
    const fields = { ...filled((await page(path, as)).body, path), types: 'import.failed' }
    const saved = await Promise.all(
      ['a', 'b'].map((end) => post(path, as, { ...fields, url: `https://hooks.example.com/${end}` })),
    )
    expect(saved.map(({ status }) => status).sort()).toEqual([303, 409])
    const refused = saved.find(({ status }) => status === 409)
    expect(refused?.body).toMatch(/was changed meanwhile: it is “https:\/\/hooks\.example\.com\/[ab]” now/)
    expect(refused?.body).not.toContain('private')
  })

  test('nothing is refused where nothing differs', async () => {
    const as = await signedIn('admin')
    const name = await api.putConnection()
    const path = `/connections/${name}/edit`
    const fields = filled((await page(path, as)).body, path)
    await api.call('PATCH /v1/connections/{name}', { name }, { body: {} })
    expect((await post(path, as, fields)).status).toBe(303)
  })
})

describe('what is typed as a number', () => {
  test.each([
    ['1,000', null],
    ['0x10', null],
    ['1e3', null],
    ['1_000', null],
    ['1.000', null],
    ['-5', null],
    ['Infinity', null],
    ['５', null],
    [' 5 ', 5],
    ['0.25', 0.25],
    ['007', 7],
  ])('%s requests a second', async (text, read) => {
    const as = await signedIn('admin')
    const name = await api.putConnection()
    const path = `/connections/${name}/edit`
    const fields = { ...filled((await page(path, as)).body, path), 'limits.requestsPerSecond': text }
    const saved = await post(path, as, fields)
    expect(saved.status).toBe(read === null ? 400 : 303)
    if (read === null) expect(saved.body).toMatch(/field-limits-requestsPerSecond-error"><span>\s*m(ust|ay) be/)
    const { limits } = (await api.call('GET /v1/connections/{name}', { name })).body
    expect(limits.requestsPerSecond ?? null).toBe(read)
  })

  test('a whole number, and a span without its unit', async () => {
    const as = await signedIn('admin')
    const name = await api.putConnection()
    const path = `/connections/${name}/edit`
    const fields = filled((await page(path, as)).body, path)
    const typed = { 'limits.maxInFlight': '1.5', 'limits.deadlineMs': '5', 'limits.maxIntervalMs': '0.0001 ms' }
    const { status, body } = await post(path, as, { ...fields, ...typed })
    expect(status).toBe(400)
    expect(body).toContain('must be a whole number of digits alone')
    expect(body).toContain('must be a span of time with its unit')
    expect(body).toContain('must be whole milliseconds')
  })
})

describe('the headers of an endpoint', () => {
  test.each([
    [['X-One', 'x-one'], 'x-one is there twice'],
    [['X-One', 'X-One'], 'X-One is there twice'],
    [['__proto__'], '__proto__'],
  ])('%s', async (names, complaint) => {
    const as = await signedIn('admin')
    const given = names.flatMap((name): [string, string][] => [
      ['headerName', name],
      ['headerValue', 'v'],
    ])
    const url = 'https://hooks.example.com/h'
    const made = await post('/webhooks', as, [['url', url], ['types', 'import.failed'], ...given])
    expect(made.status).toBe(400)
    expect(made.body).toContain(complaint)
  })

  test('a stored one is kept whatever its case, and given once', async () => {
    const as = await signedIn('admin')
    const { id } = await anEndpoint({ 'X-Key': 'private' })
    const rest: [string, string][] = [
      ['url', 'https://hooks.example.com/h'],
      ['types', 'import.failed'],
      ['headerName', 'x-key'],
    ]
    expect((await post(`/webhooks/${id}/edit`, as, [...rest, ['headerValue', '']])).status).toBe(303)
    expect((await api.call('GET /v1/webhook-endpoints/{id}', { id })).body.headers).toEqual({ 'X-Key': '********' })
    expect((await post(`/webhooks/${id}/edit`, as, [...rest, ['headerValue', 'new']])).status).toBe(303)
    expect((await api.call('GET /v1/webhook-endpoints/{id}', { id })).body.headers).toEqual({ 'x-key': '********' })
  })
})

test('a page that answers a form offers no switch that would lose it', async () => {
  const as = await signedIn('admin')
  const refused = await post('/webhooks', as, { url: 'not a URL', types: 'import.failed' })
  expect(refused.status).toBe(400)
  expect(refused.body).not.toContain('action="/preferences"')
  const failed = await post(`/imports/${newId()}/poll`, as, {})
  expect(failed.status).toBe(404)
  expect(failed.body).not.toContain('action="/preferences"')
})

test('a list of a connection that nobody has says that there is none', async () => {
  const as = await signedIn('read')
  expect((await page('/imports?connection=nobody', as)).body).toContain('There is no connection nobody')
})

test('a form that is too long is told its own limit', async () => {
  const as = await signedIn('admin')
  const { status, body } = await post('/webhooks', as, { url: 'x'.repeat(140_000) })
  expect(status).toBe(413)
  expect(body).toContain('larger than 128 KiB')
  const json = await api.call('POST /v1/webhook-endpoints', {}, { body: { url: 'x'.repeat(1_100_000) } })
  expect(json.body.detail).toContain('larger than 1 MiB')
})

test('metadata can’t have the key __proto__', async () => {
  const as = await signedIn('admin')
  const connection = await api.putConnection()
  for (const [path, fields] of [
    ['/imports', { connection, jobId: 'one' }],
    ['/webhooks', { url: 'https://hooks.example.com', types: 'import.failed' }],
  ] as const) {
    const refused = await post(path, as, { ...fields, metadata: '__proto__=x' })
    expect(refused.status).toBe(400)
    expect(refused.body).toContain('must not have the key __proto__')
  }
})

test('what was ticked is asked about at an address that can be asked for again', async () => {
  const as = await signedIn('write')
  const some = [await api.register(), await api.register()]
  const asked = await post(
    '/imports/actions/confirm',
    as,
    some.map(({ id }): [string, string] => ['ids', id]).concat([['action', 'stop']]),
  )
  expect(asked.status).toBe(303)
  for (const { body } of [await follow(asked, as), await follow(asked, as)]) expect(body).toContain('Stop 2 imports')
  const none = await post('/imports/actions/confirm', as, { action: 'stop' })
  expect((await follow(none, as)).body).toContain('Nothing is selected')
})

function secretIn(body: string): string {
  const secret = /<code class="secret">(whsec_[^<]+)</.exec(body)?.[1]
  if (secret === undefined) throw new Error('The page shows no secret.')
  return secret
}

async function anEndpoint(headers: Record<string, string> = {}) {
  const url = 'https://hooks.example.com/in'
  return (await api.call('POST /v1/webhook-endpoints', {}, { body: { url, headers } })).body
}

async function verbsOf(query: Record<string, string>): Promise<string[]> {
  const { body } = await api.call('GET /v1/actions', {}, { query })
  return body.data.map(({ verb }: { verb: string }) => verb)
}
