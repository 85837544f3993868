import { describe, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import type { FaultInput } from '../../src/sandbox/faults.ts'
import { ask, openJob, statusPath } from './open.ts'

describe('in the body', () => {
  test('numbers_as_strings: every number, in the rows too', async () => {
    const { askJson } = await openJob([{ kind: 'numbers_as_strings' }])
    const { progress, result } = await askJson()
    expect(progress).toBe('100')
    expect(result.statistics).toMatchObject({ numberOfFailed: '0', skipped: expect.arrayContaining([]) })
    expect(result.statistics.skipped[0]).toEqual({ line: '10', column: '10' })
  })

  test.each([
    ['cdq', ['id', 'status']],
    ['micro', ['job_id', 'status', 'total']],
    ['zilliant', ['status']],
    ['fullstory', ['job']],
  ] as const)('missing_fields at %s leaves %j', async (provider, fields) => {
    const { askJson } = await openJob([{ kind: 'missing_fields' }], { provider, skippedLines: 0 })
    const body = await askJson()
    expect(Object.keys(body)).toEqual(fields)
    if (provider === 'fullstory') expect(Object.keys(body.job)).toEqual(['id', 'status'])
  })

  test.each([
    ['cdq', ['id', 'status']],
    ['micro', ['job_id', 'status', 'total']],
    ['zilliant', ['status']],
    ['fullstory', ['id', 'status']],
  ] as const)('null_fields at %s has null for all but %j', async (provider, kept) => {
    const faults: FaultInput[] = [{ kind: 'null_fields' }]
    const { askJson } = await openJob(faults, { provider, skippedLines: 0 })
    const { job, ...answer } = await askJson()
    const fields: Record<string, unknown> = { ...job, ...answer }
    expect(Object.keys(fields).length).toBeGreaterThan(kept.length)
    expect(
      Object.keys(fields)
        .filter((name) => fields[name] !== null)
        .toSorted(),
    ).toEqual(kept)
  })

  test.each(['cdq', 'micro', 'zilliant', 'fullstory'] as const)(
    'unknown_status at %s is a word of its own',
    async (provider) => {
      const faults: FaultInput[] = [{ kind: 'unknown_status', status: 'PAUSED' }]
      const { askJson } = await openJob(faults, { provider, skippedLines: 0 })
      const body = await askJson()
      expect(provider === 'fullstory' ? body.job.status : body.status).toBe('PAUSED')
      expect(Object.keys(body).length).toBeGreaterThan(1)
    },
  )
})

const refusals = {
  cdq: (key: string) => ({ status: { technicalKey: key, details: [{ message: expect.any(String) }] } }),
  micro: () => ({ message: expect.any(String) }),
  zilliant: () => ({ message: expect.any(String) }),
  fullstory: (_: string, code: string) => ({ message: expect.any(String), code }),
}

describe.each(['cdq', 'micro', 'zilliant', 'fullstory'] as const)('refused by %s', (provider) => {
  test.each([
    ['bad_request', 400, 'BAD_REQUEST', 'invalid_field'],
    ['unauthorized', 401, 'UNAUTHORIZED', 'unauthorized'],
    ['forbidden', 403, 'FORBIDDEN', 'forbidden'],
    ['not_found', 404, 'NOT_FOUND', 'resource_not_found'],
    ['rate_limited', 429, 'TOO_MANY_REQUESTS', 'too_many_requests'],
    ['server_error', 500, 'INTERNAL_SERVER_ERROR', 'server_error'],
    ['unavailable', 503, 'SERVICE_UNAVAILABLE', 'server_error'],
  ] as const)("%s is %i in the vendor's own form", async (kind, status, key, code) => {
    const { ask } = await openJob([{ kind }], { provider, skippedLines: 0 })
    const response = await ask()
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject(refusals[provider](key, code))
    expect(response.headers.has('retry-after')).toBe(status === 429 || status === 503)
  })
})

test.each([
  [{ retryAfterS: 7 }, '7'],
  [{ retryAfterS: 7, retryAfterForm: 'date' }, 'Sun, 01 Mar 2026 12:00:07 GMT'],
  [{ retryAfterS: null }, null],
] as const)('Retry-After of %j is %j', async (fields, expected) => {
  const { ask } = await openJob([{ kind: 'rate_limited', ...fields }])
  expect((await ask()).headers.get('retry-after')).toBe(expected)
})

describe('a fault happens', () => {
  test('at the request that it names, or at those from one to another', async () => {
    const { ask } = await openJob([
      { kind: 'server_error', atRequest: 2 },
      { kind: 'rate_limited', atRequest: [4, 5] },
    ])
    const statuses = []
    for (let request = 0; request < 6; request++) statuses.push((await ask()).status)
    expect(statuses).toEqual([200, 500, 200, 429, 429, 200])
  })

  test('in the time that it names, the end excluded', async () => {
    const { ask, clock, job } = await openJob([{ kind: 'not_found', betweenMs: [1_000, 2_000] }])
    const statuses = []
    for (const elapsedMs of [0, 999, 1_000, 1_999, 2_000]) {
      clock.set(after(job.createdAt, elapsedMs))
      statuses.push((await ask()).status)
    }
    expect(statuses).toEqual([200, 200, 404, 404, 200])
  })

  test('at the kind of call that it names, counted by kind', async () => {
    const { ask, job, sandbox } = await openJob([{ kind: 'server_error', on: 'details', atRequest: 2 }], {
      skippedLines: 30,
      pageSize: 10,
    })
    const page = { path: `${statusPath(sandbox, 'cdq', job.jobId)}?skippedStartAfter=110` }
    expect((await ask()).status).toBe(200)
    expect((await ask()).status).toBe(200)
    expect((await ask(page)).status).toBe(200)
    expect((await ask(page)).status).toBe(500)
    expect((await ask(page)).status).toBe(200)
  })

  test('together with others that act on other parts', async () => {
    const { askJson } = await openJob([
      { kind: 'numbers_as_strings' },
      { kind: 'unknown_status' },
      { kind: 'slow_body', overMs: 20 },
    ])
    expect(await askJson()).toMatchObject({ status: 'REINDEXING', progress: '100' })
  })

  test('to every import of a vendor while there is an outage, and to no other vendor', async () => {
    const { ask: askCdq, sandbox } = await openJob([])
    const micro = sandbox.add({ provider: 'micro' })
    sandbox.setOutage('cdq', { kind: 'rate_limited', retryAfterS: 30 })
    const refused = await askCdq()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30'])
    expect((await ask(sandbox, micro)).status).toBe(200)
    sandbox.setOutage('cdq', { kind: 'reset' })
    await expect(askCdq()).rejects.toThrow('fetch failed')
    sandbox.setOutage('cdq', null)
    expect((await askCdq()).status).toBe(200)
  })
})

test("scripted answers replace the vendor's, from their time on, by kind of call", async () => {
  const answers = [
    { afterMs: 0, body: { status: 'RUNNING', odd: [1, null] } },
    { afterMs: 1_000, status: 418, headers: { 'x-tea': 'yes' }, body: 'no coffee' },
    { afterMs: 0, on: 'details' as const, body: { page: true } },
  ].toSorted((a, b) => a.afterMs - b.afterMs)
  const { ask, askJson, clock, job, sandbox } = await openJob([], { answers })
  expect(await askJson()).toEqual({ status: 'RUNNING', odd: [1, null] })
  expect(await askJson({ path: `${statusPath(sandbox, 'cdq', job.jobId)}?skippedStartAfter=10` })).toEqual({
    page: true,
  })
  clock.advance(1_000)
  const tea = await ask()
  expect([tea.status, tea.headers.get('x-tea'), await tea.json()]).toEqual([418, 'yes', 'no coffee'])
})
