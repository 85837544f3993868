// Owns what the whole service makes of ends that aren't whole: each vendor's, told by the sandbox word for word.
import { describe, expect, test, vi } from 'vitest'
import type { ProviderName, ScriptInput } from '../../src/sandbox/script.ts'
import { queueStores } from '../support/stores.ts'
import { useService } from '../support/worlds/service.ts'

type Answers = NonNullable<ScriptInput['answers']>
type Body = NonNullable<Answers[number]['body']>

const [store] = queueStores
if (!store) throw new TypeError('no store')
const app = useService(store)

/** An import whose vendor answers so. */
async function track(provider: ProviderName, answers: Answers, connection?: string) {
  const { id } = await app.track(connection ?? (await app.connect(provider)), { provider, answers })
  return id
}

/** The import as soon as it waits for the rest of its outcome. */
function isHeld(id: string) {
  return vi.waitFor(async () => {
    const found = await app.get(id)
    expect(found).toMatchObject({ attention: 'outcome_incomplete' })
    return found
  }, 10_000)
}

/** As if the outcome had been told long ago. */
/** A poll that is under way writes down what it was begun with, so it is said until one is begun with it. */
async function timePasses(id: string) {
  await vi.waitFor(async () => {
    await app.sql(
      `UPDATE imports SET held_outcome = held_outcome || '{"since": "2026-01-01T00:00:00.000Z", "asked": 5}' WHERE id = $1`,
      [id],
    )
    expect((await app.get(id)).finishedAt).not.toBeNull()
  })
}

const connectionEvents = async (name: string) =>
  (await app.call('GET /v1/events', {}, { query: { limit: 1_000 } })).body.data.filter(
    ({ type, data }: { type: string; data: { name?: string } }) => type.startsWith('connection.') && data.name === name,
  )

describe("Zilliant's report", () => {
  const succeeded = { status: 'SUCCEEDED', startDate: '<now-5m>', stopDate: '<now>' }
  const report = { status: 'PARTIAL_SUCCESS', processedRows: 93, failedRows: 7, message: '7 rows failed' }

  test.each<[string, Omit<Answers[number], 'on' | 'request'>]>([
    ['503', { status: 503, headers: { 'retry-after': '1' }, body: { message: 'not yet' } }],
    ['404', { status: 404 }],
    ['403', { status: 403 }],
    ['401', { status: 401 }],
    ['410', { status: 410 }],
    ['500', { status: 500 }],
    ['429', { status: 429, headers: { 'retry-after': '1' } }],
    ['400', { status: 400 }],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' }, raw: '' }],
    ['{}', { body: {} }],
    ['no end', { body: { status: 'IN_PROGRESS' } }],
    ['a status that nobody knows', { body: { status: 'TELEPORTED', processedRows: 100 } }],
    ['no counts', { body: { status: 'SUCCESS' } }],
    ['202 without a body', { status: 202, raw: '' }],
    ['HTML', { raw: '<html>Busy</html>' }],
    ['half of a report', { raw: '{"status":"PARTIAL_SUCCESS","failedRo' }],
    ['a list', { body: [] }],
  ])('that is %s at first is asked for again', async (_what, first) => {
    const connection = await app.connect('zilliant')
    const id = await track(
      'zilliant',
      [{ body: succeeded }, { on: 'summary', body: report }, { on: 'summary', request: '1-2', ...first }],
      connection,
    )
    expect(await app.over(id)).toMatchObject({
      state: 'partial',
      attention: null,
      progress: 1,
      rows: { processed: 100, succeeded: 93, failed: 7 },
      lastError: null,
      polls: 3,
    })
    expect(await app.eventTypesOf(id)).toEqual(['import.running', 'import.attention', 'import.partial'])
    expect(await connectionEvents(connection)).toEqual([])
  })

  test('that never comes leaves the result without counts, and says so', async () => {
    const id = await track('zilliant', [{ body: succeeded }, { on: 'summary', status: 404 }])
    expect(await isHeld(id)).toMatchObject({
      state: 'running',
      providerStatus: 'SUCCEEDED',
      lastError: { code: 'outcome_incomplete', message: expect.stringContaining('its report is missing.') },
    })
    await timePasses(id)
    expect(await app.over(id)).toMatchObject({
      state: 'succeeded',
      attention: null,
      progress: 1,
      rows: { processed: null, succeeded: null, failed: null },
      lastError: { code: 'outcome_incomplete' },
    })
    expect(await app.eventTypesOf(id)).toEqual(['import.running', 'import.attention', 'import.succeeded'])
  })

  test('of a failed import holds nothing up, and is told to be missing', async () => {
    const id = await track('zilliant', [{ body: { status: 'FAILED' } }, { on: 'summary', status: 500 }])
    expect(await app.over(id)).toMatchObject({
      state: 'failed',
      polls: 1,
      rows: { failed: null },
      lastError: { code: 'outcome_incomplete' },
    })
  })
})

