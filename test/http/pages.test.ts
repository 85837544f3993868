import { describe, expect, test } from 'vitest'
import { queueNames, storedName } from '../../src/queue/jobs.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken } from '../support/worlds/ground.ts'

const api = useApi({
  checks: {
    database: async () => {},
    queue: () => queue(),
  },
})
let queue = () => Promise.resolve()
const page = { accept: 'text/html' }

function signIn(token: string, headers: Record<string, string> = {}, next = '/') {
  return api.send('/login', { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams({ token, next }) })
}

async function sessionOf(token: string): Promise<string> {
  const { headers } = await signIn(token)
  return headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

async function aToken(scope: string): Promise<{ id: string; token: string }> {
  return (await api.call('POST /v1/tokens', {}, { body: { name: scope, scope } })).body
}

describe('signing in', () => {
  test('sets a cookie that no script sees, no other site’s form sends, and that doesn’t hold the token', async () => {
    const { status, headers } = await signIn(adminToken)
    expect(status).toBe(303)
    expect(headers.get('location')).toBe('/')
    const [cookie = ''] = headers.getSetCookie()
    expect(cookie).toMatch(/^import_tracker_session=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/i)
    expect(decodeURIComponent(cookie)).not.toContain(adminToken)
    expect(Buffer.from(cookie.split('.')[1] ?? '', 'base64url').toString('latin1')).not.toContain(adminToken)
  })

  test('over https the cookie is Secure', async () => {
    const { headers } = await signIn(adminToken, { 'x-forwarded-proto': 'https' })
    expect(headers.getSetCookie()[0]).toMatch(/; Secure/)
  })

  test('with a wrong token is refused on the page, without a cookie', async () => {
    const { status, headers, body } = await signIn('wrong')
    expect(status).toBe(401)
    expect(headers.getSetCookie()).toEqual([])
    expect(body).toContain('This token is not valid.')
  })

  test.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/.//evil.example',
    '//here//evil.example',
    'javascript:alert(1)',
    '/\t/evil.example',
  ])('never leads to %s', async (next) => {
    const { headers } = await signIn(adminToken, {}, next)
    expect(new URL(headers.get('location') ?? '', api.url).origin).toBe(api.url)
  })

  test('leads back to the page that was wanted', async () => {
    const asked = await api.send('/queues?x=1', { headers: page, redirect: 'manual' })
    expect(asked.headers.get('location')).toBe('/login?next=%2Fqueues%3Fx%3D1')
    expect((await signIn(adminToken, {}, '/queues?x=1')).headers.get('location')).toBe('/queues?x=1')
  })

  test('from another site’s form is refused', async () => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ])
      expect((await signIn(adminToken, headers)).body).toMatchObject({ status: 403, code: 'forbidden' })
    expect((await signIn(adminToken, { origin: api.url })).status).toBe(303)
  })
})

