import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { useApi } from '../support/worlds/api.ts'
import type { Answer } from '../support/worlds/client.ts'
import { adminToken } from '../support/worlds/ground.ts'

const api = useApi()
const authorized = { authorization: `Bearer ${adminToken}` }
const json = { ...authorized, 'content-type': 'application/json' }

function expectProblem({ status, headers, body }: Answer, expected: { status: number; code: string }) {
  expect(status).toBe(expected.status)
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(body).toMatchObject({ type: 'about:blank', ...expected })
  expect(body.requestId).toBe(headers.get('x-request-id'))
  expect(Object.keys(body)).toEqual(['type', 'title', 'status', 'code', 'detail', 'requestId', 'errors'])
}

describe('who may call', () => {
  test('without a token: 401, and how to authenticate', async () => {
    const answer = await api.call('GET /v1/imports', {}, { token: null })
    expectProblem(answer, { status: 401, code: 'unauthenticated' })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="import-tracker"')
  })

  test.each(['wrong', `${adminToken}x`, adminToken.slice(1)])('with the token %s: 401', async (token) => {
    const answer = await api.call('GET /v1/imports', {}, { token })
    expectProblem(answer, { status: 401, code: 'unauthenticated' })
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  test.each(['Basic YWRtaW46YWRtaW4=', 'Bearer', 'Bearer a b', adminToken])(
    '“%s” is no bearer token',
    async (value) => {
      const answer = await api.send('/v1/imports', { headers: { authorization: value } })
      expectProblem(answer, { status: 401, code: 'unauthenticated' })
    },
  )

  test('each scope covers the ones before it, and no more', async () => {
    const connection = await api.putConnection()
    const token: Record<string, string> = {}
    for (const scope of ['read', 'write', 'admin'])
      token[scope] = (await api.call('POST /v1/tokens', {}, { body: { name: scope, scope } })).body.token
    const statuses = async (held: string) => [
      (await api.call('GET /v1/imports', {}, { token: token[held] ?? '' })).status,
      (await api.call('POST /v1/imports', {}, { token: token[held] ?? '', body: { connection, jobId: held } })).status,
      (await api.call('GET /v1/tokens', {}, { token: token[held] ?? '' })).status,
    ]
    expect(await statuses('read')).toEqual([200, 403, 403])
    expect(await statuses('write')).toEqual([200, 201, 403])
    expect(await statuses('admin')).toEqual([200, 201, 200])
    const refused = await api.call('DELETE /v1/connections/{name}', { name: connection }, { token: token.write ?? '' })
    expectProblem(refused, { status: 403, code: 'forbidden' })
    expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="admin"')
  })
})

describe('where', () => {
  test('an unknown route is 404', async () => {
    for (const path of ['/v1/nothing', '/nothing', '/v2/imports', '/v1/imports/x/y/z'])
      expectProblem(await api.send(path, { headers: authorized }), { status: 404, code: 'not_found' })
  })

  test('another method is 405, and says which can be used', async () => {
    const answer = await api.send('/v1/imports', { method: 'DELETE', headers: authorized })
    expectProblem(answer, { status: 405, code: 'method_not_allowed' })
    expect(answer.headers.get('allow')).toBe('POST, GET, HEAD')
    const batch = await api.send('/v1/imports/batch', { method: 'PUT', headers: authorized })
    expect(batch.headers.get('allow')).toBe('POST')
  })

  test.each([
    'GET /v1/imports/{id}',
    'DELETE /v1/imports/{id}',
    'GET /v1/imports/{id}/snapshots',
    'GET /v1/imports/{id}/events',
    'GET /v1/imports/{id}/skipped-lines',
    'GET /v1/imports/{id}/row-results',
    'GET /v1/imports/{id}/stream',
    'POST /v1/imports/{id}/poll',
    'POST /v1/imports/{id}/stop',
    'POST /v1/imports/{id}/resume',
    'GET /v1/webhook-endpoints/{id}',
    'DELETE /v1/webhook-endpoints/{id}',
    'POST /v1/webhook-endpoints/{id}/test',
    'POST /v1/webhook-endpoints/{id}/rotate-secret',
    'POST /v1/webhook-endpoints/{id}/enable',
    'GET /v1/deliveries/{id}/attempts',
    'POST /v1/deliveries/{id}/redeliver',
    'DELETE /v1/tokens/{id}',
  ])('%s of an id that isn’t there, or is none, is 404', async (operation) => {
    for (const id of [newId(), 'nonsense', '0', "1' OR '1'='1", '\0', '%'])
      expectProblem(await api.call(operation, { id }), { status: 404, code: 'not_found' })
  })

  test('a path that isn’t percent-encoded right is 404', async () => {
    expectProblem(await api.send('/v1/imports/%E0%A4%A', { headers: authorized }), { status: 404, code: 'not_found' })
  })
})

describe('the body', () => {
  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = json) =>
    api.send('/v1/imports', { method: 'POST', headers, body })

  test('that isn’t JSON is refused', async () => {
    const answer = await post('{"connection":')
    expectProblem(answer, { status: 400, code: 'invalid_request' })
    expect(answer.body.errors).toEqual([{ field: 'body', message: 'must be valid JSON' }])
  })

  test('that isn’t UTF-8 is refused, and nothing is made of it', async () => {
    const answer = await post(Buffer.from('{"connection":"caf\xe9","jobId":"latin-1"}', 'latin1'))
    expectProblem(answer, { status: 400, code: 'invalid_request' })
    expect(answer.body.errors).toEqual([{ field: 'body', message: 'must be UTF-8' }])
    const utf16 = await post(Buffer.from('{}', 'utf16le'), {
      ...json,
      'content-type': 'application/json;charset=utf-16',
    })
    expectProblem(utf16, { status: 415, code: 'unsupported_media_type' })
  })

  test.each(['null', '[]', '"text"', '5'])('that is %s instead of an object is refused', async (body) => {
    expectProblem(await post(body), { status: 400, code: 'invalid_request' })
  })

  test('that is missing is refused', async () => {
    const answer = await api.send('/v1/imports', { method: 'POST', headers: authorized })
    expectProblem(answer, { status: 400, code: 'invalid_request' })
    expect(answer.body.detail).toBe('body is required.')
  })

  test('of another media type is 415', async () => {
    for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])
      expectProblem(await post('{}', { ...authorized, 'content-type': type }), {
        status: 415,
        code: 'unsupported_media_type',
      })
  })

  test('of an unknown content encoding is 415', async () => {
    expectProblem(await post('{}', { ...json, 'content-encoding': 'zstd9' }), {
      status: 415,
      code: 'unsupported_media_type',
    })
  })

  test('over 1 MiB is 413, whether it says its length or not', async () => {
    const answer = await post(JSON.stringify({ text: 'x'.repeat(1024 * 1024) }))
    expectProblem(answer, { status: 413, code: 'payload_too_large' })
    expect(answer.body.errors).toEqual([{ field: 'body', message: 'must be at most 1 MiB' }])
    const chunked = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${api.url}/v1/imports`, { method: 'POST', headers: json }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      sent.on('error', reject)
      sent.write('"')
      for (let index = 0; index < 20; index++) sent.write('x'.repeat(100_000))
      sent.end('"')
    })
    expect(chunked).toBe(413)
  })

  test('of exactly 1 MiB is read', async () => {
    const frame = JSON.stringify({ text: '' })
    const answer = await post(JSON.stringify({ text: 'x'.repeat(1024 * 1024 - frame.length) }))
    expectProblem(answer, { status: 400, code: 'invalid_request' })
  })

  test('every field that is wrong is named, by its path', async () => {
    const answer = await api.call(
      'PUT /v1/connections/{name}',
      { name: 'c' },
      {
        body: {
          provider: 'cdq',
          credentials: { apiKey: 5, user: 'x' },
          settings: { a: 1 },
          baseUrl: 'ftp://x',
          limits: {},
        },
      },
    )
    expectProblem(answer, { status: 400, code: 'invalid_request' })
    const fields = answer.body.errors.map(({ field }: { field: string }) => field)
    expect(fields.toSorted()).toEqual(['baseUrl', 'credentials.apiKey', 'credentials.user', 'settings.a'])
  })

  test('a refusal never repeats what was sent', async () => {
    const answer = await api.call(
      'PUT /v1/connections/{name}',
      { name: 'c' },
      {
        body: { provider: 'cdq', credentials: { apiKey: 'hush\nhush' } },
      },
    )
    expect(JSON.stringify(answer.body)).not.toContain('hush')
  })
})

describe('every answer', () => {
  test('repeats a harmless request id, and makes one otherwise', async () => {
    const given = await api.send('/healthz', { headers: { 'x-request-id': 'abc-123' } })
    expect(given.headers.get('x-request-id')).toBe('abc-123')
    const made = await api.send('/healthz', { headers: { 'x-request-id': 'a b"<script>' } })
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('has a strict content security policy and no sniffing', async () => {
    const { headers } = await api.send('/v1/imports', { headers: authorized })
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-powered-by')).toBeNull()
  })

  test('leaves one line in the log, without credentials or tokens', async () => {
    const name = await api.putConnection({ provider: 'cdq', credentials: { apiKey: 'very-secret-key' } })
    await api.register({ connection: name })
    const line = api.logLines.map((text) => JSON.parse(text)).findLast(({ msg }) => msg === 'request')
    expect(line).toMatchObject({ method: 'POST', path: '/v1/imports', status: 201, requestId: expect.any(String) })
    expect(api.logLines.join('')).not.toMatch(new RegExp(`very-secret-key|${adminToken}`))
  })
})

test('what nobody expected is 500, logged, and says nothing of its cause', async () => {
  await api.database.pool.query('ALTER TABLE snapshots RENAME TO snapshots_away')
  try {
    const { id } = await api.register()
    const answer = await api.call('GET /v1/imports/{id}/snapshots', { id })
    expectProblem(answer, { status: 500, code: 'internal' })
    expect(JSON.stringify(answer.body)).not.toContain('snapshots_away')
    expect(api.logLines.some((line) => line.includes(answer.body.requestId) && line.includes('request failed'))).toBe(
      true,
    )
  } finally {
    await api.database.pool.query('ALTER TABLE snapshots_away RENAME TO snapshots')
  }
})

describe('what can be asked for, but not stored', () => {
  test('a connection’s name with U+0000 is no connection’s', async () => {
    expectProblem(await api.call('GET /v1/connections/{name}', { name: 'a\0b' }), { status: 404, code: 'not_found' })
    expectProblem(await api.call('DELETE /v1/connections/{name}', { name: '\0' }), { status: 404, code: 'not_found' })
  })

  test('a cursor with U+0000 is none', async () => {
    const after = Buffer.from('["\\u0000"]').toString('base64url')
    const answer = await api.send(`/v1/connections?after=${after}`, { headers: authorized })
    expectProblem(answer, { status: 400, code: 'invalid_request' })
  })

  test.each(['0000-01-01T00:00:00Z', '0001-01-01T00:00:00%2B01:00', '9999-12-31T23:59:59-01:00'])(
    'the moment %s is refused',
    async (moment) => {
      const answer = await api.send(`/v1/imports?registeredAfter=${moment}`, { headers: authorized })
      expectProblem(answer, { status: 400, code: 'invalid_request' })
      expect(answer.body.errors).toEqual([{ field: 'registeredAfter', message: 'must be in the years 1 to 9999' }])
    },
  )

  test('a moment whose + became a space says how to write it', async () => {
    const listed = (moment: string) => api.send(`/v1/imports?registeredAfter=${moment}`, { headers: authorized })
    const answer = await listed('2026-01-31T14:00:00+02:00')
    expectProblem(answer, { status: 400, code: 'invalid_request' })
    expect(answer.body.errors).toMatchObject([
      { field: 'registeredAfter', message: expect.stringContaining('14:00:00%2B02:00') },
    ])
    expect((await listed('2026-01-31T14:00:00%2B02:00')).status).toBe(200)
  })

  test('a pace whose next request would never come is refused', async () => {
    const answer = await api.send('/v1/connections/slow', {
      method: 'PUT',
      headers: json,
      body: JSON.stringify({ provider: 'cdq', credentials: { apiKey: 'x' }, limits: { requestsPerSecond: 1e-13 } }),
    })
    expectProblem(answer, { status: 400, code: 'invalid_request' })
    expect(answer.body.errors[0].field).toBe('limits.requestsPerSecond')
  })
})
