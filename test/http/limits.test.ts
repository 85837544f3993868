import { once } from 'node:events'
import { request as send } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { type Api, useApi } from '../support/worlds/api.ts'
import { adminToken } from '../support/worlds/ground.ts'

const few = { requestsPerSecond: 5, streamsPerToken: 2, streams: 3, waiters: 2, downloads: 1 }
const many = { ...few, requestsPerSecond: 1_000_000 }

async function aToken(api: Api, scope = 'read'): Promise<{ id: string; token: string }> {
  return (await api.call('POST /v1/tokens', {}, { body: { name: scope, scope } })).body
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

const tooMany = { status: 429, code: 'too_many_requests', title: 'Too Many Requests' }

describe('requests of a token', () => {
  const api = useApi({ limits: few })
  const list = (token: string) => api.call('GET /v1/connections', {}, { token })

  test('past its allowance are refused until it refills, and others go on', async () => {
    const [busy, other] = [await aToken(api), await aToken(api)]
    for (let count = 0; count < few.requestsPerSecond; count++) expect((await list(busy.token)).status).toBe(200)
    const refused = await list(busy.token)
    expect(refused.body).toMatchObject(tooMany)
    expect(refused.headers.get('content-type')).toContain('application/problem+json')
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await list(other.token)).status).toBe(200)
    expect((await api.send('/healthz', { headers: bearer(busy.token) })).status).toBe(200)
    api.clock.advance(1_000 / few.requestsPerSecond)
    expect((await list(busy.token)).status).toBe(200)
    expect((await list(busy.token)).status).toBe(429)
    api.clock.advance(60_000)
    for (let count = 0; count < few.requestsPerSecond; count++) expect((await list(busy.token)).status).toBe(200)
    expect((await list(busy.token)).status).toBe(429)
  })

  test('are counted for pages, too', async () => {
    const { token } = await aToken(api)
    const open = () => api.send('/', { headers: bearer(token) })
    for (let count = 0; count < few.requestsPerSecond; count++) expect((await open()).status).toBe(200)
    expect((await open()).body).toMatchObject(tooMany)
  })

  test('after a clock was ahead are refused no longer than else', async () => {
    const { token } = await aToken(api)
    api.clock.advance(86_400_000)
    for (let count = 0; count < 10; count++) await list(token)
    api.clock.advance(-86_400_000)
    await list(token)
    api.clock.advance(1_000)
    expect((await list(token)).status).toBe(200)
  })
})

