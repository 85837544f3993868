// Trying a connection out, against the sandbox's vendors and one that misbehaves.
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { createEncryption } from '../../src/base/encryption.ts'
import { connections, events } from '../../src/db/schema/index.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts'
import { startVendor, type Vendor } from '../providers/vendor.ts'
import { useApi } from '../support/worlds/api.ts'
import { cdqConnection } from '../support/worlds/client.ts'

const api = useApi()
let sandbox: Sandbox
let vendor: Vendor

beforeAll(async () => {
  sandbox = await startSandbox({ clock: systemClock })
  vendor = await startVendor()
})
afterAll(async () => {
  await sandbox.close()
  await vendor.close()
})

const tryOut = async (name: string) => (await api.call('POST /v1/connections/{name}/test', { name })).body
const providers = ['cdq', 'micro', 'zilliant', 'fullstory'] as const

describe('a connection is tried out', () => {
  test.each(providers)('at %s, which takes the credentials and knows no such job', async (provider) => {
    const name = await api.putConnection(atSandbox(provider))
    expect(await tryOut(name)).toMatchObject({ ok: true, code: 'accepted' })
  })

  test.each(providers)('at %s, which refuses the credentials, and says nothing of them', async (provider) => {
    const wrong = provider === 'zilliant' ? { tokenResponse: '{"access_token":"hush-hush"}' } : { apiKey: 'hush-hush' }
    const name = await api.putConnection({ ...atSandbox(provider), credentials: wrong })
    const answer = await tryOut(name)
    expect(answer).toMatchObject({ ok: false, code: expect.stringMatching(/^(unauthorized|forbidden)$/) })
    expect(JSON.stringify(answer) + api.logLines.join('')).not.toContain('hush-hush')
    expect(await api.connectionNamed(name)).toMatchObject({ pausedAt: null })
  })

  test.each(['salesforce', 'azure', 'aip151'])('at %s, about an id of the form that it has', async (provider) => {
    vendor.answerJson({}, 401)
    const before = vendor.seen.length
    const name = await api.putConnection({
      ...{ provider, baseUrl: `${vendor.baseUrl}/base`, credentials: { accessToken: 'token' }, settings: {} },
    })
    expect(await tryOut(name)).toMatchObject({ ok: false, code: 'unauthorized' })
    expect(vendor.seen.slice(before)).toMatchObject([{ target: expect.stringMatching(/^\/base\/.+/) }])
  })

  test('while it is paused, and stays paused', async () => {
    const name = await api.putConnection(atSandbox('cdq'))
    await change(name, { pausedAt: api.clock.now() })
    expect(await tryOut(name)).toMatchObject({ ok: true })
    expect((await api.connectionNamed(name)).pausedAt).not.toBeNull()
    expect(
      await api.db
        .select()
        .from(events)
        .where(eq(events.connectionId, (await api.connectionNamed(name)).id)),
    ).toEqual([])
  })

  test('at the cost of one request, about a job that nobody has', async () => {
    vendor.answerJson({}, 404)
    const before = vendor.seen.length
    const name = await api.putConnection({ ...atVendor(), limits: { requestsPerMonth: 2 } })
    expect(await tryOut(name)).toMatchObject({ ok: true })
    expect((await api.connectionNamed(name)).monthRequests).toBe(1)
    await tryOut(name)
    const asked = vendor.seen.slice(before).map(({ target }) => target)
    expect(new Set(asked).size).toBe(2)
    expect(asked[0]).toMatch(/[0-9a-f]{8}-[0-9a-f-]{27}/)
    expect(await tryOut(name)).toMatchObject({ ok: false, code: 'budget' })
    expect(vendor.seen.length - before).toBe(2)
    expect((await api.connectionNamed(name)).monthRequests).toBe(2)
  })

  test.each([
    [500, 'server_error'],
    [400, 'bad_request'],
    [302, 'redirect'],
  ])('at one that answers %i: %s', async (status, code) => {
    vendor.answerJson({ status: { technicalKey: 'X', message: 'No.' } }, status, { location: 'https://example.com' })
    expect(await tryOut(await api.putConnection(atVendor()))).toMatchObject({ ok: false, code })
  })

  test('at one that nobody listens at', async () => {
    const name = await api.putConnection({ ...cdqConnection, baseUrl: 'http://127.0.0.1:1' })
    expect(await tryOut(name)).toMatchObject({ ok: false, code: 'connect_error' })
  })

  test('at one that says wait, and is left in peace then', async () => {
    vendor.answerJson({}, 429, { 'retry-after': '30' })
    const name = await api.putConnection(atVendor())
    expect(await tryOut(name)).toMatchObject({ ok: false, code: 'rate_limited' })
    expect((await api.connectionNamed(name)).blockedUntil).toEqual(new Date(api.clock.now().getTime() + 30_000))
    const asked = vendor.seen.length
    expect(await tryOut(name)).toMatchObject({ ok: false, code: 'rate_limited' })
    expect(vendor.seen).toHaveLength(asked)
  })

  test('whose credentials no key opens', async () => {
    const name = await api.putConnection(atVendor())
    const { id } = await api.connectionNamed(name)
    const other = createEncryption([Buffer.alloc(32, 9)])
    await change(name, { credentials: other.encrypt('{"apiKey":"k"}', `connection:${id}`) })
    expect(await tryOut(name)).toMatchObject({ ok: false, code: 'undecipherable_credentials' })
  })
})

test('it takes an admin, and a connection', async () => {
  const name = await api.putConnection(atVendor())
  const { token } = (await api.call('POST /v1/tokens', {}, { body: { name: 'w', scope: 'write' } })).body
  expect((await api.call('POST /v1/connections/{name}/test', { name }, { token })).status).toBe(403)
  expect((await api.call('POST /v1/connections/{name}/test', { name: 'nobody' })).status).toBe(404)
})

function atSandbox(provider: (typeof providers)[number]) {
  return {
    provider,
    baseUrl: `${sandbox.url}/${provider}`,
    credentials: sandbox.credentials(provider),
    settings: provider === 'fullstory' ? {} : sandbox.settings(provider),
  }
}

function atVendor() {
  return { ...cdqConnection, baseUrl: vendor.baseUrl }
}

async function change(name: string, columns: Partial<typeof connections.$inferSelect>): Promise<void> {
  await api.db.update(connections).set(columns).where(eq(connections.name, name))
}
