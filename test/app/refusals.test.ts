// Owns that refusals stay with what they are about, and that rows are asked for until they are whole: as vendors were
// seen to answer.
import { describe, expect, test, vi } from 'vitest'
import type { ScriptInput } from '../../src/sandbox/script.ts'
import { queueStores } from '../support/stores.ts'
import { useService } from '../support/worlds/service.ts'

const [store] = queueStores
if (!store) throw new Error('no store')
const app = useService(store)

const shown = async (connection: string) => (await app.call('GET /v1/connections/{name}', { name: connection })).body
/** The connection's own events, the first one first. */
async function toldOf(connection: string): Promise<string[]> {
  const events = await app.sql(
    `SELECT type FROM events JOIN connections ON connections.id = connection_id
      WHERE name = $1 AND import_id IS NULL ORDER BY events.id`,
    [connection],
  )
  return events.map(({ type }) => String(type))
}
const asked = (jobId: string) => app.sandbox.requests().filter((request) => request.jobId === jobId).length
const collected = (id: string, state: string) =>
  vi.waitFor(async () => {
    const found = await app.get(id)
    expect(found.details, JSON.stringify(found.details)).toMatchObject({ state })
    return found
  }, 20_000)
const failedJob = (errors: number) => ({ body: { imports: 0, errors, job: { status: 'FAILED' } } })
const items = (uids: string[], more = {}) => ({
  body: { results: uids.map((uid) => ({ user: { uid }, message: 'bad' })), ...more },
})
const recordIds = async (id: string) =>
  (await app.call('GET /v1/imports/{id}/row-results', { id })).body.data.map(
    ({ recordId }: { recordId: string }) => recordId,
  )
const statistics = (fields: object) => ({
  body: { status: 'FINISHED', result: { statistics: { numberOfInserts: 1, numberOfUpdates: 0, ...fields } } },
})

