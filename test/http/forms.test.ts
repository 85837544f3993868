// Owns the forms of pages as a browser without scripts posts them.
import { describe, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { deliveryAttempts } from '../../src/db/schema/index.ts'
import { useApi } from '../support/worlds/api.ts'
import { formsOf } from './forms.ts'

const api = useApi()
const { follow, page, post, signedIn } = formsOf(api)

const acme = {
  format: 1,
  name: 'acme',
  title: 'Acme imports',
  baseUrl: 'https://api.acme.example',
  credentials: [{ apiKey: { title: 'API key' } }, { user: { kind: 'text' }, password: { kind: 'text' } }],
  settings: { region: { values: ['eu', 'us'] }, statuses: { kind: 'list', optional: true } },
  auth: [
    { kind: 'bearer', token: '{credentials.apiKey}' },
    { kind: 'basic', user: '{credentials.user}', password: '{credentials.password}' },
  ],
  status: {
    request: { path: '/{settings.region}/jobs/{job}' },
    state: { from: '/state', map: { working: 'running', done: 'succeeded' } },
  },
}

describe('the form of a connection', () => {
  test('is that of an uploaded document at once', async () => {
    const as = await signedIn('admin')
    expect((await page('/connections/new', as)).body).not.toContain('Acme imports')
    expect((await api.call('PUT /v1/providers/{name}', { name: 'acme' }, { body: acme })).status).toBe(201)
    expect((await page('/connections/new', as)).body).toMatch(/provider=acme">Acme imports<.*acme, uploaded/)
    expect((await page('/connections/new?provider=auth0', as)).body).toContain('href="/docs/providers/auth0"')
    expect((await page('/docs/providers/auth0', as)).body).toContain('Auth0 user imports</h1>')
    const shown = (await page('/connections/new?provider=acme', as)).body
    expect(shown).not.toContain('/docs/providers/')
    for (const name of ['credentials.0.apiKey', 'credentials.1.password', 'settings.region', 'settings.statuses'])
      expect(shown).toContain(`name="${name}"`)

    const given = {
      provider: 'acme',
      name: 'by-form',
      credentialsAs: '1',
      'credentials.1.user': 'somebody',
      'settings.region': 'eu',
      'settings.statuses': 'one\r\ntwo',
    }
    const refused = await post('/connections', as, { ...given, 'credentials.0.apiKey': 'of-the-other-alternative' })
    expect(refused).toMatchObject({ status: 400 })
    expect(refused.body).toContain('id="field-credentials-1-password-error"')
    expect(refused.body).not.toContain('of-the-other-alternative')
    expect(refused.body).toContain('\none\ntwo</textarea>')
    const made = await post('/connections', as, { ...given, 'credentials.1.password': ' with a blank' })
    expect(made).toMatchObject({ status: 303 })
    expect(made.headers.get('location')).toMatch(/^\/connections\/by-form\?did=/)
    expect((await follow(made, as)).body).toContain('The connection is made.')
    const { body } = await api.call('GET /v1/connections/{name}', { name: 'by-form' })
    expect(body).toMatchObject({
      provider: 'acme',
      providerRevision: 1,
      baseUrl: null,
      settings: { region: 'eu', statuses: ['one', 'two'] },
      limits: {},
    })
    const { id, credentials } = await api.connectionNamed('by-form')
    expect(JSON.parse(api.encryption.decrypt(credentials, `connection:${id}`))).toEqual({
      user: 'somebody',
      password: ' with a blank',
    })

    const again = await post('/connections', as, { ...given, 'credentials.1.password': 'x' })
    expect(again.status).toBe(409)
    expect(again.body).toContain('is that of another connection')
  })

  test('leaves the address of a connection that is called new', async () => {
    const as = await signedIn('admin')
    const body = { provider: 'cdq', credentials: { apiKey: 'key' } }
    await api.call('PUT /v1/connections/{name}', { name: 'new' }, { body })
    expect((await page('/connections', as)).body).toContain('href="/connections/%6Eew"')
    expect((await page('/connections/%6Eew', as)).body).toContain('<span>Connection</span> new')
  })

  test('says what a test came to after a redirect, and only if it is ours', async () => {
    const as = await signedIn('admin')
    const name = await api.putConnection({
      provider: 'cdq',
      credentials: { apiKey: 'key-that-is-shown-nowhere' },
      baseUrl: 'http://127.0.0.1:9',
    })
    const tested = await post(`/connections/${name}/test`, as, {})
    expect(tested.status).toBe(303)
    const location = tested.headers.get('location') ?? ''
    const shown = (await page(location, as)).body
    expect(shown).toContain('<b>It failed:</b>')
    expect(shown).not.toContain('key-that-is-shown-nowhere')
    const other = await api.putConnection()
    expect((await page(location.replace(name, other), as)).body).not.toContain('It failed:')
    expect((await page(`/connections/${name}?did=${newId()}`, as)).body).not.toContain('It failed:')
  })
})

describe('the form of an endpoint', () => {
  test('keeps what it leaves alone as it was', async () => {
    const as = await signedIn('admin')
    const body = { url: 'https://hooks.example.com/a', metadata: { run: 42 }, headers: { 'X-One': '1', 'X-Two': '2' } }
    const { id } = (await api.call('POST /v1/webhook-endpoints', {}, { body })).body
    const changed = await post(`/webhooks/${id}/edit`, as, [
      ['url', 'https://hooks.example.com/b'],
      ['types', 'import.failed'],
      ['metadata', 'run=42\r\nteam=sales'],
      ['headerName', 'X-Two'],
      ['headerValue', ''],
    ])
    expect(changed).toMatchObject({ status: 303 })
    expect((await api.call('GET /v1/webhook-endpoints/{id}', { id })).body).toMatchObject({
      url: 'https://hooks.example.com/b',
      types: ['import.failed'],
      metadata: { run: 42, team: 'sales' },
      headers: { 'X-Two': '********' },
    })
  })

  test('keeps metadata that lines can’t say while nobody changes them', async () => {
    const as = await signedIn('admin')
    const metadata = { 'a=b': 'c', blanks: ' x ', run: 42 }
    const body = { url: 'https://hooks.example.com/m', metadata }
    const { id } = (await api.call('POST /v1/webhook-endpoints', {}, { body })).body
    const shown = (await page(`/webhooks/${id}/edit`, as)).body
    const text = /<textarea [^>]*name="metadata"[^>]*>\n([^<]*)</.exec(shown)?.[1] ?? ''
    expect(text).toContain('a=b=c')
    const fields = {
      url: 'https://hooks.example.com/m2',
      types: 'import.failed',
      metadata: text.replaceAll('\n', '\r\n'),
    }
    expect((await post(`/webhooks/${id}/edit`, as, fields)).status).toBe(303)
    const kept = (await api.call('GET /v1/webhook-endpoints/{id}', { id })).body
    expect(kept).toMatchObject({ url: 'https://hooks.example.com/m2', metadata })
  })

  test('tells of a test how long its answer may take', async () => {
    const as = await signedIn('admin')
    const body = { url: 'https://hooks.example.com/t' }
    const { id } = (await api.call('POST /v1/webhook-endpoints', {}, { body })).body
    const sent = await post(`/webhooks/${id}/test`, as, {})
    expect(sent).toMatchObject({ status: 303 })
    const location = sent.headers.get('location') ?? ''
    expect((await page(location, as)).body).toContain('waiting: attempt')
    await api.database.db.insert(deliveryAttempts).values({
      deliveryId: location.split('/').at(-1) ?? '',
      number: 1,
      manual: false,
      startedAt: after(api.clock.now(), -5_000),
      outcome: 'in_flight',
    })
    expect((await page(location, as)).body).toContain('at most 15 seconds more')
  })
})

test('a body of another type clears nothing', async () => {
  const as = await signedIn('admin')
  const given = { provider: 'cdq', baseUrl: 'http://127.0.0.1:9', credentials: { apiKey: 'key' } }
  await api.call('PUT /v1/connections/{name}', { name: 'kept' }, { body: given })
  const refused = await api.send('/connections/kept/edit', {
    method: 'POST',
    headers: { cookie: as, origin: api.url, 'content-type': 'application/json' },
    body: '{"baseUrl":null}',
    redirect: 'manual',
  })
  expect(refused.status).toBe(400)
  const { body } = await api.call('GET /v1/connections/{name}', { name: 'kept' })
  expect(body).toMatchObject({ baseUrl: 'http://127.0.0.1:9' })
})

test('a form without its fields clears nothing', async () => {
  const as = await signedIn('admin')
  const given = { provider: 'cdq', baseUrl: 'http://127.0.0.1:9', credentials: { apiKey: 'key' } }
  await api.call('PUT /v1/connections/{name}', { name: 'whole' }, { body: given })
  expect((await post('/connections/whole/edit', as, {})).status).toBe(400)
  const { body } = await api.call('GET /v1/connections/{name}', { name: 'whole' })
  expect(body).toMatchObject({ baseUrl: 'http://127.0.0.1:9' })
})

test('a secret that was typed into a refused form is asked for again', async () => {
  const as = await signedIn('admin')
  const body = { provider: 'cdq', credentials: { apiKey: 'old' }, baselineBy: ['a,b'] }
  await api.call('PUT /v1/connections/{name}', { name: 'rotated' }, { body })
  const fields = { baseUrl: 'not a URL', credentialsAs: '0', 'credentials.0.apiKey': 'new-key', baselineBy: 'a,b' }
  const refused = await post('/connections/rotated/edit', as, fields)
  expect(refused.body).toMatch(/<input type="password"[^>]* required name="credentials.0.apiKey" placeholder=""/)
  expect(refused.body).toContain('Type it again')
  expect(refused.body).not.toContain('new-key')
  const changed = await post('/connections/rotated/edit', as, { ...fields, baseUrl: '' })
  expect(changed.status).toBe(303)
  const { baselineBy } = (await api.call('GET /v1/connections/{name}', { name: 'rotated' })).body
  expect(baselineBy).toEqual(['a,b'])
})

test('what unseen characters are in comes back as it was', async () => {
  const as = await signedIn('write')
  const team = 'x\u200fy'
  const all = new URLSearchParams({ 'metadata.team': team }).toString()
  await api.call(
    'PUT /v1/connections/{name}',
    { name: 'unseen' },
    { body: { provider: 'cdq', credentials: { apiKey: 'key' } } },
  )
  const body = { connection: 'unseen', jobId: 'one', metadata: { team } }
  const { id } = (await api.call('POST /v1/imports', {}, { body })).body
  const asked = await follow(await post('/imports/actions/confirm', as, { all, action: 'stop' }), as)
  const filter = /name="filter" value="([^"]*)"/.exec(asked.body)?.[1]?.replaceAll('&#34;', '"') ?? ''
  expect((await post('/imports/actions', as, { filter, action: 'stop' })).status).toBe(303)
  expect((await api.call('GET /v1/imports/{id}', { id })).body).toMatchObject({ state: 'stopped' })
})