describe('wrong tokens', () => {
  const api = useApi({ limits: many, trustedProxies: ['127.0.0.0/8'] })
  const from = (address: string, token: string) =>
    api.send('/v1/connections', { headers: { ...bearer(token), 'x-forwarded-for': address } })
  const login = (address: string, token: string) =>
    api.send('/login', {
      method: 'POST',
      redirect: 'manual',
      headers: { 'x-forwarded-for': address },
      body: new URLSearchParams({ token }),
    })
  const wrong = (number: number) => `imt_${String(number).padStart(43, '0')}`

  test('are slowed by their address, and valid ones from there never', async () => {
    const { token } = await aToken(api)
    const statuses: number[] = []
    for (let number = 0; number < 100; number++) statuses.push((await from('192.0.2.1', wrong(number))).status)
    expect(statuses.indexOf(429)).toBe(30)
    expect(new Set(statuses.slice(30))).toEqual(new Set([429]))
    const refused = await from('192.0.2.1', wrong(1_000))
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(refused.body).toMatchObject(tooMany)
    // One that this process has never seen, and the bootstrap token.
    for (const valid of [token, adminToken]) expect((await from('192.0.2.1', valid)).status).toBe(200)
    expect((await from('192.0.2.2', wrong(1_000))).status).toBe(401)
    api.clock.advance(1_000)
    expect((await from('192.0.2.1', wrong(1_000))).status).toBe(401)
    expect((await from('192.0.2.1', wrong(1_000))).status).toBe(429)
  })

  test('at the sign-in are slowed alike', async () => {
    const statuses: number[] = []
    for (let number = 0; number < 40; number++) statuses.push((await login('198.51.100.1', wrong(number))).status)
    expect(statuses.indexOf(429)).toBe(30)
    expect((await login('198.51.100.1', 'no')).headers.get('retry-after')).toBe('1')
    expect((await from('198.51.100.1', 'no')).status).toBe(429)
    expect((await login('198.51.100.1', adminToken)).status).toBe(303)
  })

  test('from one IPv6 network count together, however many addresses it has', async () => {
    for (let number = 0; number < 30; number++) await from(`2001:db8:1:2::${number}`, 'no')
    expect((await from('2001:db8:1:2:ffff::1', 'no')).status).toBe(429)
    expect((await from('2001:db8:1:3::1', 'no')).status).toBe(401)
    expect((await from('::ffff:203.0.113.9', 'no')).status).toBe(401)
  })

  test('are no query each, one after the other or all at once, and cost none when they come again', async () => {
    const statements = vi.spyOn(api.database.pool, 'query')
    const startedAt = performance.now()
    for (let number = 0; number < 100; number++) await from('203.0.113.1', wrong(4_000 + number))
    await Promise.all(Array.from({ length: 200 }, (_, number) => from('203.0.113.2', wrong(5_000 + number))))
    expect(statements.mock.calls.length).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 20)
    statements.mockClear()
    await Promise.all(Array.from({ length: 200 }, (_, number) => from('203.0.113.2', wrong(5_000 + number))))
    expect(statements).not.toHaveBeenCalled()
    statements.mockRestore()
  })
})

describe('the forwarded address', () => {
  const api = useApi({ limits: many })

  test('of a proxy that isn’t trusted is not believed', async () => {
    for (let number = 0; number < 31; number++)
      await api.send('/v1/connections', { headers: { ...bearer('no'), 'x-forwarded-for': `192.0.2.${number}` } })
    expect((await api.send('/v1/connections', { headers: bearer('no') })).status).toBe(429)
  })
})

describe('calls that last', () => {
  const api = useApi({ limits: many })
  const opened: AbortController[] = []

  async function stream(token: string): Promise<Response> {
    const client = new AbortController()
    opened.push(client)
    const { id } = await api.register()
    return fetch(`${api.url}/v1/imports/${id}/stream`, { headers: bearer(token), signal: client.signal })
  }
  async function allGone() {
    for (const client of opened.splice(0)) client.abort()
  }

  test('streams are as many as one token, and all together, may have', async () => {
    const [one, two] = [await aToken(api), await aToken(api)]
    for (let count = 0; count < few.streamsPerToken; count++) expect((await stream(one.token)).status).toBe(200)
    const refused = await stream(one.token)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await refused.json()).toMatchObject(tooMany)
    expect((await stream(two.token)).status).toBe(200)
    expect((await stream(two.token)).status).toBe(429)
    await allGone()
    await vi.waitFor(async () => expect((await stream(one.token)).status).toBe(200), 5_000)
    await allGone()
  })

  test('waiting requests are as many as all together may have', async () => {
    const { token } = await aToken(api)
    const client = new AbortController()
    const statements = vi.spyOn(api.database.pool, 'query')
    const imports = await Promise.all(Array.from({ length: few.waiters }, () => api.register()))
    statements.mockClear()
    const waiting = imports.map(({ id }) => {
      const waits = fetch(`${api.url}/v1/imports/${id}?waitMs=60000`, { headers: bearer(token), signal: client.signal })
      return expect(waits).rejects.toThrow()
    })
    // Each is read when it has its place.
    const isRead = () => imports.every(({ id }) => JSON.stringify(statements.mock.calls).includes(id))
    await vi.waitUntil(isRead, { timeout: 10_000 })
    statements.mockRestore()
    const id = imports[0]?.id ?? ''
    const refused = await api.call('GET /v1/imports/{id}', { id }, { token, query: { waitMs: 60_000 } })
    expect(refused.body).toMatchObject(tooMany)
    expect((await api.call('GET /v1/imports/{id}', { id }, { token })).status).toBe(200)
    client.abort()
    await Promise.all(waiting)
  })

  test('downloads are, and a reader that stops reading holds its place', async () => {
    const { id } = await api.import()
    // More than the buffers of both ends hold.
    const rows = Array.from({ length: 250 }, () => ({ errorMessage: 'x'.repeat(10_000) }))
    for (let page = 0; page < 8; page++)
      await api.rowResults(
        id,
        rows.map((row, index) => ({ ...row, row: page * rows.length + index, page })),
      )
    const path = `/v1/imports/${id}/row-results`
    const reader = connect(Number(new URL(api.url).port), '127.0.0.1')
    reader.write(`GET ${path} HTTP/1.1\r\nhost: x\r\naccept: text/csv\r\nauthorization: Bearer ${adminToken}\r\n\r\n`)
    await once(reader, 'readable') // and reads no further
    const again = () => api.send(path, { headers: { ...bearer(adminToken), accept: 'text/csv' } })
    expect((await again()).body).toMatchObject(tooMany)
    reader.destroy()
    await vi.waitFor(async () => expect((await again()).status).toBe(200), 10_000)
  })
})

