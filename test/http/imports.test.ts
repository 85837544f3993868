import { describe, expect, test } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'

const api = useApi()

describe('registering', () => {
  test('answers 201 with the import, and wakes the poller', async () => {
    const connection = await api.putConnection()
    const before = api.wakes.poll
    const { status, body } = await api.call(
      'POST /v1/imports',
      {},
      {
        body: { connection, jobId: 'abd123=', metadata: { order: 7, nested: { list: [1, null, 'x'] } } },
      },
    )
    expect(status).toBe(201)
    expect(body).toMatchObject({ connection, provider: 'cdq', jobId: 'abd123=', state: 'pending', polls: 0 })
    expect(body).toMatchObject({
      metadata: { order: 7, nested: { list: [1, null, 'x'] } },
      lastError: null,
      progress: null,
    })
    expect(body.rows).toEqual({
      total: null,
      processed: null,
      succeeded: null,
      failed: null,
      inserted: null,
      updated: null,
      skipped: null,
    })
    expect(body.details).toEqual({ state: 'none', skippedLines: 0, rowResults: 0, lastError: null })
    expect(api.wakes.poll).toBe(before + 1)
  })

  test('the same job again answers 200 with the existing import', async () => {
    const one = await api.register({ metadata: { first: true } })
    const { status, body } = await api.call(
      'POST /v1/imports',
      {},
      {
        body: { connection: one.connection, jobId: one.jobId, metadata: { second: true } },
      },
    )
    expect(status).toBe(200)
    expect(body).toMatchObject({ id: one.id, metadata: { first: true } })
  })

  test('an inline result of micro is recorded at once', async () => {
    const connection = await api.putConnection({
      provider: 'micro',
      credentials: { apiKey: 'k' },
      settings: { teamId: '0b0e9e0a-8d2c-4a54-9c3a-0d8c3a7f2f11' },
    })
    const result = {
      job_id: null,
      status: 'complete',
      total: 1,
      processed: 1,
      succeeded: 1,
      failed: 0,
      results: [{ id: 'r1', created: true }],
    }
    const { status, body } = await api.call('POST /v1/imports', {}, { body: { connection, result } })
    expect(status).toBe(201)
    expect(body).toMatchObject({ state: 'succeeded', details: { state: 'complete', rowResults: 1 } })
  })

  test.each([
    ['an unknown connection', { connection: 'nobody' }, 'connection'],
    ['no job id', { jobId: undefined }, 'jobId'],
    ['an unknown field', { priority: 1 }, 'priority'],
    ['a deadline that is no number', { deadlineMs: '5' }, 'deadlineMs'],
    ['text that Postgres can’t keep', { metadata: { a: { b: 'x\0' } } }, 'metadata.a.b'],
    ['half a surrogate pair', { jobId: 'x\ud800' }, 'jobId'],
    ['a job id over 500 characters', { jobId: 'x'.repeat(501) }, 'jobId'],
    ['metadata over 16 KiB', { metadata: { text: 'x'.repeat(17_000) } }, 'metadata'],
  ])('%s is refused with the field', async (_what, fields, field) => {
    const connection = await api.putConnection()
    const { status, body } = await api.call(
      'POST /v1/imports',
      {},
      { body: { connection, jobId: unique('job'), ...fields } },
    )
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ field }] })
  })

  test('a job id may be as long as those of its provider, and none longer than the document says', async () => {
    const document = (await api.send('/openapi.json')).body
    const [{ maxLength }] = document.components.schemas.RegisterImport.properties.jobId.anyOf
    const connection = await api.putConnection()
    const operations = { provider: 'azure', baseUrl: 'https://example.com/ops', credentials: { accessToken: 't' } }
    await api.call('PUT /v1/connections/{name}', { name: 'azure-of-long-ids' }, { body: operations })
    const register = async (name: string, length: number, before = '') => {
      const jobId = before.padEnd(length, 'x')
      return (await api.call('POST /v1/imports', {}, { body: { connection: name, jobId } })).status
    }
    expect(await register(connection, 500)).toBe(201)
    expect(await register(connection, 501)).toBe(400)
    expect(await register('azure-of-long-ids', maxLength, 'https://example.com/ops/')).toBe(201)
    expect(await register('azure-of-long-ids', maxLength + 1, 'https://example.com/ops/')).toBe(400)
  })

  test('JSON that nests too deeply is refused', async () => {
    const connection = await api.putConnection()
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
    const { status, body } = await api.send('/v1/imports', {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: `{"connection":"${connection}","jobId":"1","metadata":{"deep":${deep}}}`,
    })
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ message: expect.stringContaining('64 levels') }] })
  })
})

