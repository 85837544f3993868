import { describe, expect, test } from 'vitest'
import { eventOf } from '../../src/model/import-state.ts'
import { useApi } from '../support/worlds/api.ts'

const api = useApi()
const create = (body: Record<string, unknown> = {}) =>
  api.call('POST /v1/webhook-endpoints', {}, { body: { url: 'https://hooks.example.com/in', ...body } })

/** An import that was stopped, so that there is an event of it, and deliveries. */
async function aStoppedImport() {
  const one = await api.register()
  await api.call('POST /v1/imports/{id}/stop', { id: one.id })
  return one
}

describe('endpoints', () => {
  test('are created with 201 and a secret, which is shown this once', async () => {
    const { status, body } = await create({ headers: { 'X-Mine': 'private value' } })
    expect(status).toBe(201)
    expect(body.secret).toMatch(/^whsec_/)
    expect(body.types).toContain(eventOf('succeeded'))
    const read = await api.call('GET /v1/webhook-endpoints/{id}', { id: body.id })
    expect(read.body).toEqual({ ...body, secret: undefined })
    expect(JSON.stringify([body, read.body])).not.toContain('private value')
    const list = await api.call('GET /v1/webhook-endpoints', {}, { query: { limit: 1_000 } })
    expect(list.body.data).toContainEqual(read.body)
  })

  test.each([
    ['no URL', { url: undefined }, 'url'],
    ['a URL with a password', { url: 'https://a:b@example.com' }, 'url'],
    ['an unknown event type', { types: ['import.exploded'] }, 'types.0'],
    ['an unknown connection', { connections: ['nobody'] }, 'connections.0'],
    ['an unknown provider', { providers: ['nobody'] }, 'providers.0'],
    ['metadata that is no text, number or boolean', { metadata: { team: { name: 'data' } } }, 'metadata.team'],
    ['a reserved header', { headers: { Host: 'x' } }, 'headers.Host'],
    ['an unknown field', { secret: 'mine' }, 'secret'],
  ])('%s is refused', async (_what, fields, field) => {
    expect((await create(fields)).body).toMatchObject({ status: 400, errors: [{ field }] })
  })

  test('are changed in part, disabled, enabled and deleted', async () => {
    const connection = await api.putConnection()
    const { id } = (await create()).body
    const patch = (body: unknown) => api.call('PATCH /v1/webhook-endpoints/{id}', { id }, { body })
    const filters = {
      connections: [connection],
      providers: ['cdq'],
      metadata: { team: 'data', run: 42, nightly: true },
    }
    expect((await patch(filters)).body).toMatchObject({
      ...filters,
      url: 'https://hooks.example.com/in',
    })
    expect((await patch({ enabled: false })).body).toMatchObject({ enabled: false, disabledReason: 'manual' })
    expect((await api.call('POST /v1/webhook-endpoints/{id}/test', { id })).body).toMatchObject({ status: 409 })
    expect((await api.call('POST /v1/webhook-endpoints/{id}/enable', { id })).body).toMatchObject({ enabled: true })
    expect((await patch({ id: 'other' })).body).toMatchObject({ status: 400, errors: [{ field: 'id' }] })
    expect((await api.call('DELETE /v1/webhook-endpoints/{id}', { id })).status).toBe(204)
    expect((await patch({})).status).toBe(404)
  })

  test('get a new secret, with a body or without', async () => {
    const { id, secret } = (await create()).body
    const rotate = (body?: unknown) => api.call('POST /v1/webhook-endpoints/{id}/rotate-secret', { id }, { body })
    const first = await rotate()
    expect(first.body.secret).toMatch(/^whsec_/)
    expect(first.body.secret).not.toBe(secret)
    expect((await rotate({ overlapHours: 0 })).status).toBe(200)
    expect((await rotate({ overlapHours: 169 })).body).toMatchObject({
      status: 400,
      errors: [{ field: 'overlapHours' }],
    })
  })

  test('are tried with 202 and the delivery, and the sender is woken', async () => {
    const { id } = (await create()).body
    const before = api.wakes.deliver
    const { status, body } = await api.call('POST /v1/webhook-endpoints/{id}/test', { id })
    expect(status).toBe(202)
    expect(body).toMatchObject({ endpointId: id, type: 'webhook.test', state: 'pending' })
    expect(api.wakes.deliver).toBe(before + 1)
  })
})

