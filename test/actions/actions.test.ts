import { describe, expect, test } from 'vitest'
import { deleteOldActions } from '../../src/actions/prune.ts'
import { actionVerbs } from '../../src/actions/verbs.ts'
import { newId } from '../../src/base/ids.ts'
import { beginAction, goOn } from '../../src/imports/act-in-steps.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { useApi } from '../support/worlds/api.ts'
import { unique } from '../support/worlds/ground.ts'

const api = useApi()
const noSignal = new AbortController().signal

const actions = async (query: Record<string, string> = {}) =>
  (await api.call('GET /v1/actions', {}, { query })).body.data
const verbsOf = async (query: Record<string, string>) =>
  (await actions(query)).map(({ verb }: { verb: string }) => verb).reverse()

async function aToken(scope: 'read' | 'write' | 'admin') {
  const name = unique(`token-${scope}`)
  return (await api.call('POST /v1/tokens', {}, { body: { name, scope } })).body as {
    id: string
    name: string
    token: string
  }
}

describe('each verb is written down once', () => {
  test('of an import', async () => {
    const { name, token, id: tokenId } = await aToken('admin')
    const one = await api.register()
    const path = { id: one.id }
    const as = { token }
    await api.call('POST /v1/imports/{id}/poll', path, as)
    await api.call('PATCH /v1/imports/{id}', path, { ...as, body: { metadata: { run: 7 } } })
    await api.call('POST /v1/imports/{id}/stop', path, as)
    await api.call('POST /v1/imports/{id}/stop', path, as) // changes nothing
    await api.call('POST /v1/imports/{id}/resume', path, as)
    await api.call('POST /v1/imports/{id}/resume', path, as) // changes nothing
    await api.call('DELETE /v1/imports/{id}', path, as)
    const told = await actions({ importId: one.id })
    const by = { name, scope: 'admin', tokenId }
    const subject = { kind: 'import', id: one.id, name: one.jobId }
    expect(told.reverse()).toMatchObject([
      { verb: 'import.poll', by, subject, details: null },
      { verb: 'import.change', by, subject, details: { fields: ['metadata'] } },
      { verb: 'import.stop', by, subject },
      { verb: 'import.resume', by, subject },
      { verb: 'import.delete', by, subject },
    ])
  })

  test('of a connection, whose secrets are told to nobody', async () => {
    const name = unique('changed')
    const path = { name }
    const body = { provider: 'cdq', baseUrl: 'http://127.0.0.1:9', credentials: { apiKey: 'first-secret-key' } }
    await api.call('PUT /v1/connections/{name}', path, { body })
    await api.call('PUT /v1/connections/{name}', path, { body: { ...body, limits: { maxInFlight: 3 } } })
    const change = { credentials: { apiKey: 'second-secret-key' }, limits: { maxInFlight: null, requestsPerSecond: 2 } }
    await api.call('PATCH /v1/connections/{name}', path, { body: change })
    await api.call('POST /v1/connections/{name}/resume', path) // isn't paused
    await api.sql(`UPDATE connections SET paused_at = now(), pause_reason = 'unauthorized' WHERE name = $1`, [name])
    await api.call('POST /v1/connections/{name}/resume', path)
    await api.call('POST /v1/connections/{name}/test', path)
    await api.call('DELETE /v1/connections/{name}', path)
    const told = (await actions({ connection: name })).reverse()
    expect(told).toMatchObject([
      { verb: 'connection.put', details: { created: true }, by: { name: 'bootstrap', tokenId: null } },
      { verb: 'connection.put', details: { created: false, fields: ['limits.maxInFlight'] } },
      {
        verb: 'connection.change',
        details: { fields: ['credentials', 'limits.maxInFlight', 'limits.requestsPerSecond'] },
      },
      { verb: 'connection.resume' },
      { verb: 'connection.test', details: { ok: false, code: 'connect_error' } },
      { verb: 'connection.delete' },
    ])
    expect(JSON.stringify(told)).not.toContain('secret-key')
  })

  test('of an endpoint and its deliveries', async () => {
    const url = 'https://hooks.example.com/in?key=private'
    const made = await api.call('POST /v1/webhook-endpoints', {}, { body: { url: 'https://hooks.example.com/in' } })
    const { id } = made.body
    const path = { id }
    await api.call('PATCH /v1/webhook-endpoints/{id}', path, { body: { url, headers: { 'x-key': 'private' } } })
    await api.call('POST /v1/webhook-endpoints/{id}/rotate-secret', path, { body: { overlapHours: 1 } })
    const { body: sent } = await api.call('POST /v1/webhook-endpoints/{id}/test', path)
    await api.call('POST /v1/deliveries/{id}/redeliver', { id: sent.id })
    await api.call('PATCH /v1/webhook-endpoints/{id}', path, { body: { enabled: false } })
    await api.call('PATCH /v1/webhook-endpoints/{id}', path, { body: { enabled: false } }) // is it already
    await api.call('POST /v1/webhook-endpoints/{id}/enable', path)
    await api.call('POST /v1/webhook-endpoints/{id}/enable', path) // is it already
    await api.delivery({ endpointId: id, state: 'exhausted', nextAttemptAt: null })
    await api.call('POST /v1/webhook-endpoints/{id}/recover', path, { body: { dryRun: true } })
    await api.call('POST /v1/webhook-endpoints/{id}/recover', path, { body: {} })
    await api.delivery({ endpointId: id, state: 'skipped', nextAttemptAt: null })
    await api.call('POST /v1/webhook-endpoints/{id}/replay', path, { body: {} })
    await api.call('DELETE /v1/webhook-endpoints/{id}', path)
    const told = (await actions({ endpointId: id })).reverse()
    expect(told.map(({ verb }: { verb: string }) => verb)).toEqual([
      'endpoint.create',
      'endpoint.change',
      'endpoint.rotate_secret',
      'endpoint.test',
      'delivery.redeliver',
      'endpoint.disable',
      'endpoint.enable',
      'endpoint.recover',
      'endpoint.replay',
      'endpoint.delete',
    ])
    expect(told[1]).toMatchObject({
      subject: { kind: 'endpoint', id, name: 'https://hooks.example.com/in' },
      details: { fields: ['headers', 'url'] },
    })
    expect(told[4]).toMatchObject({ subject: { kind: 'delivery', id: sent.id, name: 'webhook.test' } })
    expect(told[7].details).toMatchObject({ count: 1, more: false })
    for (const secret of ['private', 'whsec_']) expect(JSON.stringify(told)).not.toContain(secret)
  })

  test('of tokens: a deleted one keeps its name', async () => {
    const gone = await aToken('admin')
    const { body: made } = await api.call(
      'POST /v1/tokens',
      {},
      { body: { name: 'made', scope: 'read' }, token: gone.token },
    )
    await api.call('DELETE /v1/tokens/{id}', { id: gone.id })
    expect(await actions({ by: gone.name })).toMatchObject([
      {
        verb: 'token.create',
        by: { name: gone.name, scope: 'admin', tokenId: gone.id },
        subject: { kind: 'token', id: made.id, name: 'made' },
        details: { scope: 'read' },
      },
    ])
    const [last] = await actions({ verb: 'token.delete' })
    expect(last).toMatchObject({ by: { name: 'bootstrap' }, subject: { id: gone.id, name: gone.name } })
    expect(JSON.stringify(await actions())).not.toContain(made.token)
  })

  test('and no other verb is left without a test here but those of providers', async () => {
    const told = new Set((await actions({ limit: '1000' })).map(({ verb }: { verb: string }) => verb))
    expect(actionVerbs.filter((verb) => !told.has(verb))).toEqual(['provider.put', 'provider.delete'])
  })
})

