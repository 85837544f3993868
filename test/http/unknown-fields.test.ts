// What nobody knows is refused alike by every operation, so that a typo never passes for a setting.
import { describe, expect, test } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { useApi } from '../support/worlds/api.ts'
import { cdqConnection } from '../support/worlds/client.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'

const api = useApi()
const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }

interface Described {
  paths: Record<string, Record<string, { requestBody?: object }>>
}

describe('every operation', () => {
  test('refuses a query parameter that it doesn’t know', async () => {
    for (const { method, path } of await operations())
      for (const name of ['nope', '__proto__', 'constructor', 'Limit'])
        expect(await refusedFields(method, `${path}?${name}=1`), `${method} ${path}?${name}`).toContain(name)
  })

  test('refuses a field of the body that it doesn’t know, also where it takes no body', async () => {
    for (const { method, path } of (await operations()).filter(({ method }) => method !== 'GET'))
      for (const name of ['nope', 'constructor', 'Limits'])
        expect(await refusedFields(method, path, { [name]: 1 }), `${method} ${path} ${name}`).toContain(name)
  })

  test('refuses a body that is no object', async () => {
    for (const { method, path } of (await operations()).filter(({ method }) => method !== 'GET'))
      for (const body of [[], ['x'], 'x', 5, true, null])
        expect(await refusedFields(method, path, body), `${method} ${path} ${JSON.stringify(body)}`).toEqual(['body'])
  })
})

test('an empty object is taken where no body is', async () => {
  const { id } = await api.register()
  expect((await api.call('POST /v1/imports/{id}/stop', { id }, { body: {} })).status).toBe(200)
})

test.each([
  ['limits.nope', { limits: { nope: 1 } }],
  ['credentials.nope', { credentials: { apiKey: 'k', nope: 1 } }],
  ['settings.nope', { settings: { nope: 1 } }],
])('nested in a connection: %s', async (field, part) => {
  const body = { ...cdqConnection, ...part }
  expect(await refusedFields('PUT', `/v1/connections/${unique('c')}`, body)).toEqual([field])
})

test('nested in an item of a batch, which alone is refused', async () => {
  const connection = await api.putConnection()
  const items = [
    { connection, jobId: unique('job'), nope: 1 },
    { connection, jobId: unique('job') },
  ]
  const { body } = await api.call('POST /v1/imports/batch', {}, { body: { imports: items } })
  expect(body.data).toMatchObject([{ status: 400, problem: { errors: [{ field: 'nope' }] } }, { status: 201 }])
})

/** Each with its path filled in. */
async function operations(): Promise<{ method: string; path: string }[]> {
  const { paths } = (await api.send('/openapi.json')).body as Described
  const all = Object.entries(paths).flatMap(([template, methods]) =>
    Object.keys(methods).map((method) => ({
      method: method.toUpperCase(),
      path: template.replace('{id}', newId()).replace('{name}', 'nobody'),
    })),
  )
  expect(all.length).toBeGreaterThan(25)
  return all
}

/** The fields that a 400 names. */
async function refusedFields(method: string, path: string, body?: unknown): Promise<string[]> {
  const answer = await api.send(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
  expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).toBe(400)
  return answer.body.errors.map(({ field }: { field: string }) => field)
}
