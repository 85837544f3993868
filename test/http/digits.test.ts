// Owns that what the API only keeps comes back with its digits, wherever it is shown, and that nothing is dropped.
import { describe, expect, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'

const api = useApi()

/** The answer as text, since a client that parses it may lose the digits itself. */
async function textOf(method: string, path: string, body?: string) {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body }),
  })
  return { status: response.status, text: await response.text() }
}

const idOf = (text: string) => (JSON.parse(text) as { id: string }).id

/** What it is sent as, and as what it comes back; Postgres writes numbers out. */
const numbers: [string, string][] = [
  ['9007199254740993', '9007199254740993'],
  ['-12345678901234567890', '-12345678901234567890'],
  ['0.1234567890123456789', '0.1234567890123456789'],
  ['1000000000000000000000', '1000000000000000000000'],
  ['1e400', `1${'0'.repeat(400)}`],
  ['1.5e-400', `0.${'0'.repeat(399)}15`],
  ['[{"deep":17841400000000001}]', '[{"deep": 17841400000000001}]'.replaceAll(' ', '')],
  ['0.30000000000000004', '0.30000000000000004'],
  ['12', '12'],
]

describe('metadata', () => {
  test.each(numbers)('%s comes back in the answer, from the list, the stream and the event', async (sent, kept) => {
    const connection = await api.putConnection()
    const jobId = unique('job')
    const created = await textOf(
      'POST',
      '/v1/imports',
      `{"connection":"${connection}","jobId":"${jobId}","metadata":{"order":${sent}}}`,
    )
    expect(created.status).toBe(201)
    const expected = `"metadata":{"order":${kept}}`
    expect(created.text).toContain(expected)
    const id = idOf(created.text)
    await textOf('POST', `/v1/imports/${id}/stop`)
    for (const path of [
      `/v1/imports/${id}`,
      `/v1/imports?connection=${connection}`,
      `/v1/imports/${id}/stream`,
      `/v1/imports/${id}/events`,
    ])
      expect((await textOf('GET', path)).text, path).toContain(expected)
    const { rows } = await api.database.pool.query('SELECT body FROM events WHERE import_id = $1', [id])
    expect(rows[0]?.body, 'the body of the webhook').toContain(expected)
  })

  test.each(['1e131072', '1e-16384', '1e99999999999'])(
    '%s, which Postgres has no room for, is refused',
    async (sent) => {
      const connection = await api.putConnection()
      const body = `{"connection":"${connection}","jobId":"j","metadata":{"a":{"b":${sent}}}}`
      const { status, text } = await textOf('POST', '/v1/imports', body)
      expect(status).toBe(400)
      expect(JSON.parse(text).errors).toEqual([
        { field: 'metadata.a.b', message: 'must be a number with fewer digits' },
      ])
    },
  )

  test('is measured as it is written out', async () => {
    const connection = await api.putConnection()
    const body = `{"connection":"${connection}","jobId":"j","metadata":{"a":1e100000}}`
    const { status, text } = await textOf('POST', '/v1/imports', body)
    expect(status).toBe(400)
    expect(JSON.parse(text).errors).toEqual([{ field: 'metadata', message: 'must be at most 16 KiB of JSON' }])
  })
})

test('a filter of an endpoint wants the number itself, and not its neighbour', async () => {
  const created = await textOf(
    'POST',
    '/v1/webhook-endpoints',
    '{"url":"https://example.com/h","types":["import.stopped"],"metadata":{"order":9007199254740993,"x":1.50}}',
  )
  expect(created.status).toBe(201)
  expect(created.text).toContain('"metadata":{"x":1.5,"order":9007199254740993}')
  const endpoint = idOf(created.text)
  expect((await textOf('GET', `/v1/webhook-endpoints/${endpoint}`)).text).toContain('9007199254740993')
  const connection = await api.putConnection()
  for (const order of ['9007199254740992', '9007199254740993', '9007199254740994']) {
    const body = `{"connection":"${connection}","jobId":"${order}","metadata":{"order":${order},"x":1.5}}`
    await textOf('POST', `/v1/imports/${idOf((await textOf('POST', '/v1/imports', body)).text)}/stop`)
  }
  const { rows } = await api.database.pool.query(
    `SELECT i.job_id FROM deliveries d JOIN events e ON e.id = d.event_id JOIN imports i ON i.id = e.import_id
     WHERE d.endpoint_id = $1`,
    [endpoint],
  )
  expect(rows).toEqual([{ job_id: '9007199254740993' }])
})

test('a number that is reckoned with has to be one that can be', async () => {
  const { status, text } = await textOf(
    'PUT',
    '/v1/connections/odd',
    '{"provider":"cdq","credentials":{"apiKey":"k"},"limits":{"deadlineMs":1e400,"requestsPerSecond":0.12345678901234567890}}',
  )
  expect(status).toBe(400)
  expect(JSON.parse(text).errors).toEqual([
    { field: 'limits.requestsPerSecond', message: 'must be a number that a double can carry exactly' },
    { field: 'limits.deadlineMs', message: 'must be a number that a double can carry exactly' },
  ])
  const jobId = await textOf('POST', '/v1/imports', '{"connection":"odd","jobId":12345678901234567890}')
  expect(JSON.parse(jobId.text).errors).toEqual([{ field: 'jobId', message: 'must be a string' }])
})