describe('sending again', () => {
  test.each(['recover', 'replay'])('%s counts, or makes due and wakes the sender', async (verb) => {
    const { id } = (await create({ types: ['import.stopped'] })).body
    const call = (body?: unknown) => api.call(`POST /v1/webhook-endpoints/{id}/${verb}`, { id }, { body })
    await aStoppedImport()
    const state = verb === 'recover' ? 'exhausted' : 'skipped'
    await api.database.pool.query('UPDATE deliveries SET state = $1, next_attempt_at = NULL WHERE endpoint_id = $2', [
      state,
      id,
    ])
    const since = '2026-01-01T00:00:00+01:00'
    const counted = (await call({ since, dryRun: true })).body
    expect(counted).toMatchObject({ dryRun: true, more: false })
    expect(counted.count).toBeGreaterThan(0)
    const before = api.wakes.deliver
    const { status, body } = await call({ since })
    expect(status).toBe(200)
    expect(body).toEqual({ ...counted, dryRun: false })
    expect(api.wakes.deliver).toBe(before + 1)
    const list = await api.call('GET /v1/deliveries', {}, { query: { endpointId: id, state: 'pending' } })
    expect(list.body.data).toHaveLength(body.count)
    expect((await call()).body).toEqual({ count: 0, more: false, dryRun: false })

    const refused = (input: unknown) => call(input).then((answer) => answer.body.errors[0].field)
    expect(await refused({ since: 'yesterday' })).toBe('since')
    expect(await refused({ since, until: since })).toBe('until')
    expect(await refused({ dryRun: 'yes' })).toBe('dryRun')
    expect(await refused({ from: since })).toBe('from')
    await api.call('PATCH /v1/webhook-endpoints/{id}', { id }, { body: { enabled: false } })
    expect((await call()).status).toBe(409)
    expect((await call({ dryRun: true })).status).toBe(200)
  })
})

describe('deliveries', () => {
  test('are listed, the newest first, by endpoint, import, event and state', async () => {
    const { id: endpointId } = (await create({ types: ['import.stopped'] })).body
    const stopped = [await aStoppedImport()]
    api.clock.advance(1)
    stopped.push(await aStoppedImport())
    const list = async (query: Record<string, string | number>) =>
      (await api.call('GET /v1/deliveries', {}, { query })).body
    const page = await list({ endpointId, limit: 1 })
    const rest = await list({ endpointId, limit: 1, after: page.next })
    expect(rest.next).toBeNull()
    const [newer] = page.data
    const [older] = rest.data
    expect((await list({ endpointId, importId: stopped[0]?.id ?? '' })).data).toEqual([older])
    expect((await list({ endpointId, eventId: newer.eventId })).data).toEqual([newer])
    expect((await list({ endpointId, state: 'delivered' })).data).toEqual([])
    expect((await api.call('GET /v1/deliveries', {}, { query: { state: 'lost' } })).status).toBe(400)
    expect((await api.call('GET /v1/deliveries', {}, { query: { endpointId: 'x' } })).status).toBe(400)
  })

  test('are asked for once more with 202; their attempts are listed', async () => {
    const { id: endpointId } = (await create({ types: ['import.stopped'] })).body
    await aStoppedImport()
    const { data } = (await api.call('GET /v1/deliveries', {}, { query: { endpointId } })).body
    const { status, body } = await api.call('POST /v1/deliveries/{id}/redeliver', { id: data[0].id })
    expect(status).toBe(202)
    expect(body).toMatchObject({ id: data[0].id, nextAttemptAt: api.clock.now().toISOString() })
    await api.database.pool.query(
      `INSERT INTO delivery_attempts (delivery_id, number, manual, started_at, outcome) VALUES ($1, 1, true, now(), 'in_flight')`,
      [body.id],
    )
    const attempts = await api.call('GET /v1/deliveries/{id}/attempts', { id: body.id })
    expect(attempts.body.data).toMatchObject([
      { number: 1, manual: true, outcome: 'in_flight', status: null, errorCode: null },
    ])
    const after = Buffer.from('[99999999999]').toString('base64url')
    expect((await api.call('GET /v1/deliveries/{id}/attempts', { id: body.id }, { query: { after } })).status).toBe(400)
  })
})