describe('a 403', () => {
  test('about one import is its own affair: the others are asked as before', async () => {
    const connection = await app.connect('cdq')
    const running: ScriptInput = { provider: 'cdq', answers: [{ body: { status: 'RUNNING' } }] }
    const good = await Promise.all(Array.from({ length: 5 }, () => app.track(connection, running)))
    const refused = { status: 403, body: { status: { technicalKey: 'ACCESS_DENIED' } } }
    const bad = await app.track(connection, { provider: 'cdq', answers: [refused] })
    await vi.waitFor(async () => expect((await app.get(bad.id)).polls).toBeGreaterThan(4), 20_000)
    const before = good.map(({ job }) => asked(job.jobId))
    await vi.waitFor(() => {
      for (const [index, { job }] of good.entries()) expect(asked(job.jobId)).toBeGreaterThan((before[index] ?? 0) + 3)
    }, 20_000)
    expect(await app.get(bad.id)).toMatchObject({ attention: 'forbidden', lastError: { code: 'forbidden' } })
    expect(await app.eventTypesOf(bad.id)).toEqual(['import.attention'])
    expect(await shown(connection)).toMatchObject({ pausedAt: null })
    expect(await toldOf(connection)).toEqual([])
  })

  test('about all of several imports pauses the connection, and new credentials resume it', async () => {
    const sandbox = await app.ownSandbox()
    const connection = await app.connect('micro', { sandbox })
    const credentials = sandbox.rotateCredentials('micro')
    const script: ScriptInput = { provider: 'micro', durationMs: 0 }
    const first = await app.track(connection, script, { sandbox })
    await vi.waitFor(async () => expect(await app.get(first.id)).toMatchObject({ attention: 'forbidden' }), 10_000)
    expect(await shown(connection)).toMatchObject({ pausedAt: null })
    const second = await app.track(connection, script, { sandbox })
    await vi.waitFor(async () => expect(await shown(connection)).toMatchObject({ pauseReason: 'forbidden' }), 10_000)
    const third = await app.track(connection, script, { sandbox })
    expect(await app.get(third.id)).toMatchObject({ polls: 0, lastError: { code: 'forbidden' } })

    const { baseUrl, settings, limits } = await shown(connection)
    const body = { provider: 'micro', baseUrl, settings, limits, credentials }
    await app.call('PUT /v1/connections/{name}', { name: connection }, { body })
    for (const { id } of [first, second, third])
      expect(await app.over(id)).toMatchObject({ state: 'succeeded', attention: null, lastError: null })
    expect(await toldOf(connection)).toEqual(['connection.paused', 'connection.resumed'])
  })

  test.each([
    ['Retry-After', { headers: { 'retry-after': '2' }, body: {} }, 2],
    ['a quota’s code', { body: { status: { technicalKey: 'REQUEST_LIMIT_EXCEEDED' } } }, 60],
  ])('with %s makes the whole connection wait, and pauses nothing', async (_what, answer, seconds) => {
    const connection = await app.connect('cdq')
    const { id } = await app.track(connection, {
      provider: 'cdq',
      answers: [{ body: { status: 'RUNNING' } }, { request: 3, status: 403, ...answer }],
    })
    await vi.waitFor(async () => expect((await app.get(id)).lastError).toMatchObject({ code: 'rate_limited' }), 10_000)
    const { blockedUntil, pausedAt } = await shown(connection)
    const { at } = (await app.get(id)).lastError ?? { at: '' }
    expect(pausedAt).toBeNull()
    expect(Math.round((Date.parse(blockedUntil) - Date.parse(at)) / 1_000)).toBe(seconds)
    await app.sql('UPDATE connections SET blocked_until = now() WHERE name = $1', [connection])
    await app.sql('UPDATE polling SET due_at = now() WHERE import_id = $1', [id])
    await vi.waitFor(async () => expect(await app.get(id)).toMatchObject({ lastError: null }), 10_000)
    expect(await toldOf(connection)).toEqual([])
  })

  test('about rows is theirs alone, even where nothing else is live', async () => {
    const connection = await app.connect('fullstory')
    const { id } = await app.track(connection, {
      provider: 'fullstory',
      answers: [
        failedJob(2),
        { on: 'details', ...items(['a', 'b'], { total_records: '2' }) },
        { on: 'details', request: 1, status: 403, body: { message: 'forbidden' } },
      ],
    })
    expect(await collected(id, 'complete')).toMatchObject({ details: { rowResults: 2, lastError: null } })
    expect(await toldOf(connection)).toEqual([])
  })

  test('about rows for good ends in giving them up, and says why all the while', async () => {
    const connection = await app.connect('fullstory')
    const { id } = await app.track(connection, {
      provider: 'fullstory',
      answers: [failedJob(2), { on: 'details', status: 403, body: { message: 'forbidden' } }],
    })
    await vi.waitFor(async () => {
      expect((await app.get(id)).details.lastError).toMatchObject({ code: 'forbidden' })
    }, 10_000)
    await app.sql("UPDATE imports SET finished_at = finished_at - interval '8 days' WHERE id = $1", [id])
    expect(await collected(id, 'incomplete')).toMatchObject({ details: { lastError: { code: 'forbidden' } } })
    expect(await app.eventTypesOf(id)).toEqual(['import.failed', 'import.rows_incomplete'])
    expect(await app.sql('SELECT details_error_code FROM reporting.imports WHERE import_id = $1', [id])).toEqual([
      { details_error_code: 'forbidden' },
    ])
  })
})

test('a 401 about rows pauses the connection, and their collection is the probe where nothing else is', async () => {
  const connection = await app.connect('fullstory')
  const { id } = await app.track(connection, {
    provider: 'fullstory',
    answers: [
      failedJob(1),
      { on: 'details', ...items(['a']) },
      { on: 'details', request: 1, status: 401, body: { message: 'unauthorized' } },
    ],
  })
  await vi.waitFor(async () => expect(await shown(connection)).toMatchObject({ pauseReason: 'unauthorized' }), 10_000)
  expect(await app.sql('SELECT pause_reason FROM reporting.connections WHERE connection = $1', [connection])).toEqual([
    { pause_reason: 'unauthorized' },
  ])
  await app.sql('UPDATE connections SET next_probe_at = now() WHERE name = $1', [connection])
  await collected(id, 'complete')
  expect(await toldOf(connection)).toEqual(['connection.paused', 'connection.resumed'])
})