test('the body of an inline result keeps its digits', async () => {
  const connection = await api.putConnection({
    provider: 'micro',
    credentials: { apiKey: 'k' },
    settings: { teamId: '0b0e9e0a-8d2c-4a54-9c3a-0d8c3a7f2f11' },
  })
  const result = `{"status":"complete","total":1,"succeeded":1,"failed":0,"ref":12345678901234567890,"results":[{"id":17841400000000001}]}`
  const created = await textOf('POST', '/v1/imports', `{"connection":"${connection}","result":${result}}`)
  expect(created.status).toBe(201)
  const id = idOf(created.text)
  expect((await textOf('GET', `/v1/imports/${id}/snapshots`)).text).toContain('"ref":12345678901234567890')
  expect((await textOf('GET', `/v1/imports/${id}/row-results`)).text).toContain('"recordId":"17841400000000001"')
})

describe('the key __proto__', () => {
  const endpoint = '"url":"https://example.com/h"'
  const cdq = '"provider":"cdq","credentials":{"apiKey":"k"}'
  const micro = '"provider":"micro","credentials":{"apiKey":"k"}'

  test.each([
    ['POST', '/v1/imports', '{"connection":"c","jobId":"j","__proto__":1}', '__proto__'],
    ['POST', '/v1/imports', '{"connection":"c","jobId":"j","metadata":{"__proto__":{"a":1}}}', 'metadata.__proto__'],
    [
      'POST',
      '/v1/imports',
      '{"connection":"c","jobId":"j","metadata":{"a":[{"__proto__":1}]}}',
      'metadata.a.0.__proto__',
    ],
    ['POST', '/v1/imports', '{"connection":"c","jobId":"j","result":{"__proto__":1}}', 'result.__proto__'],
    ['POST', '/v1/imports/batch', '{"imports":[],"__proto__":1}', '__proto__'],
    ['POST', '/v1/webhook-endpoints', `{${endpoint},"headers":{"__proto__":"x"}}`, 'headers.__proto__'],
    ['POST', '/v1/webhook-endpoints', `{${endpoint},"metadata":{"__proto__":"x"}}`, 'metadata.__proto__'],
    [
      'PUT',
      '/v1/connections/c',
      '{"provider":"cdq","credentials":{"apiKey":"k","__proto__":1}}',
      'credentials.__proto__',
    ],
    ['PUT', '/v1/connections/c', `{${micro},"settings":{"__proto__":1}}`, 'settings.__proto__'],
    ['PUT', '/v1/connections/c', `{${cdq},"limits":{"__proto__":{"maxInFlight":9}}}`, 'limits.__proto__'],
    ['POST', '/v1/tokens', '{"name":"n","scope":"read","__proto__":1}', '__proto__'],
  ])('%s %s %s is refused', async (method, path, body, field) => {
    const { status, text } = await textOf(method, path, body)
    expect(status).toBe(400)
    expect(JSON.parse(text).errors).toEqual([{ field, message: 'is no key that can be kept' }])
  })

  test('refuses the one item of a batch that has it, as does what else can not be kept', async () => {
    const connection = await api.putConnection()
    const item = (jobId: string, metadata: string) =>
      `{"connection":"${connection}","jobId":"${jobId}","metadata":${metadata}}`
    const items = [
      item('kept', '{"order":9007199254740993}'),
      item('proto', '{"a":[{"__proto__":1}]}'),
      item('nul\\u0000', '{}'),
      item('half', '{"a":"\\ud800"}'),
      item('huge', '{"n":1e400000}'),
      '"\\ud800"',
      item('kept-too', '{}'),
    ]
    const { status, text } = await textOf('POST', '/v1/imports/batch', `{"imports":[${items.join()}]}`)
    expect(status).toBe(200)
    const { data } = JSON.parse(text)
    const statuses = data.map((one: { status: number }) => one.status)
    expect(statuses).toEqual([201, 400, 400, 400, 400, 400, 201])
    const fields = data.flatMap((one: { problem?: { errors: { field: string }[] } }) => one.problem?.errors ?? [])
    expect(fields.map(({ field }: { field: string }) => field)).toEqual([
      'metadata.a.0.__proto__',
      'jobId',
      'metadata.a',
      'metadata.n',
      'import',
    ])
  })

  test('in a query is refused, too', async () => {
    expect((await textOf('GET', '/v1/imports?__proto__=x')).status).toBe(400)
  })

  test('others that only look special are kept', async () => {
    const connection = await api.putConnection()
    const metadata = '{"prototype":"p","constructor":"c","hasOwnProperty":1}'
    const body = `{"connection":"${connection}","jobId":"j","metadata":${metadata}}`
    const { status, text } = await textOf('POST', '/v1/imports', body)
    expect(status).toBe(201)
    expect(JSON.parse(text).metadata).toEqual(JSON.parse(metadata))
  })
})

test('JSON that nests without end is refused also where it ends in such a number', async () => {
  for (const inner of ['1', '1e400'])
    expect((await textOf('POST', '/v1/imports', `${'['.repeat(100_000)}${inner}${']'.repeat(100_000)}`)).status).toBe(
      400,
    )
})