describe('a revoked token', () => {
  const api = useApi({ limits: { ...many, streams: 100, streamsPerToken: 100, waiters: 100 } })

  async function open(token: string) {
    const { id } = await api.register()
    const stream = await fetch(`${api.url}/v1/imports/${id}/stream`, { headers: bearer(token) })
    const ended = stream.text()
    const waited = api.call('GET /v1/imports/{id}', { id }, { token, query: { waitMs: 60_000 } })
    // It waits when it is looked for.
    const statements = vi.spyOn(api.database.pool, 'query')
    await vi.waitUntil(() => JSON.stringify(statements.mock.calls).includes(id), { timeout: 10_000 })
    statements.mockRestore()
    return { ended, waited }
  }

  test('ends its streams and waiting requests at once where it is revoked, and no others', async () => {
    const [one, other] = [await aToken(api), await aToken(api)]
    const { ended, waited } = await open(one.token)
    const { id } = await api.register()
    const goesOn = api.call('GET /v1/imports/{id}', { id }, { token: other.token, query: { waitMs: 60_000 } })
    await api.call('DELETE /v1/tokens/{id}', { id: one.id })
    expect(await ended).toContain('event: import')
    expect((await waited).body).toMatchObject({ status: 401, code: 'unauthenticated' })
    await api.database.pool.query(`UPDATE imports SET state = 'failed' WHERE id = $1`, [id])
    expect((await goesOn).body).toMatchObject({ state: 'failed' })
  })

  test('ends them within seconds where another process has revoked it', async () => {
    const { id, token } = await aToken(api)
    const { ended, waited } = await open(token)
    await api.database.pool.query('DELETE FROM api_tokens WHERE id = $1', [id])
    const revokedAt = performance.now()
    expect(await ended).toContain('event: import')
    expect((await waited).status).toBe(401)
    expect(performance.now() - revokedAt).toBeLessThan(30_000) // the call itself would last for a minute
  })
})

describe('HEAD', () => {
  const api = useApi({ limits: many })

  test.each(['stream', 'skipped-lines', 'row-results', 'snapshots', 'events', '?waitMs=60000'])(
    'of %s is answered at once',
    async (what) => {
      const { id } = await api.register()
      const path = what.startsWith('?') ? `/v1/imports/${id}${what}` : `/v1/imports/${id}/${what}`
      for (const accept of ['application/json', 'text/csv', 'text/event-stream'])
        await new Promise<void>((resolve, reject) => {
          const asked = send(
            `${api.url}${path}`,
            { method: 'HEAD', headers: { ...bearer(adminToken), accept } },
            (answer) => {
              expect(answer.statusCode).toBe(200)
              answer.resume().once('end', resolve)
            },
          )
          asked.once('error', reject).end()
        })
    },
  )

  test('of the stream of nothing is 404', async () => {
    const answer = await api.send('/v1/imports/0/stream', { method: 'HEAD', headers: bearer(adminToken) })
    expect(answer.status).toBe(404)
  })
})

