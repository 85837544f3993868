import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { createEncryption } from '../../src/base/encryption.ts'
import { createLog } from '../../src/base/log.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import { deleteConnection } from '../../src/connections/delete.ts'
import { pauseConnection, resumeConnection } from '../../src/connections/pause.ts'
import { noteRefusal } from '../../src/connections/refusals.ts'
import { openCredentials } from '../../src/connections/secrets.ts'
import { connections, events } from '../../src/db/schema/index.ts'
import { unknownRows } from '../../src/providers/contract.ts'
import { useApi } from '../support/worlds/api.ts'
import { cdqConnection } from '../support/worlds/client.ts'
import { testEncryption, unique } from '../support/worlds/ground.ts'

const api = useApi()
const put = (name: string, body: unknown) => api.call('PUT /v1/connections/{name}', { name }, { body })
const patch = (name: string, body: unknown) => api.call('PATCH /v1/connections/{name}', { name }, { body })
const get = (name: string) => api.call('GET /v1/connections/{name}', { name })

/** The provider says 401 about an import of it. @returns whether it is paused since now. */
async function pause(name: string): Promise<boolean> {
  const { id: connectionId } = await api.connectionNamed(name)
  const { id: importId } = await api.register({ connection: name })
  const now = api.clock.now()
  return api.db.transaction((tx) =>
    noteRefusal(tx, { connectionId, importId, reason: 'unauthorized', updatedAt: now, now }),
  )
}

async function eventsOf(name: string) {
  const rows = await api.db
    .select()
    .from(events)
    .where(eq(events.connectionId, (await api.connectionNamed(name)).id))
    .orderBy(events.id)
  return rows.map(({ type, body }) => ({ type, data: JSON.parse(body).data }))
}

