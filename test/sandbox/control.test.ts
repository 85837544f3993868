import { describe, expect, test } from 'vitest'
import { ask, askJson, openSandbox } from './open.ts'

async function openControl() {
  const open = await openSandbox()
  const call = async (method: string, path: string, body?: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(open.sandbox.url + path, { method, ...(body === undefined ? {} : { body: text }) })
    const answer = await response.text()
    return { status: response.status, body: answer === '' ? null : JSON.parse(answer) }
  }
  return { ...open, call }
}

test('the front page says what to give a connection', async () => {
  const { call, sandbox } = await openControl()
  const { status, body } = await call('GET', '/')
  expect(status).toBe(200)
  for (const provider of ['cdq', 'micro', 'zilliant', 'fullstory'] as const) {
    expect(body.providers[provider]).toEqual({
      baseUrl: sandbox.baseUrl(provider),
      credentials: sandbox.credentials(provider),
      settings: sandbox.settings(provider),
      outage: null,
    })
  }
})

describe('a script', () => {
  test('added over HTTP is an import at the vendor', async () => {
    const { call, sandbox, clock } = await openControl()
    const { status, body } = await call('POST', '/scripts', { provider: 'micro', durationMs: 1_000, rows: 5 })
    expect(status).toBe(201)
    expect(body).toEqual({ provider: 'micro', jobId: expect.any(String), baseUrl: sandbox.baseUrl('micro') })
    clock.advance(1_000)
    expect(await askJson(sandbox, body)).toMatchObject({ status: 'complete', processed: 5 })
    const list = await call('GET', '/scripts')
    expect(list.body.data).toMatchObject([{ jobId: body.jobId, requests: { status: 1 }, script: { rows: 5 } }])
  })

  test.each([
    ['{', ''],
    ['[]', ''],
    [{}, 'provider'],
    [{ provider: 'nobody' }, 'provider'],
    [{ provider: 'cdq', durationMs: -1 }, 'durationMs'],
    [{ provider: 'cdq', duration: 1 }, 'duration'],
    [{ provider: 'micro', outcome: 'canceled' }, 'outcome'],
    [{ provider: 'micro', skippedLines: 1 }, 'skippedLines'],
    [{ provider: 'zilliant', queuedMs: 1 }, 'queuedMs'],
    [{ provider: 'cdq', resource: 'users' }, 'resource'],
    [{ provider: 'cdq', rows: 1, failedRows: 2 }, 'failedRows'],
    [{ provider: 'cdq', rows: 1, updatedRows: 2 }, 'updatedRows'],
    [{ provider: 'cdq', faults: [{ kind: 'meteor' }] }, 'faults.0.kind'],
    [{ provider: 'cdq', faults: [{ kind: 'timeout', retryAfterS: 1 }] }, 'faults.0.retryAfterS'],
    [{ provider: 'cdq', faults: [{ kind: 'compressed', encoding: 'rot13' }] }, 'faults.0.encoding'],
    [{ provider: 'micro', faults: [{ kind: 'timeout', on: 'details' }] }, 'faults.0.on'],
    [{ provider: 'cdq', answers: [{ afterMs: 0 }] }, 'answers.0.body'],
    [{ provider: 'cdq', answers: [{ body: {}, raw: '' }] }, 'answers.0.raw'],
    [{ provider: 'cdq', answers: [{ raw: '{}', shuffled: true }] }, 'answers.0.shuffled'],
    [{ provider: 'cdq', answers: [{ body: {}, request: 0 }] }, 'answers.0.request'],
    [{ provider: 'cdq', answers: [{ body: {}, request: '3-2' }] }, 'answers.0.request'],
    [{ provider: 'cdq', answers: [{ body: {}, request: 'third' }] }, 'answers.0.request'],
    [{ provider: 'cdq', answers: [{ body: {}, headers: { 'x y': '' } }] }, 'answers.0.headers.x y'],
    [{ provider: 'cdq', answers: [{ body: {}, headers: { x: 'a\nb' } }] }, 'answers.0.headers.x'],
    [{ provider: 'cdq', answers: [{ body: { at: '<now+1 h>' } }] }, 'answers.0.body'],
    [{ provider: 'cdq', answers: [{ raw: '<created+5w>' }] }, 'answers.0.raw'],
    [{ provider: 'cdq', answers: [{ on: 'summary', body: {} }] }, 'answers.0.on'],
    [
      {
        provider: 'cdq',
        steps: [
          { afterMs: 2, status: 'A' },
          { afterMs: 1, status: 'B' },
        ],
      },
      'steps',
    ],
  ])('of %j is refused, naming %j', async (script, field) => {
    const { call } = await openControl()
    const { status, body } = await call('POST', '/scripts', script)
    expect(status).toBe(400)
    expect(body).toMatchObject({
      code: 'invalid_request',
      errors: expect.arrayContaining([expect.objectContaining({ field })]),
    })
    expect((await call('GET', '/scripts')).body.data).toEqual([])
  })

  test("can't take the id of another one at the same vendor", async () => {
    const { call, sandbox } = await openControl()
    sandbox.add({ provider: 'cdq', jobId: 'one' })
    expect((await call('POST', '/scripts', { provider: 'cdq', jobId: 'one' })).status).toBe(409)
    expect((await call('POST', '/scripts', { provider: 'micro', jobId: 'one' })).status).toBe(201)
    expect(() => sandbox.add({ provider: 'cdq', jobId: 'one' })).toThrow('already')
  })

  test('gets an id that no other one has, also where the ids are short numbers', async () => {
    const { sandbox } = await openControl()
    // Of a million ids, some are drawn twice by then in all but one of a hundred thousand runs.
    const ids = Array.from({ length: 5_000 }, () => sandbox.add({ provider: 'marketo' }).jobId)
    expect(new Set(ids).size).toBe(5_000)
  })

  test('of more than a mebibyte is too large', async () => {
    const { call } = await openControl()
    const name = 'x'.repeat(2 ** 20)
    expect((await call('POST', '/scripts', { provider: 'cdq', name })).status).toBe(413)
  })
})