test('a 503 that says how long to wait makes the whole connection wait', async () => {
  const connection = await app.connect('cdq')
  const waits = { status: 503, headers: { 'retry-after': '600' }, body: {} }
  const { id } = await app.track(connection, { provider: 'cdq', answers: [waits] })
  await vi.waitFor(async () => expect((await app.get(id)).lastError).toMatchObject({ code: 'server_error' }), 10_000)
  const { blockedUntil, pausedAt } = await shown(connection)
  expect(pausedAt).toBeNull()
  expect(Date.parse(blockedUntil) - Date.now()).toBeGreaterThan(500_000)
  const other = await app.track(connection, { provider: 'cdq', durationMs: 0 })
  await app.call('POST /v1/imports/{id}/poll', { id })
  const elsewhere = await app.track(await app.connect('cdq'), { provider: 'cdq', durationMs: 0 })
  await app.over(elsewhere.id)
  expect(await app.get(other.id)).toMatchObject({ polls: 0 })
})

describe('a page of rows', () => {
  const badPages: [string, object][] = [
    ['an error', { body: { error: 'upstream timeout' } }],
    ['an empty list', { body: { results: [], total_records: '3' } }],
    ['HTML', { raw: '<html>' }],
    ['a 400', { status: 400, body: { code: 'bad_request' } }],
    ['a 403', { status: 403, body: {} }],
  ]

  test.each(badPages)('that is %s once is asked for again', async (_what, wrong) => {
    const { id } = await app.track(await app.connect('fullstory'), {
      provider: 'fullstory',
      answers: [
        failedJob(3),
        { on: 'details', ...items(['u0', 'u1'], { total_records: '3', next_page_token: 't1' }) },
        { on: 'details', url: 'page_token=t1', ...items(['u2'], { total_records: '3' }) },
        { on: 'details', request: 2, ...wrong },
      ],
    } as ScriptInput)
    await collected(id, 'complete')
    expect(await recordIds(id)).toEqual(['u0', 'u1', 'u2'])
    expect(await app.eventTypesOf(id)).toEqual(['import.failed', 'import.rows_collected'])
  })

  test.each(badPages)('the first one that is %s is asked for again', async (_what, wrong) => {
    const { id } = await app.track(await app.connect('fullstory'), {
      provider: 'fullstory',
      answers: [failedJob(3), { on: 'details', ...items(['a', 'b', 'c']) }, { on: 'details', request: 1, ...wrong }],
    } as ScriptInput)
    expect(await collected(id, 'complete')).toMatchObject({ details: { rowResults: 3 } })
  })

  test.each([
    ['statistics without a list', statistics({})],
    ['no statistics', { body: { status: 'FINISHED' } }],
  ])('of skipped lines with %s is asked for again', async (_what, wrong) => {
    const lines = (numbers: number[]) => numbers.map((line) => ({ line, column: 1 }))
    const { id } = await app.track(await app.connect('cdq'), {
      provider: 'cdq',
      answers: [
        statistics({ numberOfFailed: 0, skipped: lines([1, 2]), skippedNextStartAfter: '2' }),
        { on: 'details', ...statistics({ numberOfFailed: 0, skipped: lines([3, 4]) }) },
        { on: 'details', request: 1, ...wrong },
      ],
    } as ScriptInput)
    expect(await collected(id, 'complete')).toMatchObject({ rows: { skipped: 4 }, details: { skippedLines: 4 } })
  })

  test('whose cursor has expired during a wait begins the list anew', async () => {
    const { id, job } = await app.track(await app.connect('fullstory'), {
      provider: 'fullstory',
      answers: [
        failedJob(3),
        { on: 'details', ...items(['u0', 'u1'], { next_page_token: 'old' }) },
        { on: 'details', request: '3-', ...items(['u0', 'u1'], { next_page_token: 'fresh' }) },
        { on: 'details', url: 'page_token=old', status: 400, body: { code: 'invalid_page_token' } },
        { on: 'details', url: 'page_token=old', request: 2, status: 503, headers: { 'retry-after': '1' }, body: {} },
        { on: 'details', url: 'page_token=fresh', ...items(['u2']) },
      ],
    } as ScriptInput)
    await collected(id, 'complete')
    expect(await recordIds(id)).toEqual(['u0', 'u1', 'u2'])
    expect(await app.get(id)).toMatchObject({ details: { rowResults: 3, lastError: null } })
    expect(asked(job.jobId)).toBeLessThan(12)
  })
})
