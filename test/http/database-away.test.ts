import { afterAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { newToken } from '../../src/tokens/hash.ts'
import { useApi } from '../support/worlds/api.ts'

const away = openDatabase('postgres://127.0.0.1:1/none', { maxConnections: 1, onError: () => {} })
const api = useApi({ db: away.db })
afterAll(() => away.close())

test('while the database is away, requests are 503, and it is logged as no bug', async () => {
  for (const token of [undefined, newToken()]) {
    const { status, body } = await api.call('GET /v1/imports', {}, { ...(token !== undefined && { token }) })
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'unavailable' })
    expect(JSON.stringify(body)).not.toContain('ECONNREFUSED')
  }
  const lines = api.logLines.map((line) => JSON.parse(line)).filter(({ err }) => err !== undefined)
  expect(lines.filter(({ level }) => level !== 40)).toEqual([])
  expect(lines.filter(({ requestId }) => requestId !== undefined)).toHaveLength(2)
})