describe('patching', () => {
  const whole = {
    ...cdqConnection,
    baseUrl: 'https://cdq.example.com',
    limits: { requestsPerSecond: 2, requestsPerMonth: 500, maxInFlight: 3 },
  }

  test('changes one limit without the secret, and leaves the rest', async () => {
    const name = await api.putConnection(whole)
    const before = (await get(name)).body
    api.clock.advance(1_000)
    const { status, body } = await patch(name, { limits: { requestsPerSecond: 5 } })
    expect(status).toBe(200)
    const limits = { ...whole.limits, requestsPerSecond: 5 }
    const effectiveLimits = { ...before.effectiveLimits, requestsPerSecond: 5 }
    expect(body).toEqual({ ...before, limits, effectiveLimits, updatedAt: api.clock.now().toISOString() })
    expect(await credentialsOf(name)).toEqual(cdqConnection.credentials)
  })

  test('takes a limit, or the base URL, back to the provider’s default by null', async () => {
    const name = await api.putConnection(whole)
    const { body } = await patch(name, { limits: { maxInFlight: null }, baseUrl: null })
    expect(body).toMatchObject({ baseUrl: null, limits: { requestsPerSecond: 2, requestsPerMonth: 500 } })
    expect(body.limits).not.toHaveProperty('maxInFlight')
  })

  test('with nothing changes nothing', async () => {
    const name = await api.putConnection(whole)
    const { updatedAt: _, ...before } = (await get(name)).body
    expect((await patch(name, {})).body).toMatchObject(before)
    expect(await credentialsOf(name)).toEqual(cdqConnection.credentials)
  })

  test('replaces credentials, which resumes a paused connection; other changes leave it paused', async () => {
    const name = await api.putConnection(whole)
    await pause(name)
    expect((await patch(name, { limits: { maxInFlight: 9 } })).body.pausedAt).not.toBeNull()
    expect((await patch(name, { credentials: cdqConnection.credentials })).body.pausedAt).not.toBeNull()
    expect((await patch(name, { credentials: { apiKey: 'another' } })).body.pausedAt).toBeNull()
    expect(await credentialsOf(name)).toEqual({ apiKey: 'another' })
    expect((await eventsOf(name)).map(({ type }) => type)).toEqual(['connection.paused', 'connection.resumed'])
  })

  test.each([
    ['a limit that can’t be', { limits: { maxInFlight: 0 } }, 'limits.maxInFlight'],
    ['an unknown limit', { limits: { perDay: 1 } }, 'limits.perDay'],
    [
      'an interval that the stored one doesn’t allow',
      { limits: { minIntervalMs: 999_999_999 } },
      'limits.minIntervalMs',
    ],
    ['no credentials', { credentials: null }, 'credentials'],
    ['half of the credentials', { credentials: {} }, 'credentials.apiKey'],
    ['a setting of another provider', { settings: { teamId: 'x' } }, 'settings.teamId'],
    ['a base URL at a private address', { baseUrl: 'https://10.0.0.1' }, 'baseUrl'],
    ['another provider, whose settings are missing', { provider: 'micro' }, 'settings.teamId'],
    ['an unknown field', { paused: true }, 'paused'],
  ])('%s is refused, and nothing is changed', async (_what, change, field) => {
    const name = await api.putConnection(whole)
    const before = await api.connectionNamed(name)
    const { status, body } = await patch(name, change)
    expect(status).toBe(400)
    expect(body.errors.map((error: { field: string }) => error.field)).toContain(field)
    expect(await api.connectionNamed(name)).toEqual(before)
  })

  test('another provider is refused while the connection has imports', async () => {
    const name = await api.putConnection(whole)
    await api.register({ connection: name })
    const micro = { provider: 'micro', settings: { teamId: '0b8e5a8c-52f5-4f3c-9d3a-2f6a1c9d7e10' } }
    expect((await patch(name, micro)).body).toMatchObject({ status: 409, errors: [{ field: 'provider' }] })
  })

  test('two at once lose nothing of each other', async () => {
    const name = await api.putConnection(cdqConnection)
    await Promise.all([
      patch(name, { limits: { maxInFlight: 2 } }),
      patch(name, { limits: { requestsPerMonth: 7 } }),
      patch(name, { limits: { requestsPerSecond: 3 } }),
    ])
    expect((await get(name)).body.limits).toEqual({ maxInFlight: 2, requestsPerMonth: 7, requestsPerSecond: 3 })
  })

  test('what isn’t there is 404', async () => {
    expect((await patch('nobody', {})).status).toBe(404)
  })

  async function credentialsOf(name: string): Promise<unknown> {
    return openCredentials(testEncryption, await api.connectionNamed(name))
  }
})