describe('a batch', () => {
  test('answers for each item in order, and one that is refused holds up no other', async () => {
    const connection = await api.putConnection()
    const existing = await api.register({ connection })
    const { status, body } = await api.call(
      'POST /v1/imports/batch',
      {},
      {
        body: {
          imports: [
            { connection, jobId: 'batch-1' },
            { connection: 'nobody', jobId: 'batch-2' },
            'nonsense',
            { connection, jobId: existing.jobId },
            { connection, jobId: 'batch-3', colour: 'red' },
            { connection, jobId: 'batch-4' },
          ],
        },
      },
    )
    expect(status).toBe(200)
    expect(body.data.map((item: { status: number }) => item.status)).toEqual([201, 400, 400, 200, 400, 201])
    expect(body.data[0].import.jobId).toBe('batch-1')
    expect(body.data[1].problem).toMatchObject({ code: 'invalid_request', errors: [{ field: 'connection' }] })
    expect(body.data[3].import.id).toBe(existing.id)
    expect(body.data[4].problem.errors).toEqual([{ field: 'colour', message: 'is not known' }])
    expect(body.data[5].import.jobId).toBe('batch-4')
  })

  test('takes 1,000 and no more', async () => {
    const connection = await api.putConnection()
    const imports = Array.from({ length: 1_000 }, (_, index) => ({ connection, jobId: `many-${index}` }))
    const { body } = await api.call('POST /v1/imports/batch', {}, { body: { imports } })
    expect(body.data.map((item: { import: { jobId: string } }) => item.import.jobId)).toEqual(
      imports.map(({ jobId }) => jobId),
    )
    const more = await api.call('POST /v1/imports/batch', {}, { body: { imports: [...imports, imports[0]] } })
    expect(more.body).toMatchObject({ status: 400, errors: [{ field: 'imports' }] })
  })
})

describe('listing', () => {
  test('pages are stable while imports are added: nothing twice, nothing missing', async () => {
    const connection = await api.putConnection()
    const ids: string[] = []
    for (let index = 0; index < 25; index++) ids.push((await api.register({ connection })).id)
    const seen: string[] = []
    let after: string | null = null
    do {
      const query: Record<string, string | number> = { connection, limit: 10, ...(after && { after }) }
      const { body } = await api.call('GET /v1/imports', {}, { query })
      seen.push(...body.data.map(({ id }: { id: string }) => id))
      after = body.next
      await api.register({ connection }) // newer ones come before the first page
    } while (after !== null)
    expect(seen).toEqual(ids.toReversed())
  })

  test('filters by everything that it says, all of them together', async () => {
    const connection = await api.putConnection()
    const registeredAt = new Date('2026-02-01T00:00:00Z')
    const id = (await api.register({ connection, jobId: 'wanted' })).id
    await api.register({ connection })
    await api.database.pool.query('UPDATE imports SET state = $1, attention = $2, registered_at = $3 WHERE id = $4', [
      'running',
      'unmapped_status',
      registeredAt,
      id,
    ])
    const filters = {
      connection,
      provider: 'cdq',
      state: 'running',
      jobId: 'wanted',
      attention: 'unmapped_status',
      registeredAfter: '2026-02-01T00:00:00Z',
      registeredBefore: '2026-02-01T00:00:00.001Z',
    }
    const { body } = await api.call('GET /v1/imports', {}, { query: filters })
    expect(body.data.map((one: { id: string }) => one.id)).toEqual([id])
    const others = {
      connection: 'other',
      provider: 'micro',
      state: 'failed',
      jobId: 'x',
      attention: 'stalled',
      registeredAfter: '2026-02-01T00:00:00.001Z',
      registeredBefore: '2026-02-01T00:00:00Z',
    }
    for (const [name, value] of Object.entries(others)) {
      const { body } = await api.call('GET /v1/imports', {}, { query: { ...filters, [name]: value } })
      expect(body.data, name).toEqual([])
    }
  })

  test.each([
    ['limit', '0'],
    ['limit', '1001'],
    ['limit', '1e2'],
    ['limit', ''],
    ['after', 'nonsense'],
    ['after', Buffer.from('["not-an-id"]').toString('base64url')],
    ['state', 'done'],
    ['provider', 'acme'],
    ['attention', 'unmapped'],
    ['attention', ''],
    ['registeredAfter', 'yesterday'],
    ['sort', 'id'],
    ['jobId', 'x\0'],
  ])('?%s=%s is refused', async (name, value) => {
    const { status, body } = await api.call('GET /v1/imports', {}, { query: { [name]: value } })
    expect(status).toBe(400)
    expect(body.errors).toMatchObject([{ field: name }])
  })

  test('a parameter given twice is refused', async () => {
    const { status, body } = await api.send('/v1/imports?state=failed&state=lost', {
      headers: { authorization: `Bearer ${adminToken}` },
    })
    expect(status).toBe(400)
    expect(body.errors).toMatchObject([{ field: 'state' }])
  })
})

