// Owns what `baselineBy` may be, and that it is kept and shown.
import { expect, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { cdqConnection } from '../support/worlds/client.ts'
import { unique } from '../support/worlds/ground.ts'

const api = useApi()

test('it is kept, shown, left alone by other changes, and goes with a PUT without it', async () => {
  const name = unique('baseline')
  const baselineBy = ['source', 'a.b']
  const put = await api.call('PUT /v1/connections/{name}', { name }, { body: { ...cdqConnection, baselineBy } })
  expect(put.body).toMatchObject({ baselineBy })
  const patched = await api.call('PATCH /v1/connections/{name}', { name }, { body: { limits: { maxInFlight: 3 } } })
  expect(patched.body).toMatchObject({ baselineBy })
  expect((await api.call('GET /v1/connections/{name}', { name })).body).toMatchObject({ baselineBy })
  const changed = await api.call('PATCH /v1/connections/{name}', { name }, { body: { baselineBy: ['kind'] } })
  expect(changed.body).toMatchObject({ baselineBy: ['kind'], limits: { maxInFlight: 3 } })
  const replaced = await api.call('PUT /v1/connections/{name}', { name }, { body: cdqConnection })
  expect(replaced.body).toMatchObject({ baselineBy: [] })
})

test.each([
  [['source', ''], 'baselineBy.1'],
  [[1], 'baselineBy.0'],
  [['a'.repeat(201)], 'baselineBy.0'],
  [['a', 'b', 'a'], 'baselineBy'],
  [['a', 'b', 'c', 'd', 'e', 'f'], 'baselineBy'],
  ['kind', 'baselineBy'],
  [null, 'baselineBy'],
])('%j is refused', async (baselineBy, field) => {
  for (const method of ['PUT', 'PATCH'] as const) {
    const name = unique('odd')
    if (method === 'PATCH') await api.call('PUT /v1/connections/{name}', { name }, { body: cdqConnection })
    const body = method === 'PUT' ? { ...cdqConnection, baselineBy } : { baselineBy }
    const { status, body: problem } = await api.call(`${method} /v1/connections/{name}`, { name }, { body })
    expect(status).toBe(400)
    expect(problem.errors.map((error: { field: string }) => error.field)).toEqual([field])
  }
})
