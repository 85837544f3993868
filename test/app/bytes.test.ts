// Owns what becomes of a vendor's bytes in the whole service: digits, keys, times, words, and what moves in every answer.
import { expect, test, vi } from 'vitest'
import type { ProviderName, ScriptInput } from '../../src/sandbox/script.ts'
import { queueStores } from '../support/stores.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { useService } from '../support/worlds/service.ts'

const [store] = queueStores
if (!store) throw new Error('There is no store for the queue.')
const app = useService(store)

async function textOf(path: string): Promise<string> {
  const answer = await fetch(`${app.url}${path}`, { headers: { authorization: `Bearer ${adminToken}` } })
  return answer.text()
}

test('keeps the digits of ids, cursors and bodies, and a key that other programs lose', async () => {
  const { id } = await app.track(await app.connect('fullstory'), {
    provider: 'fullstory',
    answers: [
      {
        raw: '{"imports":0,"errors":2,"ref":12345678901234567890,"__proto__":{"a":1e400},"job":{"status":"FAILED"}}',
      },
      {
        on: 'details',
        raw: '{"results":[{"user":{"uid":17841400000000001,"n":9007199254740993},"message":"x"}],"next_page_token":9007199254740993}',
      },
      {
        on: 'details',
        url: 'page_token=9007199254740993',
        raw: '{"results":[{"user":{"uid":17841400000000003},"message":"y"}]}',
      },
    ],
  })
  await vi.waitFor(async () => expect(await app.get(id)).toMatchObject({ details: { state: 'complete' } }), 20_000)
  expect(await textOf(`/v1/imports/${id}/row-results`)).toContain('"recordId":"17841400000000001"')
  expect(await textOf(`/v1/imports/${id}/row-results`)).toContain('"recordId":"17841400000000003"')
  const snapshots = await textOf(`/v1/imports/${id}/snapshots`)
  expect(snapshots).toContain('"ref":12345678901234567890')
  expect(snapshots).toContain(`"__proto__":{"a":1${'0'.repeat(400)}}`)
  expect(await app.sql('SELECT item::text FROM row_results WHERE import_id = $1 AND row = 0', [id])).toEqual([
    { item: '{"n": 9007199254740993, "uid": 17841400000000001}' },
  ])
})

test('stores a number that Postgres has no room for as the text that it was', async () => {
  const { id } = await app.track(await app.connect('cdq'), {
    provider: 'cdq',
    answers: [
      {
        raw: '{"status":" Finished ","huge":1e200000,"progress":NaN,"result":{"statistics":{"numberOfFailed":0,"skipped":[]}}}',
      },
    ],
  })
  expect(await app.over(id)).toMatchObject({ state: 'succeeded', providerStatus: ' Finished ', lastError: null })
  expect(await textOf(`/v1/imports/${id}/snapshots`)).toContain('"huge":"1e200000"')
})

test('believes no time that can’t be, and reads those that are written otherwise', async () => {
  const zilliant = await app.connect('zilliant')
  const report = { on: 'summary', body: { status: 'SUCCESS', processedRows: 5 } } as const
  const done = (startDate: string, stopDate: string): ScriptInput => ({
    provider: 'zilliant',
    answers: [{ body: { status: 'SUCCEEDED', startDate, stopDate } }, report],
  })
  const zero = await app.track(zilliant, done('0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z'))
  expect(await app.over(zero.id)).toMatchObject({ providerStartedAt: null, providerFinishedAt: null })
  const ahead = await app.track(zilliant, done('<now+1h>', '<now+61s>'))
  expect(await app.over(ahead.id)).toMatchObject({ providerStartedAt: null, providerFinishedAt: null })
  const bracketed = await app.track(zilliant, done('2026-01-01T12:00:00+02:00[Europe/Berlin]', '<now:ms>'))
  const over = await app.over(bracketed.id)
  expect(over.providerStartedAt).toBe('2026-01-01T10:00:00.000Z')
  expect(over.providerFinishedAt).toBe(app.sandboxClock.now().toISOString())
})

/** An answer that goes on, with what moves in it, and one in which something else has changed as well. */
const bodies: Record<ProviderName, (moving: object) => object> = {
  cdq: (moving) => ({ status: 'RUNNING', progress: 10, createdAt: '2026-01-01T00:00:00Z', ...moving }),
  micro: (moving) => ({ status: 'processing', total: 10, processed: 1, ...moving }),
  zilliant: (moving) => ({ status: 'RUNNING', startDate: '2026-01-01T00:00:00Z', ...moving }),
  fullstory: (moving) => ({ imports: 1, job: { status: 'PROCESSING' }, ...moving }),
}
const moving = {
  requestId: '<uuid>',
  meta: {
    generatedAt: '<uuid>',
    hosts: [
      { name: 'a', seen: '<uuid>' },
      { name: 'b', seen: '<uuid>' },
    ],
  },
  phase: 'load',
}

test.concurrent.each(Object.entries(bodies))(
  'makes few snapshots of 51 answers of %s that say the same',
  async (name, body) => {
    const provider = name as ProviderName
    const connection = await app.connect(provider, { limits: { minIntervalMs: 20, maxIntervalMs: 40 } })
    const { id } = await app.track(connection, {
      provider,
      answers: [
        { shuffled: true, body: body(moving) as Record<string, string> },
        { shuffled: true, request: '45-', body: body({ ...moving, phase: 'check' }) as Record<string, string> },
      ],
    })
    await vi.waitFor(async () => expect((await app.get(id)).polls).toBeGreaterThanOrEqual(51), 60_000)
    const stopped = await app.call('POST /v1/imports/{id}/stop', { id })
    const { data } = (await app.call('GET /v1/imports/{id}/snapshots', { id })).body
    expect(data.map((one: { body: { phase: string } }) => one.body.phase)).toEqual([
      'load',
      'load',
      'load',
      'load',
      'check',
    ])
    expect(data.reduce((sum: number, one: { polls: number }) => sum + one.polls, 0)).toBe(stopped.body.polls)
  },
)

test('makes one snapshot where the connection says what moves, and where only the order of keys does', async () => {
  const connection = await app.connect('cdq', { limits: { minIntervalMs: 20, maxIntervalMs: 40 } })
  const volatileFields = ['/requestId', '/meta/generatedAt', '/meta/hosts/-/seen']
  await app.call('PATCH /v1/connections/{name}', { name: connection }, { body: { volatileFields } })
  const said = bodies.cdq(moving) as Record<string, string>
  const { id } = await app.track(connection, { provider: 'cdq', answers: [{ shuffled: true, body: said }] })
  await vi.waitFor(async () => expect((await app.get(id)).polls).toBeGreaterThanOrEqual(12), 30_000)
  await app.call('POST /v1/imports/{id}/stop', { id })
  const { data } = (await app.call('GET /v1/imports/{id}/snapshots', { id })).body
  expect(data).toHaveLength(1)
})
