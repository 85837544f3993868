import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/sandbox/json.ts'
import { askJson, openSandbox } from './open.ts'

// The vendors' own examples, from their pages.
const examples = {
  cdq: {
    id: '35f23c03-1c22-45fe-9484-3ffe769325de',
    name: 'Process vendor data.',
    description: 'I started this job to improve quality of our data.',
    createdBy: '76248934691294444',
    createdAt: '2026-06-03T12:58:32Z',
    modifiedAt: '2026-06-03T12:58:32Z',
    progress: 77,
    status: 'FAILED',
    statusMessage: 'The job failed because storage is empty.',
    storageId: '72d6900fce6b326088f5d9d91049e3e6',
    dataSource: '648824a691d8d2503d65103e',
    dataMapperDefinitionId: '6440dba32b30176c5917b1b7',
    dataTransformationDefinitionId: 'SAP.ODM',
    externalIdColumn: 'BP_EXTERNAL_ID',
    featureOn: ['UPSERT_BY_EXTERNAL_ID'],
    result: {
      statistics: {
        numberOfInserts: 10,
        numberOfUpdates: 10,
        numberOfFailed: 10,
        skipped: [{ line: 10, column: 10 }],
        skippedStartAfter: '10',
        skippedNextStartAfter: '20',
      },
    },
    domain: 'BusinessPartner',
  },
  micro: {
    job_id: 'job_id',
    status: 'complete',
    total: 0,
    created_at: '2019-12-27T18:11:19.117Z',
    error: { code: 'code', message: 'message' },
    expires_at: '2019-12-27T18:11:19.117Z',
    failed: 0,
    processed: 0,
    results: [
      {
        id: '182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e',
        created: true,
        error: { code: 'code', message: 'message' },
        existing: true,
      },
    ],
    succeeded: 0,
    updated_at: '2019-12-27T18:11:19.117Z',
  },
  zilliant: {
    status: 'SUCCEEDED',
    startDate: '2021-09-28T13:09:25Z',
    stopDate: '2021-09-28T13:16:06Z',
    clientErrorCallingService: false,
    entityImportId: '2587c81c-b9fc-4873-ae2f-421b292d2c2b',
  },
  fullstory: {
    imports: 42,
    errors: 2,
    job: {
      id: 'abd123=',
      status: 'FAILED',
      created: '2019-04-18T14:36:11.123Z',
      finished: '2019-04-18T15:36:11.123Z',
    },
  },
}

describe("a vendor's own example", () => {
  test('is what CDQ answers to the same import, field by field', async () => {
    const { sandbox, clock } = await openSandbox()
    clock.set(new Date('2026-06-03T12:58:32Z'))
    const job = sandbox.add({
      provider: 'cdq',
      jobId: '35f23c03-1c22-45fe-9484-3ffe769325de',
      name: 'Process vendor data.',
      steps: [{ afterMs: 0, status: 'FAILED', progress: 77, processed: 30, failed: 10, inserted: 10, updated: 10 }],
      message: 'The job failed because storage is empty.',
      skippedLines: 2,
      pageSize: 1,
    })
    expect(await askJson(sandbox, job)).toEqual(examples.cdq)
  })

  test('has the fields and types that micro answers, over its endings', async () => {
    const { sandbox } = await openSandbox()
    const common = { provider: 'micro', durationMs: 0, rows: 10 } as const
    const partial = await askJson(sandbox, sandbox.add({ ...common, outcome: 'partial' }))
    const failed = await askJson(sandbox, sandbox.add({ ...common, outcome: 'failed' }))
    const results = [Object.assign({}, ...partial.results)]
    expect(shapeOf({ ...failed, ...partial, results })).toEqual(shapeOf(examples.micro))
    expect(partial).not.toHaveProperty('error')
    expect(failed).not.toHaveProperty('results')
  })

  test.each([
    ['SUCCEEDED', '2587c81c-b9fc-4873-ae2f-421b292d2c2b'],
    ['FAILED', '2587c81c-bs9fc-4873-ae2f-421b292d2c2b'],
  ])('is what Zilliant answers to the same import, field by field: %s', async (status, jobId) => {
    const { sandbox, clock } = await openSandbox()
    clock.set(new Date('2021-09-28T13:09:25Z'))
    const outcome = status === 'FAILED' ? 'failed' : 'succeeded'
    const job = sandbox.add({ provider: 'zilliant', jobId, durationMs: 401_000, outcome })
    clock.advance(401_000)
    expect(await askJson(sandbox, job)).toEqual({ ...examples.zilliant, status, entityImportId: jobId })
  })

  test('is what FullStory answers to the same import, field by field', async () => {
    const { sandbox, clock } = await openSandbox()
    clock.set(new Date('2019-04-18T14:36:11.123Z'))
    const job = sandbox.add({
      provider: 'fullstory',
      jobId: 'abd123=',
      durationMs: 3_600_000,
      outcome: 'partial',
      rows: 44,
      failedRows: 2,
    })
    clock.advance(3_600_000)
    expect(await askJson(sandbox, job)).toEqual(examples.fullstory)
  })

  test.each(Object.entries(examples))('can be answered word for word: %s', async (provider, body) => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: provider as keyof typeof examples, answers: [{ afterMs: 0, body }] })
    expect(await askJson(sandbox, job)).toEqual(body)
  })
})

test("jobs get ids of the vendor's form", async () => {
  const { sandbox } = await openSandbox()
  for (const provider of ['cdq', 'micro', 'zilliant'] as const) {
    expect(sandbox.add({ provider }).jobId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  }
  expect(sandbox.add({ provider: 'fullstory' }).jobId).toMatch(/^[A-Za-z0-9+/]{11}=$/)
})

test('an import that is under way says only what is true then', async () => {
  const { sandbox, clock } = await openSandbox()
  const times = { durationMs: 10_000, rows: 200, outcome: 'partial' } as const
  const [cdq, micro, zilliant, fullstory] = (['cdq', 'micro', 'zilliant', 'fullstory'] as const).map((provider) =>
    sandbox.add({ provider, ...times, ...(provider === 'cdq' ? { queuedMs: 2_000 } : {}) }),
  )
  if (!cdq || !micro || !zilliant || !fullstory) throw new Error('four jobs')
  expect((await askJson(sandbox, cdq)).status).toBe('SCHEDULED')
  clock.advance(1_000)
  expect((await askJson(sandbox, cdq)).status).toBe('WAITING')
  clock.advance(4_000)
  expect(await askJson(sandbox, cdq)).toMatchObject({ status: 'RUNNING', progress: 30 })
  expect(await askJson(sandbox, cdq)).not.toHaveProperty('result')
  expect(await askJson(sandbox, micro)).toMatchObject({
    status: 'processing',
    processed: 100,
    failed: 10,
    succeeded: 90,
  })
  expect(Object.keys(await askJson(sandbox, zilliant))).toEqual([
    'status',
    'startDate',
    'clientErrorCallingService',
    'entityImportId',
  ])
  const running = await askJson(sandbox, fullstory)
  expect(running).toEqual({
    imports: 90,
    job: { id: fullstory.jobId, status: 'PROCESSING', created: expect.any(String) },
  })
})

/** The same structure with the names of types for values. */
function shapeOf(value: Json): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]))
}