describe('what doesn’t happen isn’t written down', () => {
  test('a refused change leaves no action', async () => {
    const one = await api.import({ state: 'succeeded' })
    expect((await api.call('POST /v1/imports/{id}/stop', { id: one.id })).status).toBe(409)
    expect(await actions({ importId: one.id })).toEqual([])
  })

  test('a change that is rolled back leaves no action', async () => {
    const one = await api.register()
    await api.sql(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more events'; END $$`,
    )
    await api.sql(
      'CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON action_imports DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()',
    )
    await expect(stopImport(api, one.id)).rejects.toThrow()
    await api.sql('DROP FUNCTION refuse CASCADE')
    expect(await actions({ importId: one.id })).toEqual([])
    const { body } = await api.call('GET /v1/imports/{id}', { id: one.id })
    expect(body.state).toBe('pending')
  })

  test('registering is none', async () => {
    const one = await api.register()
    expect(await actions({ importId: one.id })).toEqual([])
  })
})

describe('an action on many', () => {
  test('is one, and each import that it touched leads to it', async () => {
    const connection = await api.putConnection()
    const live = [await api.register({ connection }), await api.register({ connection })]
    const over = await api.register({ connection })
    await api.call('POST /v1/imports/{id}/stop', { id: over.id })
    const filter = { connection, jobIdPrefix: 'job' }
    await api.call('POST /v1/imports/actions', {}, { body: { filter, action: 'stop', dryRun: true } })
    await api.call('POST /v1/imports/actions', {}, { body: { filter, action: 'stop' } })
    const [first, second] = await Promise.all(live.map(({ id }) => actions({ importId: id })))
    expect(first).toMatchObject([
      {
        verb: 'import.stop',
        subject: { kind: 'import', id: null, name: null },
        details: { filter, count: 3, done: 2, skipped: 1, more: false },
      },
    ])
    expect(second).toEqual(first)
    expect(await verbsOf({ importId: over.id })).toEqual(['import.stop'])
    expect((await actions({ importId: over.id }))[0].id).not.toBe(first[0].id)
  })

  test('of ids tells how many there were', async () => {
    const one = await api.register()
    await api.call('POST /v1/imports/actions', {}, { body: { filter: { ids: [one.id, newId()] }, action: 'poll' } })
    expect(await actions({ importId: one.id })).toMatchObject([
      { verb: 'import.poll', details: { filter: { ids: 2 }, count: 1, done: 1, skipped: 0 } },
    ])
  })
})