describe('changing', () => {
  const patch = (id: string, body: unknown) => api.call('PATCH /v1/imports/{id}', { id }, { body })

  test('replaces the metadata, and leaves what is absent', async () => {
    const { id } = await api.register({ metadata: { run: 1, team: 'data' }, deadlineMs: 60_000 })
    const before = (await api.call('GET /v1/imports/{id}', { id })).body
    expect((await patch(id, { metadata: { run: 2 } })).body).toEqual({ ...before, metadata: { run: 2 } })
    expect((await patch(id, {})).body).toEqual({ ...before, metadata: { run: 2 } })
    expect((await api.call('GET /v1/imports/{id}/events', { id })).body.data).toEqual([])
    await api.call('POST /v1/imports/{id}/stop', { id })
    const { data } = (await api.call('GET /v1/imports/{id}/events', { id })).body
    expect(data).toMatchObject([{ type: 'import.stopped', data: { metadata: { run: 2 } } }])
  })

  test('moves the deadline, which counts from the registration, and then from the last resume', async () => {
    const { id } = await api.register({ deadlineMs: 60_000 })
    const registered = api.clock.now().getTime()
    api.clock.advance(10_000)
    await patch(id, { deadlineMs: 90_000 })
    expect(await deadlineOf(id)).toBe(registered + 90_000)
    await api.call('POST /v1/imports/{id}/stop', { id })
    api.clock.advance(10_000)
    await api.call('POST /v1/imports/{id}/resume', { id })
    const resumed = api.clock.now().getTime()
    api.clock.advance(10_000)
    await patch(id, { deadlineMs: 30_000 })
    expect(await deadlineOf(id)).toBe(resumed + 30_000)
  })

  test('takes one that is over, whose deadline is that of its next run', async () => {
    const { id } = await api.import({ state: 'failed', finishedAt: api.clock.now() })
    expect((await patch(id, { metadata: { seen: true }, deadlineMs: 45_000 })).body).toMatchObject({
      state: 'failed',
      metadata: { seen: true },
    })
    await api.call('POST /v1/imports/{id}/resume', { id }, { body: { force: true } })
    expect(await deadlineOf(id)).toBe(api.clock.now().getTime() + 45_000)
  })

  test.each([
    [{ metadata: null }, 'metadata'],
    [{ metadata: { large: 'x'.repeat(17_000) } }, 'metadata'],
    [{ deadlineMs: 0 }, 'deadlineMs'],
    [{ deadlineMs: 1.5 }, 'deadlineMs'],
    [{ jobId: 'another' }, 'jobId'],
  ])('refuses %j', async (body, field) => {
    const { id } = await api.register()
    expect((await patch(id, body)).body).toMatchObject({ status: 400, errors: [{ field }] })
  })

  test('needs the scope write, and an import', async () => {
    const { id } = await api.register()
    const { token } = (await api.call('POST /v1/tokens', {}, { body: { name: 'r', scope: 'read' } })).body
    expect((await api.call('PATCH /v1/imports/{id}', { id }, { body: {}, token })).status).toBe(403)
    expect((await patch(newId(), {})).status).toBe(404)
  })

  const deadlineOf = async (id: string) => (await api.importRow(id)).deadlineAt.getTime()
})

