import { afterAll, expect, inject, test } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { startCable } from '../support/cable.ts'
import { useApi } from '../support/worlds/api.ts'

const cable = await startCable(inject('services').databaseUrl)
const silent = openDatabase(cable.url, { maxConnections: 2, onError: () => {}, silentForMs: 500 })
cable.freeze({ forAll: true })
const api = useApi({ db: silent.db })
afterAll(async () => {
  await silent.close()
  await cable.cut()
})

test('while the database says nothing, requests are 503 after a bounded time', async () => {
  const asked = Array.from({ length: 4 }, () => api.call('GET /v1/imports', {}))
  for (const { status, body } of await Promise.all(asked))
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'unavailable' })
})