describe('nothing is kept', () => {
  const api = useApi({ limits: many })

  test('of the API’s answers, and of signed-in pages', async () => {
    const created = await api.call('POST /v1/tokens', {}, { body: { name: 'x', scope: 'read' } })
    expect(created.headers.get('cache-control')).toBe('no-store')
    for (const path of ['/', '/login', '/queues', '/queues/api/queues', '/v1/imports', '/v1/nothing'])
      expect((await api.send(path, { headers: bearer(adminToken) })).headers.get('cache-control'), path).toBe(
        'no-store',
      )
    for (const path of ['/assets/style.css', '/docs'])
      expect((await api.send(path)).headers.get('cache-control'), path).not.toBe('no-store')
  })
})

describe('refusals', () => {
  const api = useApi({ limits: many })
  const post = (body: unknown, path = '/v1/imports') =>
    fetch(`${api.url}${path}`, {
      method: 'POST',
      headers: { ...bearer(adminToken), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).then((response) => response.text())

  test.each([
    [
      '50,000 unknown fields',
      Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`unknown-${index}`, 0])),
    ],
    ['an unknown field of 900 KB', { ['x'.repeat(900_000)]: 0 }],
    ['a connection of 900 KB', { connection: 'x'.repeat(900_000), jobId: 'x' }],
    ['a job of 900 KB', { connection: 'x', jobId: 'x'.repeat(900_000) }],
    ['50,000 wrong values', { connection: 'x', jobId: 'x', metadata: Array.from({ length: 50_000 }, () => 0) }],
  ])('of %s are short', async (_what, body) => {
    const text = await post(body)
    expect(JSON.parse(text)).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(text.length).toBeLessThan(6_000)
  })

  test('of a batch are no longer than twice what was sent', async () => {
    const item = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`u${index}`, 0]))
    const imports = Array.from({ length: 1_000 }, () => item)
    const text = await post({ imports: imports.slice(0, 800) }, '/v1/imports/batch')
    expect(JSON.parse(text).data).toHaveLength(800)
    expect(text.length).toBeLessThan(2 * 1024 * 1024)
  })
})

describe('another site’s page', () => {
  const api = useApi({ limits: many, corsOrigins: ['https://app.example.com'] })
  const origin = 'https://app.example.com'

  test('of a named origin may call the API, and read what an answer says besides', async () => {
    const preflight = await api.send('/v1/imports', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization')
    for (const token of [adminToken, 'wrong']) {
      const { headers } = await api.send('/v1/imports', { headers: { ...bearer(token), origin } })
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(headers.get('access-control-expose-headers')).toContain('Retry-After')
      expect(headers.get('access-control-allow-credentials')).toBeNull()
      expect(headers.get('vary')).toContain('Origin')
    }
  })

  test.each(['https://evil.example', 'https://app.example.com.evil.example', 'http://app.example.com', 'null'])(
    'of %s may not',
    async (other) => {
      const asked = { origin: other, 'access-control-request-method': 'POST' }
      const preflight = await api.send('/v1/imports', { method: 'OPTIONS', headers: asked })
      expect(preflight.status).toBe(405)
      for (const headers of [
        preflight.headers,
        (await api.send('/v1/imports', { headers: { ...bearer(adminToken), origin: other } })).headers,
      ])
        expect(headers.get('access-control-allow-origin')).toBeNull()
    },
  )

  test('may call nothing but the API', async () => {
    const { headers } = await api.send('/', { headers: { ...bearer(adminToken), origin } })
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})