describe('an action in steps', () => {
  async function manyOf(count: number): Promise<string> {
    const connection = await api.putConnection()
    for (let from = 0; from < count; from += 1_000) {
      const size = Math.min(1_000, count - from)
      const imports = Array.from({ length: size }, (_none, index) => ({ connection, jobId: `${from + index}` }))
      await api.call('POST /v1/imports/batch', {}, { body: { imports } })
    }
    return connection
  }

  test('does a thousand at a time, goes on where it is, and takes none that is registered later', async () => {
    const connection = await manyOf(2_050)
    const id = await beginAction(api, { filter: { connection }, action: 'poll' })
    const told = async () =>
      (await actions({ verb: 'import.poll' })).find((one: { id: string }) => one.id === id).details
    expect(await told()).toMatchObject({ filter: { connection }, count: 2_050, done: 1_000, more: true })
    api.clock.advance(1_000)
    const later = await api.register({ connection })
    await goOn(api, id)
    expect(await told()).toMatchObject({ done: 2_000, more: true })
    await goOn(api, id)
    await goOn(api, id) // it is done
    expect(await told()).toMatchObject({ count: 2_050, done: 2_050, skipped: 0, more: false })
    expect(await actions({ importId: later.id })).toEqual([])
    const touched = await api.sql('SELECT count(*)::int FROM action_imports WHERE action_id = $1', [id])
    expect(touched).toEqual([{ count: 2_050 }])
  })

  test('let go on twice at once, does nothing twice, whoever does so', async () => {
    const connection = await manyOf(1_250)
    const id = await beginAction(api, { filter: { connection }, action: 'stop' })
    const other = { ...api, by: { tokenId: newId(), name: 'other', scope: 'write' } }
    await Promise.all([goOn(api, id), goOn(other, id)])
    const [row] = await api.sql('SELECT by, details FROM actions WHERE id = $1', [id])
    expect(row?.by).not.toBe('other')
    expect(row?.details).toMatchObject({ done: 1_250, skipped: 0, more: false, continuedBy: ['other'] })
    const { body } = await api.call('GET /v1/imports', {}, { query: { connection, state: 'pending' } })
    expect(body.data).toEqual([])
  })
})

test('filters hold together, and pages go on', async () => {
  const { name, token } = await aToken('write')
  const one = await api.register()
  for (let round = 0; round < 3; round++) await api.call('POST /v1/imports/{id}/poll', { id: one.id }, { token })
  await api.call('POST /v1/imports/{id}/stop', { id: one.id }, { token })
  expect(await verbsOf({ by: name, importId: one.id, verb: 'import.poll' })).toHaveLength(3)
  const first = (await api.call('GET /v1/actions', {}, { query: { by: name, limit: 3 } })).body
  const second = (await api.call('GET /v1/actions', {}, { query: { by: name, after: first.next } })).body
  expect([...first.data, ...second.data]).toHaveLength(4)
  expect(second).toMatchObject({ data: [{ verb: 'import.poll' }], next: null })
  const refused = await api.call('GET /v1/actions', {}, { query: { verb: 'import.burn' } })
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: 'verb' }] } })
})

test('the view for analysts has a row for each import that an action touched', async () => {
  const connection = await api.putConnection()
  const some = [await api.register({ connection }), await api.register({ connection })]
  await api.call('POST /v1/imports/actions', {}, { body: { filter: { connection }, action: 'stop' } })
  const rows = await api.sql(
    `SELECT a.by, a.verb, i.job_id FROM reporting.actions a JOIN reporting.imports i USING (import_id)
     WHERE i.connection = $1 ORDER BY i.import_id`,
    [connection],
  )
  expect(rows).toEqual(some.map(({ jobId }) => ({ by: 'bootstrap', verb: 'import.stop', job_id: jobId })))
})

test('actions of months that aren’t kept are deleted with what they touched', async () => {
  const [old, kept] = ['2019-12-31T23:59:00Z', '2020-01-01T00:01:00Z'].map((at) => ({
    id: `${Date.parse(at)
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})/, '$1-')}-7000-8000-000000000000`,
    at,
  }))
  for (const { id, at } of [old, kept] as { id: string; at: string }[]) {
    await api.sql(`INSERT INTO actions (id, at, by, scope, verb) VALUES ($1, $2, 'a', 'write', 'import.poll')`, [
      id,
      at,
    ])
    await api.sql('INSERT INTO action_imports VALUES ($1, $2)', [id, newId()])
  }
  const clock = { now: () => new Date('2020-03-15T00:00:00Z') }
  await deleteOldActions({ ...api, clock, historyRetention: {} }, noSignal)
  const left = async () => (await api.sql(`SELECT id FROM actions WHERE by = 'a' ORDER BY id`)).map(({ id }) => id)
  expect(await left()).toEqual([old?.id, kept?.id])
  await deleteOldActions({ ...api, clock, historyRetention: { actions: 2 } }, noSignal)
  expect(await left()).toEqual([kept?.id])
  expect(await api.sql('SELECT FROM action_imports WHERE action_id = $1', [old?.id])).toEqual([])
})