describe('a session', () => {
  const open = (cookie: string, path = '/') => api.send(path, { headers: { ...page, cookie }, redirect: 'manual' })

  test('shows the dashboard until it is signed out', async () => {
    const cookie = await sessionOf(adminToken)
    expect((await open(cookie)).status).toBe(200)
    const out = await api.send('/logout', { method: 'POST', headers: { cookie }, redirect: 'manual' })
    expect(out.headers.getSetCookie()[0]).toMatch(/^import_tracker_session=; Max-Age=0/)
    expect((await open(cookie)).status).toBe(303)
    expect((await open(await sessionOf(adminToken))).status).toBe(200)
  })

  test('that is signed out twice, or without one, is signed out', async () => {
    const cookie = await sessionOf(adminToken)
    for (const headers of [{ cookie }, { cookie }, { cookie: 'import_tracker_session=x' }, {}] as Record<
      string,
      string
    >[])
      expect((await api.send('/logout', { method: 'POST', headers, redirect: 'manual' })).status).toBe(303)
    const { rows } = await api.database.pool.query('SELECT * FROM ended_sessions')
    api.clock.advance(12 * 3_600_000 + 1)
    const next = await sessionOf(adminToken)
    await api.send('/logout', { method: 'POST', headers: { cookie: next }, redirect: 'manual' })
    expect(rows.length).toBeGreaterThan(0)
    expect((await api.database.pool.query('SELECT * FROM ended_sessions')).rows).toHaveLength(1)
  })

  test('ends after twelve hours', async () => {
    const cookie = await sessionOf(adminToken)
    api.clock.advance(12 * 3_600_000 - 1)
    expect((await open(cookie)).status).toBe(200)
    api.clock.advance(1)
    expect((await open(cookie)).status).toBe(303)
  })

  test('ends with its token', async () => {
    const { id, token } = await aToken('read')
    const cookie = await sessionOf(token)
    expect((await open(cookie)).status).toBe(200)
    await api.call('DELETE /v1/tokens/{id}', { id })
    expect((await open(cookie)).status).toBe(303)
  })

  test('that was tampered with is none', async () => {
    const cookie = await sessionOf(adminToken)
    for (const bad of [
      `${cookie.slice(0, -3)}abc`,
      'import_tracker_session=x',
      'import_tracker_session=a.b.c',
      'import_tracker_session=%',
    ])
      expect((await open(bad)).status, bad).toBe(303)
  })

  test('is known where nothing is, too: nobody who is signed in is asked to sign in', async () => {
    const cookie = await sessionOf((await aToken('read')).token)
    const known = await api.send('/nothing', { headers: { ...page, cookie } })
    expect(known.status).toBe(404)
    expect(known.body).toContain('There is nothing here')
    expect(known.body).toContain('href="/imports"')
    expect(known.body).not.toContain('Sign in')
    const stranger = await api.send('/nothing', { headers: page })
    expect(stranger.status).toBe(404)
    expect(stranger.body).toContain('<a href="/login">Sign in</a>')
    expect(stranger.body).not.toContain('href="/imports"')
    expect((await api.send('/v1/nothing', { headers: { ...page, cookie } })).body).toMatchObject({ code: 'not_found' })
  })

  test('is known where a query can’t be read, too', async () => {
    const cookie = await sessionOf(adminToken)
    const { status, body } = await api.send('/imports?jobId=%00', { headers: { ...page, cookie } })
    expect(status).toBe(400)
    expect(body).toContain('jobId must not contain the character U+0000')
    expect(body).toContain('href="/connections"')
    expect(body).not.toContain('Sign in')
  })

  test('is no way into the API', async () => {
    const cookie = await sessionOf(adminToken)
    expect((await api.send('/v1/imports', { headers: { cookie } })).status).toBe(401)
  })
})

describe('Bull Board', () => {
  test('is for admins: by session or by token', async () => {
    const write = await aToken('write')
    const get = (headers: Record<string, string>) => api.send('/queues', { headers, redirect: 'manual' })
    expect((await get({ accept: 'application/json' })).status).toBe(401)
    expect((await get(page)).status).toBe(303)
    expect((await get({ ...page, cookie: await sessionOf(write.token) })).status).toBe(403)
    expect((await get({ ...page, authorization: `Bearer ${write.token}` })).status).toBe(403)
    expect((await get({ ...page, cookie: await sessionOf(adminToken) })).status).toBe(200)
    expect((await get({ authorization: `Bearer ${adminToken}` })).body).not.toContain('googleapis')
  })

  test('shows the queues, and changes none of them', async () => {
    const headers = { cookie: await sessionOf(adminToken), origin: api.url }
    const { body } = await api.send('/queues/api/queues', { headers })
    expect(
      body.queues
        .map(({ name, readOnlyMode }: { name: string; readOnlyMode: boolean }) => [name, readOnlyMode])
        .toSorted(),
    ).toEqual(queueNames.map((name) => [storedName(name), true]).toSorted())
    await api.queues.all.dispatch.upsertJobScheduler('tick-poll', { every: 60_000 })
    for (const [method, path] of [
      ['PUT', `${storedName('poll')}/pause`],
      ['PUT', `${storedName('dispatch')}/job-schedulers/tick-poll/remove`],
      ['PUT', `${storedName('dispatch')}/empty`],
      ['PUT', `${storedName('dispatch')}/obliterate`],
      ['POST', `${storedName('poll')}/add`],
      ['DELETE', storedName('poll')],
    ] as const)
      expect((await api.send(`/queues/api/queues/${path}`, { method, headers })).status, path).toBe(405)
    expect(await api.queues.all.poll.isPaused()).toBe(false)
    expect(await api.queues.all.dispatch.getJobScheduler('tick-poll')).toBeDefined()
  })
})

describe('the dashboard', () => {
  test('shows imports and connections, with whatever they are called escaped', async () => {
    const connection = await api.putConnection()
    await api.register({ connection, jobId: '<script>alert("1")</script>' })
    const { status, body } = await api.send('/', { headers: { authorization: `Bearer ${adminToken}` } })
    expect(status).toBe(200)
    expect(body).toContain(connection)
    expect(body).toContain('&#60;script&#62;alert(&#34;1&#34;)')
    expect(body).not.toContain('<script>')
  })

  test('says that a queue is paused', async () => {
    const dashboard = async () => (await api.send('/', { headers: { authorization: `Bearer ${adminToken}` } })).body
    await api.queues.all.poll.pause()
    expect(await dashboard()).toContain('The queue poll is paused.')
    await api.queues.all.poll.resume()
    expect(await dashboard()).not.toContain('The queue poll is paused.')
  })

  test('shows what turns the direction of a name, and breaks its lines', async () => {
    await api.register({ jobId: 'a\u202eb\nc' })
    const { body } = await api.send('/', { headers: { authorization: `Bearer ${adminToken}` } })
    expect(body).toContain('a⟨U+202E⟩b⟨U+000A⟩c')
    expect(body).not.toContain('\u202e')
  })
})