describe('steering', () => {
  test('poll, stop and resume answer the import as it is then', async () => {
    const { id } = await api.register()
    expect((await api.call('POST /v1/imports/{id}/poll', { id })).body).toMatchObject({ id, state: 'pending' })
    expect((await api.call('POST /v1/imports/{id}/stop', { id })).body).toMatchObject({
      state: 'stopped',
      nextPollAt: null,
    })
    expect((await api.call('POST /v1/imports/{id}/poll', { id })).body).toMatchObject({ status: 409, code: 'conflict' })
    expect((await api.call('POST /v1/imports/{id}/resume', { id })).body).toMatchObject({
      state: 'pending',
      finishedAt: null,
    })
  })

  test('what the provider ended is resumed by force alone, and the refusal says so', async () => {
    const { id } = await api.import({ state: 'failed', finishedAt: api.clock.now(), rowsFailed: 3 })
    const resume = async (body?: unknown) => (await api.call('POST /v1/imports/{id}/resume', { id }, { body })).body
    for (const body of [undefined, {}, { force: false }])
      expect(await resume(body)).toMatchObject({
        status: 409,
        code: 'conflict',
        detail: expect.stringContaining('force'),
      })
    for (const force of ['true', 1, null])
      expect(await resume({ force })).toMatchObject({ status: 400, errors: [{ field: 'force' }] })
    const tracked = await resume({ force: true })
    expect(tracked).toMatchObject({ id, state: 'pending', finishedAt: null, rows: { failed: null } })
    expect(tracked.nextPollAt).toBe(api.clock.now().toISOString())
    const { body } = await api.call('GET /v1/imports/{id}/events', { id })
    expect(body.data).toMatchObject([{ type: 'import.resumed', sequence: 1, data: { state: 'pending' } }])
  })

  test('a body that isn’t wanted is refused, an empty object is not', async () => {
    const { id } = await api.register()
    const refused = await api.call('POST /v1/imports/{id}/poll', { id }, { body: { force: true } })
    expect(refused.body).toMatchObject({ status: 400, errors: [{ field: 'force' }] })
    expect((await api.call('POST /v1/imports/{id}/poll', { id }, { body: {} })).status).toBe(200)
  })
})

test('the error at the last poll is shown without the answer that could not be read', async () => {
  const lastError = {
    code: 'invalid_response',
    message: 'not JSON',
    at: '2026-01-01T00:00:00.000Z',
    body: '<html>secret',
  }
  const { id } = await api.import({ lastError })
  const { body } = await api.call('GET /v1/imports/{id}', { id })
  expect(body.lastError).toEqual({ code: 'invalid_response', message: 'not JSON', at: '2026-01-01T00:00:00.000Z' })
})

describe('deleting', () => {
  const remove = (id: string, token?: string) => api.call('DELETE /v1/imports/{id}', { id }, token ? { token } : {})

  test('answers 204, and 404 from then on, live or not', async () => {
    for (const { id } of [await api.register(), await api.import({ state: 'succeeded' })]) {
      expect(await remove(id)).toMatchObject({ status: 204, body: '' })
      expect((await remove(id)).body).toMatchObject({ status: 404, code: 'not_found' })
      for (const path of ['', '/snapshots', '/events', '/skipped-lines', '/row-results'])
        expect((await api.call(`GET /v1/imports/{id}${path}`, { id })).status).toBe(404)
    }
  })

  test('needs the scope admin', async () => {
    const { id } = await api.register()
    const { token } = (await api.call('POST /v1/tokens', {}, { body: { name: 'writer', scope: 'write' } })).body
    expect((await remove(id, token)).body).toMatchObject({ status: 403, code: 'forbidden' })
    expect((await api.call('GET /v1/imports/{id}', { id })).status).toBe(200)
  })

  test('ends the waiting of who waits for its end, and its stream', async () => {
    const { id } = await api.register()
    const headers = { authorization: `Bearer ${adminToken}` }
    const stream = await fetch(`${api.url}/v1/imports/${id}/stream`, { headers })
    const waiting = api.call('GET /v1/imports/{id}', { id }, { query: { waitMs: 60_000 } })
    await remove(id)
    expect((await stream.text()).match(/^event: import$/gm)).toHaveLength(1)
    expect((await waiting).body).toMatchObject({ status: 404, code: 'not_found' })
  })
})
