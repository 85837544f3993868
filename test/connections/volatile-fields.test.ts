import { expect, test } from 'vitest'
import { volatileFieldsOf } from '../../src/model/volatile-fields.ts'
import { findProvider } from '../../src/providers/index.ts'
import { useApi } from '../support/worlds/api.ts'
import { cdqConnection } from '../support/worlds/client.ts'
import { unique } from '../support/worlds/ground.ts'

const api = useApi()

test('they are kept, shown, left alone by other changes, and go with a PUT without them', async () => {
  const name = unique('volatile')
  const volatileFields = ['/requestId', '/result/generatedAt', '/list/-/a~1b', '/requestId']
  const put = await api.call('PUT /v1/connections/{name}', { name }, { body: { ...cdqConnection, volatileFields } })
  expect(put.body).toMatchObject({ volatileFields: volatileFields.slice(0, 3) })
  const row = await api.connectionNamed(name)
  expect(volatileFieldsOf(findProvider(row.provider), row.volatileFields)).toEqual([
    '/modifiedAt',
    ...volatileFields.slice(0, 3),
  ])
  const patched = await api.call('PATCH /v1/connections/{name}', { name }, { body: { limits: { maxInFlight: 3 } } })
  expect(patched.body).toMatchObject({ volatileFields: volatileFields.slice(0, 3) })
  const changed = await api.call('PATCH /v1/connections/{name}', { name }, { body: { volatileFields: [] } })
  expect(changed.body).toMatchObject({ volatileFields: [], limits: { maxInFlight: 3 } })
  expect((await api.call('PUT /v1/connections/{name}', { name }, { body: cdqConnection })).body).toMatchObject({
    volatileFields: [],
  })
})

test.each([
  [['requestId'], 'volatileFields.0'],
  [['/a', '/b~2'], 'volatileFields.1'],
  [['/~'], 'volatileFields.0'],
  [['#/a'], 'volatileFields.0'],
  [[1], 'volatileFields.0'],
  [[`/${'a'.repeat(500)}`], 'volatileFields.0'],
  [Array.from({ length: 51 }, (_, n) => `/${n}`), 'volatileFields'],
  ['/a', 'volatileFields'],
  [null, 'volatileFields'],
])('%j is refused', async (volatileFields, field) => {
  const body = { ...cdqConnection, volatileFields }
  const { status, body: problem } = await api.call('PUT /v1/connections/{name}', { name: unique('odd') }, { body })
  expect(status).toBe(400)
  expect(problem.errors.map((error: { field: string }) => error.field)).toEqual([field])
})
