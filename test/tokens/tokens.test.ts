import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../src/tokens/authenticate.ts'
import { createToken } from '../../src/tokens/create.ts'
import { removeToken } from '../../src/tokens/remove.ts'
import { allows, scopes } from '../../src/tokens/scope.ts'
import { useApi } from '../support/worlds/api.ts'

const api = useApi()

describe('a token', () => {
  test('is shown once, and only its hash is stored', async () => {
    const { status, body } = await api.call('POST /v1/tokens', {}, { body: { name: 'ci', scope: 'write' } })
    expect(status).toBe(201)
    expect(body).toMatchObject({ name: 'ci', scope: 'write', token: expect.stringMatching(/^imt_[\w-]{43}$/) })
    const listed = await api.call('GET /v1/tokens', {})
    expect(listed.body.data).toContainEqual({ id: body.id, name: 'ci', scope: 'write', createdAt: body.createdAt })
    const { rows } = await api.database.pool.query('SELECT * FROM api_tokens')
    expect(JSON.stringify(rows)).not.toContain(body.token)
  })

  test('works until it is revoked, and then no more', async () => {
    const { body } = await api.call('POST /v1/tokens', {}, { body: { name: 'short', scope: 'read' } })
    const use = () => api.call('GET /v1/imports', {}, { token: body.token })
    expect((await use()).status).toBe(200)
    expect((await api.call('DELETE /v1/tokens/{id}', { id: body.id })).status).toBe(204)
    expect((await use()).status).toBe(401)
    expect((await api.call('DELETE /v1/tokens/{id}', { id: body.id })).status).toBe(404)
  })

  test.each([
    [{ name: '', scope: 'read' }, 'name'],
    [{ name: 'x'.repeat(101), scope: 'read' }, 'name'],
    ...['a\nb', 'a\u0007', 'a\u202eb', 'a\u2066b'].map((name): [object, string] => [{ name, scope: 'read' }, 'name']),
    [{ name: 'x', scope: 'root' }, 'scope'],
    [{ name: 'x' }, 'scope'],
    [{ name: 'x', scope: 'read', expires: 1 }, 'expires'],
  ])('%j is refused', async (body, field) => {
    const answer = await api.call('POST /v1/tokens', {}, { body })
    expect(answer.body).toMatchObject({ status: 400, errors: [{ field }] })
  })
})

describe('another process', () => {
  test('goes on accepting a revoked token for 5 seconds at the most', async () => {
    const { db } = api.database
    const other = createAuthenticator({ db, clock: api.clock, adminToken: null })
    const { id, token } = await createToken(api, { name: 'cached', scope: 'read' })
    expect(await other.authenticate(token)).toEqual({ tokenId: id, name: 'cached', scope: 'read' })
    await removeToken(api, id)
    api.clock.advance(5_000)
    expect(await other.authenticate(token)).toBeNull()
  })

  test('without a bootstrap token knows none', async () => {
    const other = createAuthenticator({ db: api.db, clock: api.clock, adminToken: null })
    for (const token of ['', 'null', 'undefined']) expect(await other.authenticate(token)).toBeNull()
  })
})

test('each scope covers itself and the ones before it', () => {
  const table = scopes.map((held) => scopes.filter((needed) => allows(held, needed)))
  expect(table).toEqual([['read'], ['read', 'write'], ['read', 'write', 'admin']])
})