describe('putting', () => {
  test('creates with 201, and shows everything but the credentials', async () => {
    const name = unique('cdq')
    const { status, body } = await put(name, {
      ...cdqConnection,
      baseUrl: 'https://cdq.example.com/rest/',
      limits: { requestsPerSecond: 0.5, minIntervalMs: 5_000 },
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({ name, provider: 'cdq', baseUrl: 'https://cdq.example.com/rest', settings: {} })
    expect(body).toMatchObject({
      limits: { requestsPerSecond: 0.5, minIntervalMs: 5_000 },
      pausedAt: null,
      pauseReason: null,
      blockedUntil: null,
    })
    expect(body.effectiveLimits).toMatchObject({
      requestsPerSecond: 0.5,
      minIntervalMs: 5_000,
      maxInFlight: expect.any(Number),
    })
    expect(JSON.stringify([body, (await get(name)).body])).not.toContain('key-of-the-tests')
  })

  test('stores the credentials encrypted, for this connection alone', async () => {
    const [one, other] = [await api.putConnection(), await api.putConnection()]
    const row = await api.connectionNamed(one)
    expect(row.credentials).not.toContain('key-of-the-tests')
    expect(JSON.parse(testEncryption.decrypt(row.credentials, `connection:${row.id}`))).toEqual({
      apiKey: 'key-of-the-tests',
    })
    expect(() => testEncryption.decrypt(row.credentials, `connection:${other}`)).toThrow()
  })

  test('replaces with 200: what is absent goes back to the default', async () => {
    const name = await api.putConnection({ ...cdqConnection, limits: { maxInFlight: 2 } })
    api.clock.advance(1_000)
    const { status, body } = await put(name, { ...cdqConnection, baseUrl: 'https://new.example.com' })
    expect(status).toBe(200)
    expect(body).toMatchObject({ baseUrl: 'https://new.example.com', limits: {} })
    expect(Date.parse(body.updatedAt) - Date.parse(body.createdAt)).toBe(1_000)
  })

  test('shows the limits of every window, and what is used of the month', async () => {
    const limits = { requestsPerSecond: 2, requestsPerMinute: 30, requestsPerDay: 500, requestsPerMonth: 1_000 }
    const name = unique('limited')
    const { body } = await put(name, { ...cdqConnection, limits })
    const month = api.clock.now().toISOString().slice(0, 7)
    const usage = { month, used: 0, left: 1_000, runsOutAt: null }
    expect(body).toMatchObject({ limits, effectiveLimits: limits, usage })
    await api.db
      .update(connections)
      .set({ budgetMonth: month, monthRequests: 400, recentRequests: 400, recentAt: api.clock.now() })
      .where(eq(connections.name, name))
    const used = (await get(name)).body.usage
    expect(used).toMatchObject({ month, used: 400, left: 600 })
    expect(Date.parse(used.runsOutAt)).toBeGreaterThan(api.clock.now().getTime())
    const { data } = (await api.call('GET /v1/connections', {}, { query: { limit: '1000' } })).body
    expect(data.find((one: { name: string }) => one.name === name).usage).toEqual(used)
    expect((await patch(name, { limits: { requestsPerMonth: null } })).body.usage).toEqual({
      month,
      used: 400,
      left: null,
      runsOutAt: null,
    })
  })

  test('two at once make one connection', async () => {
    const name = unique('race')
    const answers = await Promise.all(Array.from({ length: 8 }, () => put(name, cdqConnection)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 200, 200, 200, 201])
  })

  test.each([
    ['an unknown provider', { provider: 'acme' }, 'provider'],
    ['no credentials', { credentials: undefined }, 'credentials'],
    ['credentials of another provider', { credentials: { tokenResponse: '{}' } }, 'credentials.apiKey'],
    ['an unknown setting', { settings: { teamId: 'x' } }, 'settings.teamId'],
    ['an unknown limit', { limits: { perDay: 1 } }, 'limits.perDay'],
    ['a limit of nothing', { limits: { requestsPerSecond: 0 } }, 'limits.requestsPerSecond'],
    ['a minute of nothing', { limits: { requestsPerMinute: 0 } }, 'limits.requestsPerMinute'],
    ['a minute in words', { limits: { requestsPerMinute: 'many' } }, 'limits.requestsPerMinute'],
    ['half a request a day', { limits: { requestsPerDay: 0.5 } }, 'limits.requestsPerDay'],
    ['half a request in flight', { limits: { maxInFlight: 0.5 } }, 'limits.maxInFlight'],
    [
      'a shortest interval above the longest',
      { limits: { minIntervalMs: 2_000, maxIntervalMs: 1_000 } },
      'limits.minIntervalMs',
    ],
    ['a base URL with a password', { baseUrl: 'https://a:b@example.com' }, 'baseUrl'],
    ['a base URL with a query', { baseUrl: 'https://example.com?x=1' }, 'baseUrl'],
    ['a base URL at a private address', { baseUrl: 'https://10.0.0.1' }, 'baseUrl'],
    ['zilliant without a base URL', { provider: 'zilliant', credentials: { tokenResponse: '{}' } }, 'baseUrl'],
    ['micro without its team', { provider: 'micro' }, 'settings.teamId'],
    ['an unknown field', { paused: true }, 'paused'],
  ])('%s is refused, and nothing is stored', async (_what, fields, field) => {
    const name = unique('refused')
    const { status, body } = await put(name, { ...cdqConnection, ...fields })
    expect(status).toBe(400)
    expect(body.errors.map((error: { field: string }) => error.field)).toContain(field)
    expect((await get(name)).status).toBe(404)
  })

  test.each(['has space', '-dash-first', 'x'.repeat(101), 'ü', 'a/b'])('the name “%s” is refused', async (name) => {
    expect((await put(name, cdqConnection)).body).toMatchObject({ status: 400, errors: [{ field: 'name' }] })
    expect((await get(name)).status).toBe(404)
  })

  test('the provider of a connection with imports can’t change; without any it can', async () => {
    const name = await api.putConnection()
    const fullstory = { provider: 'fullstory', credentials: { apiKey: 'k' } }
    expect((await put(name, fullstory)).body).toMatchObject({ provider: 'fullstory', settings: expect.any(Object) })
    await api.register({ connection: name })
    expect((await put(name, cdqConnection)).body).toMatchObject({
      status: 409,
      code: 'conflict',
      errors: [{ field: 'provider' }],
    })
  })

  test('new limits aren’t held up by the pace of the old ones', async () => {
    const name = await api.putConnection()
    await api.db
      .update(connections)
      .set({ nextRequestAt: after(api.clock.now(), 1e6) })
      .where(eq(connections.name, name))
    await put(name, cdqConnection)
    expect((await api.connectionNamed(name)).nextRequestAt).not.toBeNull()
    await put(name, { ...cdqConnection, limits: { requestsPerSecond: 50 } })
    expect((await api.connectionNamed(name)).nextRequestAt).toBeNull()
  })
})

describe('pausing', () => {
  test('is told once, with the connection as the API shows it', async () => {
    const name = await api.putConnection()
    expect(await pause(name)).toBe(true)
    api.clock.advance(180_000)
    expect(await pause(name)).toBe(false)
    const { body } = await get(name)
    expect(body).toMatchObject({
      pauseReason: 'unauthorized',
      pausedAt: new Date(api.clock.now().getTime() - 180_000).toISOString(),
    })
    expect((await api.connectionNamed(name)).nextProbeAt).toEqual(after(api.clock.now(), 180_000))
    expect(await eventsOf(name)).toEqual([{ type: 'connection.paused', data: body }])
  })

  test('the same put again keeps it paused; new credentials resume it, and tell so', async () => {
    const name = await api.putConnection()
    await pause(name)
    expect((await put(name, cdqConnection)).body.pausedAt).not.toBeNull()
    const before = api.wakes.poll
    const { body } = await put(name, { ...cdqConnection, credentials: { apiKey: 'new' } })
    expect(body).toMatchObject({ pausedAt: null, pauseReason: null })
    expect(api.wakes.poll).toBe(before + 1)
    expect((await eventsOf(name)).map(({ type }) => type)).toEqual(['connection.paused', 'connection.resumed'])
  })

  test('somebody can resume it; one that isn’t paused stays as it is', async () => {
    const name = await api.putConnection()
    await pause(name)
    for (let times = 0; times < 2; times++) {
      const { status, body } = await api.call('POST /v1/connections/{name}/resume', { name })
      expect(status).toBe(200)
      expect(body.pausedAt).toBeNull()
    }
    expect((await eventsOf(name)).map(({ type }) => type)).toEqual(['connection.paused', 'connection.resumed'])
    expect((await api.call('POST /v1/connections/{name}/resume', { name: 'nobody' })).status).toBe(404)
  })

  test('a transaction that fails leaves neither the pause nor the event', async () => {
    const name = await api.putConnection()
    const { id } = await api.connectionNamed(name)
    const now = api.clock.now()
    const failing = api.db.transaction(async (tx) => {
      await pauseConnection(tx, { connectionId: id, reason: 'unauthorized', now, nextProbeAt: now })
      throw new Error('lost')
    })
    await expect(failing).rejects.toThrow('lost')
    expect((await api.connectionNamed(name)).pausedAt).toBeNull()
    expect(await eventsOf(name)).toEqual([])
    await api.db.transaction((tx) => resumeConnection(tx, { connectionId: id, now, by: 'probe' }))
    expect(await eventsOf(name)).toEqual([])
  })
})

describe('deleting', () => {
  test('is refused while an import is live, or its rows are still being collected', async () => {
    const name = await api.putConnection()
    const { id } = await api.register({ connection: name })
    const remove = () => api.call('DELETE /v1/connections/{name}', { name })
    expect((await remove()).body).toMatchObject({ status: 409, code: 'conflict' })
    await api.database.pool.query('DELETE FROM polling WHERE import_id = $1', [id])
    await api.database.pool.query("UPDATE imports SET state = 'succeeded', next_collect_at = now() WHERE id = $1", [id])
    expect((await remove()).status).toBe(409)
    await api.database.pool.query('UPDATE imports SET next_collect_at = null WHERE id = $1', [id])
    expect((await remove()).status).toBe(204)
  })

  test('wipes the credentials, keeps the history, and frees the name', async () => {
    const name = await api.putConnection()
    const { id } = await api.register({ connection: name })
    await api.call('POST /v1/imports/{id}/stop', { id })
    const old = await api.connectionNamed(name)
    expect((await api.call('DELETE /v1/connections/{name}', { name })).status).toBe(204)
    expect((await get(name)).status).toBe(404)
    expect((await api.call('DELETE /v1/connections/{name}', { name })).status).toBe(404)
    expect((await api.connectionRow(old.id)).credentials).toBe('')
    expect((await api.call('GET /v1/imports/{id}', { id })).body).toMatchObject({ connection: name, state: 'stopped' })
    expect((await put(name, cdqConnection)).status).toBe(201)
    const again = await api.db.select().from(connections).where(eq(connections.name, name))
    expect(again.map((row) => row.id)).toContain(old.id)
    expect((await api.call('GET /v1/imports', {}, { query: { connection: name } })).body.data).toHaveLength(1)
  })

  test('keeps what its imports went through: snapshots, rows, events', async () => {
    const name = await api.putConnection()
    const { id } = await api.register({ connection: name })
    await api.snapshot({ importId: id, rows: { ...unknownRows } })
    await api.skippedLines(id, [[1, 2]])
    await api.rowResults(id, [{ recordId: 'r' }])
    await api.call('POST /v1/imports/{id}/stop', { id })
    await api.call('DELETE /v1/connections/{name}', { name })
    const counts = await Promise.all(
      ['snapshots', 'skipped-lines', 'row-results', 'events'].map(
        async (what) => (await api.call(`GET /v1/imports/{id}/${what}`, { id })).body.data.length,
      ),
    )
    expect(counts).toEqual([1, 2, 1, 1])
  })

  test('leaves nothing to resume', async () => {
    const name = await api.putConnection()
    const { id } = await api.register({ connection: name })
    await api.call('POST /v1/imports/{id}/stop', { id })
    await api.call('DELETE /v1/connections/{name}', { name })
    expect((await api.call('POST /v1/imports/{id}/resume', { id })).body).toMatchObject({
      status: 409,
      code: 'conflict',
    })
    expect((await api.call('GET /v1/imports/{id}', { id })).body).toMatchObject({ state: 'stopped', nextPollAt: null })
  })

  test('and resuming an import of it at once: one of them is refused', async () => {
    for (let round = 0; round < 10; round++) {
      const name = await api.putConnection()
      const { id } = await api.register({ connection: name })
      await api.call('POST /v1/imports/{id}/stop', { id })
      const [removed, resumed] = await Promise.all([
        api.call('DELETE /v1/connections/{name}', { name }),
        api.call('POST /v1/imports/{id}/resume', { id }),
      ])
      expect([removed.status, resumed.status]).toSatisfy(
        ([first, second]) => (first === 204 && second === 409) || (first === 409 && second === 200),
      )
    }
  })

  test('waits for a registration under way, and then is refused', async () => {
    const name = await api.putConnection()
    const { id } = await api.connectionNamed(name)
    const client = await api.database.pool.connect()
    await client.query('BEGIN')
    await client.query('SELECT 1 FROM connections WHERE id = $1 FOR KEY SHARE', [id])
    await client.query(
      `INSERT INTO imports (id, connection_id, job_id, state, registered_at, deadline_ms, deadline_at, metadata)
       VALUES (gen_random_uuid(), $1, 'race', 'pending', now(), 1, now(), '{}')`,
      [id],
    )
    const removing = deleteConnection(api, name)
    const refused = expect(removing).rejects.toMatchObject({ code: 'conflict' })
    await client.query('COMMIT')
    client.release()
    await refused
  })
})

test('connections are listed by name, without the deleted ones', async () => {
  const names = []
  for (const letter of ['c', 'a', 'b']) names.push(unique(`zz-${letter}`))
  for (const name of names) await put(name, cdqConnection)
  const gone = unique('zz-d')
  await put(gone, cdqConnection)
  await api.call('DELETE /v1/connections/{name}', { name: gone })
  const seen: string[] = []
  let after: string | null = null
  do {
    const { body } = await api.call('GET /v1/connections', {}, { query: { limit: 2, ...(after && { after }) } })
    seen.push(...body.data.map(({ name }: { name: string }) => name))
    after = body.next
  } while (after !== null)
  expect(seen.filter((name) => name.startsWith('zz-'))).toEqual(names.toSorted())
})

describe('accesses', () => {
  const log = createLog('silent')

  test('are decrypted, with the limits that hold and the provider’s default base URL', async () => {
    const name = await api.putConnection({ ...cdqConnection, limits: { maxInFlight: 3 } })
    const { id } = await api.connectionNamed(name)
    const access = (await createConnectionAccesses({ db: api.db, encryption: testEncryption, log }).load([id, id])).get(
      id,
    )
    expect(access).toMatchObject({
      id,
      name,
      credentials: { apiKey: 'key-of-the-tests' },
      settings: {},
      pausedAt: null,
    })
    expect(access).toMatchObject({ baseUrl: 'https://api.cdq.com/data-exchange/rest', limits: { maxInFlight: 3 } })
    expect(access?.provider.name).toBe('cdq')
  })

  test('follow changes at once, also new credentials and a pause', async () => {
    const name = await api.putConnection()
    const { id } = await api.connectionNamed(name)
    const accesses = createConnectionAccesses({ db: api.db, encryption: testEncryption, log })
    await accesses.load([id])
    await put(name, { ...cdqConnection, credentials: { apiKey: 'second' } })
    await pause(name)
    const access = (await accesses.load([id])).get(id)
    expect(access?.credentials).toEqual({ apiKey: 'second' })
    expect(access?.pausedAt).toEqual(api.clock.now())
  })

  test('leave out deleted connections, and have no credentials where no key opens them', async () => {
    const [kept, deleted] = [await api.putConnection(), await api.putConnection()]
    const ids = [(await api.connectionNamed(kept)).id, (await api.connectionNamed(deleted)).id]
    await api.call('DELETE /v1/connections/{name}', { name: deleted })
    const { db } = api.database
    expect([...(await createConnectionAccesses({ db, encryption: testEncryption, log }).load(ids)).keys()]).toEqual([
      ids[0],
    ])
    const strange = createEncryption([Buffer.alloc(32, 9)])
    const [shut] = (await createConnectionAccesses({ db, encryption: strange, log }).load(ids)).values()
    expect(shut).toMatchObject({ id: ids[0], credentials: null })
  })
})