test('what a form asked for in vain leads back to the form', async () => {
  const connection = await api.connection()
  const { id } = await api.import({ connectionId: connection.id, state: 'succeeded', finishedAt: api.clock.now() })
  const headers = { ...page, cookie: await sessionOf(adminToken), origin: api.url }
  const post = (referer: string) =>
    api.send(`/imports/${id}/stop`, { method: 'POST', headers: { ...headers, referer } })
  const refused = await post(`${api.url}/imports/${id}`)
  expect(refused.status).toBe(409)
  expect(refused.body).toContain(`<a href="/imports/${id}">Back</a>`)
  expect((await post('https://evil.example/')).body).not.toContain('>Back<')
})

describe('the list of imports', () => {
  test('says that there is no such connection, and leads to those that there are, with the rest of the filter', async () => {
    const connection = await api.putConnection()
    const cookie = await sessionOf(adminToken)
    const { body } = await api.send('/imports?connection=no-such-one&state=lost', { headers: { ...page, cookie } })
    expect(body).toContain('There is no connection no-such-one, or not any more.')
    expect(body).toContain(`<a href="/imports?connection=${connection}&#38;state=lost">${connection}</a>`)
    const found = await api.send(`/imports?connection=${connection}&state=lost`, { headers: { ...page, cookie } })
    expect(found.body).toContain('No import matches.')
    expect(found.body).not.toContain('There is no connection')
  })
})

test('a filter of deliveries that can’t be read costs nothing else of the page', async () => {
  const { id } = await api.endpoint()
  const headers = { ...page, cookie: await sessionOf(adminToken) }
  const { status, body } = await api.send(`/webhooks/${id}?state=foo`, { headers })
  expect(status).toBe(200)
  expect(body).toMatch(/<h2 id="deliveries">.*<li class="complaint">state must be one of .*exhausted/s)
  expect(body).toContain(`href="/webhooks/${id}#deliveries">Clear the filter</a>`)
})

test('a filter of deliveries from another zone is shown in UTC', async () => {
  const { id } = await api.endpoint()
  const headers = { ...page, cookie: await sessionOf(adminToken) }
  const query = new URLSearchParams({ createdAfter: '2026-01-31T14:00:00+02:00' })
  const { body } = await api.send(`/webhooks/${id}?${query}`, { headers })
  expect(body).toContain('name="createdAfter" value="2026-01-31T12:00:00"')
})

test('an action whose import was deleted says so', async () => {
  const { id } = await api.register()
  await api.call('DELETE /v1/imports/{id}', { id })
  const { data } = (await api.call('GET /v1/actions', {}, { query: { importId: id } })).body
  const headers = { ...page, cookie: await sessionOf(adminToken) }
  const { body } = await api.send(`/actions/${data[0].id}`, { headers })
  expect(body).toContain('The import was deleted.')
  expect(body).not.toContain('<table')
})

describe('what machines ask', () => {
  test('is open: alive, ready, metrics, the OpenAPI document and the docs', async () => {
    expect((await api.send('/healthz')).body).toEqual({ status: 'ok' })
    expect((await api.send('/readyz')).body).toEqual({ status: 'ok', checks: { database: 'ok', queue: 'ok' } })
    expect((await api.send('/metrics')).body).toBe('up 1\n')
    expect((await api.send('/openapi.json')).body.openapi).toBe('3.1.0')
    expect((await api.send('/docs')).status).toBe(200)
  })

  test('not ready is 503, and says which part it is', async () => {
    queue = () => Promise.reject(new Error('away'))
    const { status, body } = await api.send('/readyz')
    queue = () => Promise.resolve()
    expect(status).toBe(503)
    expect(body).toEqual({ status: 'failed', checks: { database: 'ok', queue: 'failed' } })
    expect((await api.send('/healthz')).status).toBe(200)
  })

  test('a part that doesn’t answer counts as failed after two seconds', async () => {
    queue = () => new Promise(() => {})
    const startedAt = performance.now()
    const { status, body } = await api.send('/readyz')
    queue = () => Promise.resolve()
    expect({ status, body }).toEqual({
      status: 503,
      body: { status: 'failed', checks: { database: 'ok', queue: 'failed' } },
    })
    expect(performance.now() - startedAt).toBeLessThan(8_000)
  })
})
