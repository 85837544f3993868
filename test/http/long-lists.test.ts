// Owns that lists which are longer than a page lead to the rest, and that names of every kind are linked to.
import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { connectionPath } from '../../src/http/pages/connection-path.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { formsOf } from './forms.ts'

describe('where there is nothing yet', () => {
  const api = useApi()
  const { page, signedIn } = formsOf(api)

  test('who may make the first one is led to its form, and nobody else', async () => {
    const [admin, reader] = [await signedIn('admin'), await signedIn('read')]
    for (const [path, link] of [
      ['/', '/imports/new'],
      ['/imports', '/imports/new'],
      ['/connections', '/connections/new'],
      ['/webhooks', '#new'],
    ] as const) {
      expect((await page(path, admin)).body, path).toMatch(new RegExp(`yet: <a href="${link}"`))
      expect((await page(path, reader)).body, path).not.toContain(`href="${link}"`)
    }
  })
})

describe('more than a page', () => {
  const api = useApi()
  const { page, post, signedIn } = formsOf(api)

  test('of connections and of endpoints: the next page has the rest', async () => {
    const as = await signedIn('admin')
    const name = await api.putConnection()
    await api.database.db.execute(sql`
      INSERT INTO connections (id, name, provider, credentials, settings, limits, created_at, updated_at)
      SELECT gen_random_uuid(), 'many-' || lpad(n::text, 4, '0'), provider, credentials, settings, limits, now(), now()
      FROM connections, generate_series(1, 1000) n WHERE name = ${name}`)
    const { id } = (await api.call('POST /v1/webhook-endpoints', {}, { body: { url: 'https://hooks.example.com' } }))
      .body
    await api.database.db.execute(sql`
      INSERT INTO webhook_endpoints (id, url, types, secret, created_at, updated_at)
      SELECT gen_random_uuid(), url, types, secret, now(), now() FROM webhook_endpoints, generate_series(1, 210) n
      WHERE id = ${id}`)
    expect(await countAll('/connections', as)).toBe(1_001)
    expect(await countAll('/webhooks', as)).toBe(211)
    await api.sql(`UPDATE connections SET paused_at = now(), pause_reason = 'unauthorized' WHERE name = 'many-1000'`)
    const overview = (await page('/', as)).body
    expect(overview).toContain('all connections')
    expect(overview).toContain('The connection many-1000 is paused')
    expect((await page('/imports', as)).body).toContain('<input name="connection"')
    const unknown = (await page('/imports?connection=no-such-one', as)).body
    expect(unknown).toContain('There is no connection no-such-one')
    expect(unknown).toContain('or another of <a href="/connections">the connections</a>')
    expect((await page('/imports?connection=many-1000', as)).body).not.toContain('There is no connection')
    // Too many to choose from are named instead.
    expect((await page('/imports/new', as)).body).toMatch(/<input type="text" [^>]*name="connection"/)
    const made = await post('/imports', as, { connection: 'many-0777', jobId: 'one' })
    expect(made.status).toBe(303)
  })

  /** Counts the rows of a list's pages, one after the other. */
  async function countAll(first: string, as: string): Promise<number> {
    let count = 0
    for (let path: string | undefined = first; path !== undefined; ) {
      const { status, body }: { status: number; body: string } = await page(path, as)
      expect(status).toBe(200)
      count += [...body.matchAll(/<td data-label="(?:Name|Endpoint)"/g)].length
      path = /rel="next" href="([^"]+)"/.exec(body)?.[1]?.replaceAll('&#38;', '&')
    }
    return count
  }
})

describe('a connection that is called as a page is', () => {
  const api = useApi()
  const { follow, page, post, signedIn } = formsOf(api)

  test.each(['new', 'NEW', 'New', 'edit', 'imports', 'a.b~c_d-e', '0'])(
    '%s is led to from everywhere',
    async (name) => {
      const as = await signedIn('admin')
      const body = { provider: 'cdq', baseUrl: 'http://127.0.0.1:9', credentials: { apiKey: 'key' } }
      await api.call('PUT /v1/connections/{name}', { name }, { body })
      await api.sql(`UPDATE connections SET paused_at = now(), pause_reason = 'unauthorized' WHERE name = $1`, [name])
      const { id } = (await api.call('POST /v1/imports', {}, { body: { connection: name, jobId: 'one' } })).body
      api.clock.advance(10_000) // what the overview remembers
      const path = connectionPath('', name)
      for (const from of ['/', '/connections', '/imports', `/imports/${id}`])
        expect((await page(from, as)).body, from).toContain(`href="${path}"`)
      expect((await page(path, as)).body).toContain(`<span>Connection</span> ${name}`)
      expect((await page(`${path}/edit`, as)).body).toContain(`action="${path}/edit"`)
      const resumed = await post(`${path}/resume`, as, {})
      expect((await follow(resumed, as)).body).toContain('It is asked again.')
      await api.call('POST /v1/imports/{id}/stop', { id })
      expect((await post(`${path}/delete`, as, {})).status).toBe(303)
      expect((await api.call('GET /v1/connections/{name}', { name })).status).toBe(404)
    },
  )
})

describe('numbers of more digits than a double holds', () => {
  const api = useApi()
  const { page, signedIn } = formsOf(api)

  test('are whole on the page of a delivery, of its import and of an endpoint', async () => {
    const as = await signedIn('admin')
    const digits = '12345678901234567890123'
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
    const made = await api.send('/v1/webhook-endpoints', {
      method: 'POST',
      headers,
      body: `{"url":"https://hooks.example.com","types":["import.stopped"],"metadata":{"run":${digits}}}`,
    })
    const { id: endpointId } = made.body
    const connection = await api.putConnection()
    const body = `{"connection":"${connection}","jobId":"digits","metadata":{"run":${digits},"rate":1.0}}`
    const registered = await api.send('/v1/imports', { method: 'POST', headers, body })
    const { id } = registered.body
    await api.call('POST /v1/imports/{id}/stop', { id })
    const { data } = (await api.call('GET /v1/deliveries', {}, { query: { endpointId } })).body
    for (const path of [`/imports/${id}`, `/deliveries/${data[0].id}`, `/webhooks/${endpointId}`])
      expect((await page(path, as)).body, path).toContain(digits)
    expect((await page(`/webhooks/${endpointId}/edit`, as)).body).toContain(`run=${digits}`)
  })
})
