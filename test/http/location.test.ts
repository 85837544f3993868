import { expect, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { type Answer, type CallOptions, cdqConnection } from '../support/worlds/client.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'

const api = useApi()

test('what is made says where it is, and what was there says nothing', async () => {
  const connection = unique('made')
  const put = () => api.call('PUT /v1/connections/{name}', { name: connection }, { body: cdqConnection })
  expect(locationOf(await put(), 201)).toBe(`/v1/connections/${connection}`)
  expect(locationOf(await put(), 200)).toBeNull()

  const body = { connection, jobId: unique('job') }
  const registered = await create('/v1/imports', { body })
  expect(locationOf(registered, 201)).toBe(`/v1/imports/${registered.body.id}`)
  expect(locationOf(await create('/v1/imports', { body }), 200)).toBeNull()

  const endpoint = await create('/v1/webhook-endpoints', { body: { url: 'https://hooks.example.com/in' } })
  expect(locationOf(endpoint, 201)).toBe(`/v1/webhook-endpoints/${endpoint.body.id}`)

  const token = await create('/v1/tokens', { body: { name: 'for a test', scope: 'read' } })
  expect(locationOf(token, 201)).toBe(`/v1/tokens/${token.body.id}`)
})

test('and it is there', async () => {
  const connection = await api.putConnection()
  const made = await create('/v1/imports', { body: { connection, jobId: unique('job') } })
  const found = await api.send(made.headers.get('location') ?? '', {
    headers: { authorization: `Bearer ${adminToken}` },
  })
  expect(found.body).toEqual(made.body)
})

test('every operation that makes something says so in the document', async () => {
  const { paths } = (await api.send('/openapi.json')).body
  const made = Object.values<Record<string, { responses: Record<string, { headers?: object }> }>>(paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ responses }) => responses[201] ?? [])
  expect(made).toHaveLength(5)
  for (const { headers } of made) expect(headers).toHaveProperty('Location')
})

function create(path: string, options: CallOptions): Promise<Answer> {
  return api.call(`POST ${path}`, {}, options)
}

function locationOf({ status, headers }: Answer, expected: number): string | null {
  expect(status).toBe(expected)
  return headers.get('location')
}