test('requests are listed with what was asked and answered, the newest being kept', async () => {
  const { sandbox, clock } = await openSandbox({ keepRequests: 3 })
  const job = sandbox.add({ provider: 'cdq', durationMs: 0, skippedLines: 20, pageSize: 10 })
  await ask(sandbox, job, { path: '/nothing' })
  await ask(sandbox, job, { headers: {} })
  await ask(sandbox, job)
  clock.advance(5)
  await ask(sandbox, job, { path: `/jobs/importjobs/${job.jobId}?skippedStartAfter=110` })
  const of = { provider: 'cdq', jobId: job.jobId }
  const url = `/jobs/importjobs/${job.jobId}`
  expect(sandbox.requests()).toEqual([
    { ...of, kind: 'status', cursor: null, url, at: new Date('2026-03-01T12:00:00Z'), status: 401 },
    { ...of, kind: 'status', cursor: null, url, at: new Date('2026-03-01T12:00:00Z'), status: 200 },
    {
      ...of,
      kind: 'details',
      cursor: '110',
      url: `${url}?skippedStartAfter=110`,
      at: new Date('2026-03-01T12:00:00.005Z'),
      status: 200,
    },
  ])
  const listed = await fetch(`${sandbox.url}/requests`)
  expect(await listed.json()).toEqual({ data: JSON.parse(JSON.stringify(sandbox.requests())) })
})

test('an outage is begun and ended over HTTP', async () => {
  const { call, sandbox } = await openControl()
  const job = sandbox.add({ provider: 'fullstory' })
  expect((await call('PUT', '/outages/fullstory', { kind: 'unavailable', retryAfterS: null })).status).toBe(200)
  expect((await ask(sandbox, job)).status).toBe(503)
  expect((await call('PUT', '/outages/fullstory', { kind: 'meteor' })).status).toBe(400)
  expect((await call('DELETE', '/outages/fullstory')).status).toBe(204)
  expect((await ask(sandbox, job)).status).toBe(200)
})

test('credentials are rotated over HTTP', async () => {
  const { call, sandbox } = await openControl()
  const before = sandbox.credentials('cdq')
  const { body } = await call('POST', '/accounts/cdq/rotate')
  expect(body.credentials).toEqual(sandbox.credentials('cdq'))
  expect(body.credentials).not.toEqual(before)
})

test.each([
  ['GET', '/nothing'],
  ['GET', '/outages/cdq'],
  ['PUT', '/outages/nobody'],
  ['POST', '/scripts/cdq'],
  ['DELETE', '/scripts'],
])('%s %s is not found', async (method, path) => {
  const { call } = await openControl()
  expect(await call(method, path)).toEqual({ status: 404, body: { status: 404, code: 'not_found', errors: [] } })
})
