import { describe, expect, test } from 'vitest'
import { ask, askJson, authHeaders, openSandbox, statusPath } from './open.ts'

describe('CDQ', () => {
  test.each([
    ['without a key', {}],
    ['with a wrong key', { 'X-API-KEY': 'wrong' }],
    ['with the key in another header', { authorization: 'sandbox-cdq-key' }],
  ])('refuses a request %s with 401 in its own form', async (_, headers) => {
    const { sandbox } = await openSandbox()
    const response = await ask(sandbox, sandbox.add({ provider: 'cdq' }), { headers: { ...headers } })
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({
      status: {
        code: 40100000,
        technicalKey: 'UNAUTHORIZED',
        details: [{ id: 401000000, message: 'Authentication is required and has failed.' }],
      },
    })
  })
})

describe('micro', () => {
  test('answers 401 without a key and 403 with a wrong one', async () => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: 'micro' })
    const none = await ask(sandbox, job, { headers: {} })
    expect([none.status, await none.json()]).toEqual([401, { message: 'Missing x-api-key header' }])
    const wrong = await ask(sandbox, job, { headers: { 'x-api-key': 'wrong' } })
    expect([wrong.status, await wrong.json()]).toEqual([403, { message: expect.stringContaining('invalid') }])
  })

  test("answers 403 for another team's imports", async () => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: 'micro' })
    const path = `/v2/prism/00000000-0000-4000-8000-000000000000/imports/${job.jobId}`
    expect((await ask(sandbox, job, { path })).status).toBe(403)
  })
})

describe('Zilliant', () => {
  test('wants the whole token response, as it is, in base64', async () => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: 'zilliant' })
    const { tokenResponse } = sandbox.credentials('zilliant')
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    const statusWith = async (authorization: string) => (await ask(sandbox, job, { headers: { authorization } })).status
    expect(await statusWith(`OAuth ${base64(tokenResponse)}`)).toBe(200)
    expect(await statusWith(`Bearer ${base64(tokenResponse)}`)).toBe(401)
    expect(await statusWith(`OAuth ${tokenResponse}`)).toBe(401)
    expect(await statusWith(`OAuth ${base64(JSON.parse(tokenResponse).access_token)}`)).toBe(401)
    expect(await statusWith(`OAuth ${base64(JSON.stringify(JSON.parse(tokenResponse), null, 1))}`)).toBe(401)
  })

  test('refuses another OAuth host than its own', async () => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: 'zilliant' })
    const headers = { ...authHeaders(sandbox, 'zilliant'), 'X-Forwarded-Host': 'elsewhere.example' }
    expect((await ask(sandbox, job, { headers })).status).toBe(401)
  })
})

describe('FullStory', () => {
  test('wants the key as issued, and refuses it encoded again', async () => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: 'fullstory' })
    const { apiKey } = sandbox.credentials('fullstory')
    const again = await ask(sandbox, job, { headers: { authorization: `Basic ${btoa(apiKey)}` } })
    expect([again.status, await again.json()]).toEqual([
      401,
      { message: 'access is unauthorized', code: 'unauthorized' },
    ])
    expect((await ask(sandbox, job)).status).toBe(200)
  })

  test("doesn't show an import of events among the users", async () => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: 'fullstory' })
    const users = sandbox.add({ provider: 'fullstory', resource: 'users' })
    const pathOf = (jobId: string) => `/v2/users/batch/${encodeURIComponent(jobId)}`
    expect((await ask(sandbox, job, { path: pathOf(job.jobId) })).status).toBe(404)
    expect((await ask(sandbox, users, { path: pathOf(users.jobId) })).status).toBe(200)
  })
})

const notFound = {
  cdq: { status: { technicalKey: 'NOT_FOUND', code: 40400000 } },
  micro: { message: 'Import not found' },
  zilliant: { message: 'Import ID not found.' },
  fullstory: { message: 'Requested resource does not exist', code: 'resource_not_found' },
} as const
const providers = ['cdq', 'micro', 'zilliant', 'fullstory'] as const

test.each(providers)('%s answers 404 in its own form for a job that it does not know', async (provider) => {
  const { sandbox } = await openSandbox()
  const job = { ...sandbox.add({ provider }), jobId: 'no-such-job' }
  const response = await ask(sandbox, job)
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject(notFound[provider])
})

test.each(providers)('%s answers 404 for other paths and methods', async (provider) => {
  const { sandbox } = await openSandbox()
  const job = sandbox.add({ provider })
  expect((await ask(sandbox, job, { path: '/nothing' })).status).toBe(404)
  const url = job.baseUrl + statusPath(sandbox, provider, job.jobId)
  const headers = authHeaders(sandbox, provider)
  expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(404)
  expect((await fetch(`${url}/more`, { headers })).status).toBe(404)
  expect((await fetch(`${job.baseUrl}/%zz`, { headers })).status).toBe(400)
})

test.each(providers)('%s refuses the old credentials after new ones were made', async (provider) => {
  const { sandbox } = await openSandbox()
  const job = sandbox.add({ provider })
  const old = authHeaders(sandbox, provider)
  sandbox.rotateCredentials(provider)
  expect((await ask(sandbox, job, { headers: old })).ok).toBe(false)
  expect((await ask(sandbox, job)).ok).toBe(true)
})

test.each(['a/b', 'abd123=', 'ä ö', '...', '%2F', 'a?b#c'])('a job id may be %j', async (jobId) => {
  const { sandbox } = await openSandbox()
  const job = sandbox.add({ provider: 'fullstory', jobId })
  expect((await askJson(sandbox, job)).job.id).toBe(jobId)
})
