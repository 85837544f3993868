import { describe, expect, test } from 'vitest'
import { storePublicUrl } from '../../src/db/installation.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken } from '../support/worlds/ground.ts'

describe('below a base path', () => {
  const api = useApi({ basePath: '/tools/tracker' })
  const root = () => new URL(api.url).origin
  const html = { accept: 'text/html' }

  test('is everything; health and metrics answer at the root as well', async () => {
    expect((await fetch(`${root()}/v1/imports`)).status).toBe(404)
    expect((await api.send('/v1/imports')).status).toBe(401)
    for (const path of ['/healthz', '/readyz', '/metrics'])
      for (const place of [root(), api.url]) expect((await fetch(place + path)).status, place + path).toBe(200)
    expect((await api.send('/openapi.json')).body.servers).toEqual([{ url: '/tools/tracker' }])
  })

  test('are the paths that answers name', async () => {
    const one = await api.register()
    const again = await api.call('POST /v1/imports', {}, { body: { connection: one.connection, jobId: 'another' } })
    expect(again.headers.get('location')).toBe(`/tools/tracker/v1/imports/${again.body.id}`)
  })

  test('are where somebody without a session is sent', async () => {
    expect((await api.send('/imports')).body).toMatchObject({
      code: 'unauthenticated',
      detail: 'Sign in at /tools/tracker/login, or send a bearer token.',
    })
  })

  test('are the session, the pages and their links', async () => {
    const asked = await api.send('/', { headers: html, redirect: 'manual' })
    expect(asked.headers.get('location')).toBe('/tools/tracker/login?next=%2Ftools%2Ftracker%2F')
    const body = new URLSearchParams({ token: adminToken })
    const signedIn = await api.send('/login', { method: 'POST', redirect: 'manual', body })
    expect(signedIn.headers.get('location')).toBe('/tools/tracker/')
    const [cookie = ''] = signedIn.headers.getSetCookie()
    expect(cookie).toContain('; Path=/tools/tracker; HttpOnly; SameSite=Lax')
    for (const path of ['/', '/docs']) {
      const page = await api.send(path, { headers: { ...html, cookie: cookie.split(';')[0] ?? '' } })
      expect(page.status, path).toBe(200)
      for (const [, link] of page.body.matchAll(/(?:href|src|action)="([^"]*)"/g))
        expect(link, path).toMatch(/^\/tools\/tracker\/|^#/)
    }
  })
})

test('an import has the address of its page, where the service was told its own', async () => {
  const { id } = await api.register()
  const shown = async () => (await api.call('GET /v1/imports/{id}', { id })).body.url
  expect(await shown()).toBeNull()
  await storePublicUrl(api.db, 'https://tracker.example/t')
  expect(await shown()).toBe(`https://tracker.example/t/imports/${id}`)
  await api.call('POST /v1/imports/{id}/stop', { id })
  const { data } = (await api.call('GET /v1/imports/{id}/events', { id })).body
  expect(data[0].data.url).toBe(`https://tracker.example/t/imports/${id}`)
  await storePublicUrl(api.db, null)
  expect(await shown()).toBeNull()
})

const api = useApi()