describe('an end that lacks its counts or rows', () => {
  const microError = { code: 'x', message: 'bad' }
  const four = { status: 'complete', total: 4, processed: 4, succeeded: 2, failed: 2 }
  const finished = (statistics?: Record<string, Body>) => ({
    status: 'FINISHED',
    ...(statistics && { result: { statistics } }),
  })

  test.each<[string, ProviderName, Body, Body, object]>([
    [
      'no statistics',
      'cdq',
      finished(),
      finished({ numberOfInserts: 10, numberOfUpdates: 0, numberOfFailed: 3, skipped: [{ line: 4, column: 1 }] }),
      { state: 'partial', rows: { failed: 3, inserted: 10 }, details: { state: 'complete', skippedLines: 1 } },
    ],
    [
      'no numberOfFailed',
      'cdq',
      finished({ numberOfInserts: 10 }),
      finished({ numberOfInserts: 10, numberOfFailed: 0 }),
      { state: 'succeeded', rows: { failed: 0 }, details: { state: 'none' } },
    ],
    [
      'no results',
      'micro',
      four,
      { ...four, results: [{ id: 'a' }, { error: microError }, { id: 'b' }, { error: microError }] },
      { state: 'partial', rows: { failed: 2 }, details: { state: 'complete', rowResults: 4 } },
    ],
    [
      'half of the results',
      'micro',
      { ...four, succeeded: 4, failed: 0, results: [{ id: 'a' }, { id: 'b' }] },
      { ...four, succeeded: 4, failed: 0, results: [{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd' }] },
      { state: 'succeeded', rows: { failed: 0 }, details: { state: 'complete', rowResults: 4 } },
    ],
    [
      'no counts',
      'micro',
      { status: 'complete', total: 1 },
      { status: 'complete', total: 1, processed: 1, succeeded: 1, failed: 0 },
      { state: 'succeeded', rows: { processed: 1 } },
    ],
    [
      'rows that are nowhere',
      'micro',
      { ...four, processed: 3, succeeded: 3, failed: 0 },
      { ...four, succeeded: 4, failed: 0 },
      { state: 'succeeded', rows: { processed: 4 } },
    ],
    [
      'no imports',
      'fullstory',
      { job: { status: 'COMPLETED' } },
      { imports: 10, job: { status: 'COMPLETED' } },
      { state: 'succeeded', rows: { succeeded: 10, failed: 0 } },
    ],
  ])('%s at %s is asked about again', async (_what, provider, first, then, ends) => {
    const id = await track(provider, [{ body: then }, { request: '1-2', body: first }])
    expect(await app.over(id)).toMatchObject({ ...ends, polls: 3, lastError: null, attention: null })
    expect((await app.eventTypesOf(id)).slice(0, 2)).toEqual(['import.running', 'import.attention'])
  })

  test.each<[string, ProviderName, Body, object]>([
    ['cdq', 'cdq', finished(), { state: 'succeeded', rows: { failed: null }, details: { state: 'none' } }],
    ['fullstory', 'fullstory', { job: { status: 'COMPLETED' } }, { state: 'succeeded', rows: { failed: null } }],
    ['micro', 'micro', { status: 'complete' }, { state: 'succeeded', rows: { failed: null } }],
    [
      'micro, contradicting itself',
      'micro',
      { ...four, processed: 3, succeeded: 3, failed: 0 },
      { state: 'partial', rows: { total: 4, processed: 3, failed: 0 } },
    ],
    [
      'micro, without results',
      'micro',
      four,
      { state: 'partial', rows: { failed: 2 }, details: { state: 'incomplete', lastError: { code: 'rows_missing' } } },
    ],
  ])('that never shows them ends by its status: %s', async (_whose, provider, body, ends) => {
    const id = await track(provider, [{ body }])
    await isHeld(id)
    await timePasses(id)
    expect(await app.over(id)).toMatchObject({ ...ends, progress: 1, lastError: { code: 'outcome_incomplete' } })
  })
})

test('a row with an error beside failed: 0 makes an import partial', async () => {
  const counts = { status: 'complete', total: 2, processed: 2, succeeded: 1, failed: 0 }
  const id = await track('micro', [{ body: { ...counts, results: [{ id: 'a' }, { error: { code: 'bad' } }] } }])
  expect(await app.over(id)).toMatchObject({ state: 'partial', polls: 1, rows: { failed: 1 }, lastError: null })
})

test('a job that runs again while its outcome is not whole is followed on', async () => {
  const whole = { status: 'FINISHED', result: { statistics: { numberOfFailed: 0 } } }
  const id = await track('cdq', [
    { body: { status: 'FINISHED' } },
    { request: '3-5', body: { status: 'RUNNING', progress: 50 } },
    { request: '6-', body: whole },
  ])
  expect(await app.over(id)).toMatchObject({ state: 'succeeded', polls: 6 })
  expect(await app.eventTypesOf(id)).toEqual(['import.running', 'import.attention', 'import.succeeded'])
})

test.each<[ProviderName, Body, Body, object]>([
  [
    'fullstory',
    { imports: 5, job: { status: 'FAILED' } },
    { job: { status: 'COMPLETED' } },
    { state: 'complete', rowResults: 1 },
  ],
  [
    'micro',
    { status: 'complete', results: [{ error: { code: 'bad' } }], failed: 2 },
    { status: 'complete' },
    { state: 'incomplete', lastError: { code: 'outcome_incomplete' } },
  ],
])(
  '%s: failed rows that were told once are not forgotten by answers that lack them',
  async (provider, told, bare, details) => {
    const pages: Answers = provider === 'micro' ? [] : [{ on: 'details', body: { results: [{ message: 'bad' }] } }]
    const id = await track(provider, [{ body: bare }, { request: 1, body: told }, ...pages])
    await isHeld(id)
    await vi.waitFor(async () => expect((await app.get(id)).polls).toBeGreaterThan(2), 10_000)
    await timePasses(id)
    expect(await app.over(id)).toMatchObject({ state: 'partial', rows: { failed: null } })
    await vi.waitFor(async () => expect((await app.get(id)).details).toMatchObject(details), 10_000)
    expect((await app.eventTypesOf(id)).at(-1)).toBe(`import.rows_${provider === 'micro' ? 'incomplete' : 'collected'}`)
  },
)

test('a job that is forgotten or archived while its outcome is not whole has the outcome that was told', async () => {
  const forgotten = await track('micro', [
    { status: 404 },
    { request: 1, body: { status: 'complete', total: 2, failed: 1 } },
  ])
  const archived = await track('cdq', [
    { body: { status: 'ARCHIVED' } },
    { request: '1-2', body: { status: 'FINISHED' } },
  ])
  await isHeld(forgotten)
  await vi.waitFor(async () => {
    // However slowly polls follow each other here, they are within the ten seconds.
    await app.sql(`UPDATE polling SET not_found_since = now() WHERE import_id = $1 AND not_found_since < now()`, [
      forgotten,
    ])
    expect((await app.get(forgotten)).polls).toBeGreaterThan(3)
  })
  expect(await app.get(forgotten)).toMatchObject({ state: 'running', attention: 'outcome_incomplete' })
  await vi.waitFor(async () => {
    await app.sql(`UPDATE polling SET not_found_since = now() - interval '10 s' WHERE import_id = $1`, [forgotten])
    expect((await app.get(forgotten)).finishedAt).not.toBeNull()
  })
  expect(await app.over(forgotten)).toMatchObject({ state: 'partial', lostReason: null, rows: { total: 2, failed: 1 } })
  expect(await app.over(archived)).toMatchObject({ state: 'succeeded', lostReason: null, rows: { failed: null } })
})

test('an import can be stopped and resumed while its outcome is not whole', async () => {
  const id = await track('cdq', [{ body: { status: 'FINISHED' } }])
  await isHeld(id)
  await app.call('POST /v1/imports/{id}/stop', { id })
  expect(await app.get(id)).toMatchObject({ state: 'stopped', attention: null })
  await app.call('POST /v1/imports/{id}/resume', { id })
  expect(await isHeld(id)).toMatchObject({ state: 'running' })
  await app.sql('UPDATE imports SET deadline_at = now() WHERE id = $1', [id])
  expect(await app.over(id)).toMatchObject({ state: 'succeeded', lastError: { code: 'outcome_incomplete' } })
  const lived = ['running', 'attention', 'stopped', 'resumed', 'running', 'attention', 'succeeded']
  expect(await app.eventTypesOf(id)).toEqual(lived.map((type) => `import.${type}`))
})

test('an inline result that is not whole is asked about where there is a job, and else says what it lacks', async () => {
  const connection = await app.connect('micro')
  const result = { status: 'complete', total: 2, processed: 2, succeeded: 1, failed: 1 }
  const { job, id } = await app.track(connection, { provider: 'micro', durationMs: 0, rows: 2, failedRows: 1 })
  await app.over(id)
  await app.call('DELETE /v1/imports/{id}', { id })
  const register = async (body: object) => (await app.call('POST /v1/imports', {}, { body })).body
  const asked = await register({ connection, jobId: job.jobId, result })
  expect(asked).toMatchObject({ state: 'running', attention: 'outcome_incomplete', polls: 0 })
  expect(await app.over(asked.id)).toMatchObject({ state: 'partial', details: { rowResults: 2 }, lastError: null })
  expect(await register({ connection, result })).toMatchObject({
    state: 'partial',
    attention: null,
    nextPollAt: null,
    lastError: { code: 'outcome_incomplete', message: expect.stringContaining('results has 0 of 1 failed rows.') },
  })
})

test('a final state has no values of an older answer beside it', async () => {
  const cdq = await track('cdq', [
    { body: { status: 'RUNNING', progress: 60 } },
    { request: '2-', body: { status: 'FINISHED', result: { statistics: { numberOfFailed: 0 } } } },
  ])
  const micro = await track('micro', [
    { body: { status: 'processing', total: 10, processed: 6, succeeded: 6, failed: 0 } },
    { request: '2-', body: { status: 'complete', succeeded: 10, failed: 0 } },
  ])
  expect(await app.over(cdq)).toMatchObject({ state: 'succeeded', progress: 1 })
  expect(await app.over(micro)).toMatchObject({
    state: 'succeeded',
    progress: 1,
    rows: { total: null, processed: 10, succeeded: 10, failed: 0 },
  })
  const [shown] = await app.sql('SELECT progress, rows_total FROM reporting.imports WHERE import_id = $1', [micro])
  expect(shown).toMatchObject({ progress: 1, rows_total: null })
})