test('what can’t be stored is refused', async () => {
  const as = await signedIn('admin')
  const nul = '\0'
  expect((await page('/connections/new?provider=%00', as)).status).toBe(400)
  expect((await post('/connections', as, { provider: nul })).status).toBe(400)
  const asked = await post('/imports/actions/confirm', as, { all: 'connection=%00', action: 'poll' })
  expect((await follow(asked, as)).status).toBe(400)
  for (const filter of ['{"connection":"\\u0000"}', '{"metadata":{"a":"\\ud800"}}', '{"jobIdPrefix":"\\ud800"}'])
    expect((await post('/imports/actions', as, { filter, action: 'poll' })).status, filter).toBe(400)
})

test('a refusal knows who is signed in', async () => {
  const { status, body } = await page('/connections/new', await signedIn('read'))
  expect(status).toBe(403)
  expect(body).toContain('Sign out')
  expect(body).not.toContain('>Sign in<')
})

test('a key that stands twice among the lines of metadata is named', async () => {
  const as = await signedIn('admin')
  const refused = await post('/imports', as, { connection: 'none', jobId: 'one', metadata: 'team=a\nrun=1\nteam=b' })
  expect(refused.body).toContain('team is there twice')
})

test('who may only read sees no form, and is refused', async () => {
  const as = await signedIn('read')
  const { id } = (await api.call('POST /v1/webhook-endpoints', {}, { body: { url: 'https://hooks.example.com' } })).body
  for (const path of ['/', '/imports', '/connections', '/webhooks', `/webhooks/${id}`])
    expect((await page(path, as)).body, path).not.toMatch(/method="post" action="\/(?!logout|preferences)/)
  for (const path of ['/imports/new', '/connections/new', `/webhooks/${id}/edit`, `/webhooks/${id}/recover`])
    expect((await page(path, as)).status, path).toBe(403)
  for (const path of ['/imports', '/connections', '/webhooks', `/webhooks/${id}/edit`, `/webhooks/${id}/rotate-secret`])
    expect((await post(path, as, {})).status, path).toBe(403)
})
