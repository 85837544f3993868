// Owns what micro.so's answers mean.
import { describe, expect, it } from 'vitest'
import type { ReportedState } from '../../src/model/reported-state.ts'
import { unknownRows } from '../../src/providers/contract.ts'
import { micro } from '../../src/providers/micro.ts'
import { fixture } from './cases.ts'

const example = fixture('micro-import') as Record<string, unknown>
const error = { code: 'invalid_email', message: 'The email is invalid.' }

describe('a micro.so status', () => {
  it.each<[Record<string, unknown>, ReportedState]>([
    [{ status: 'processing' }, 'running'],
    [{ status: 'complete' }, 'succeeded'],
    [{ status: 'complete', failed: 0 }, 'succeeded'],
    [{ status: 'complete', failed: 1 }, 'partial'],
    [{ status: 'complete', failed: '1' }, 'partial'],
    [{ status: 'complete', results: [{ id: '1' }, { error }] }, 'partial'],
    [{ status: 'complete', failed: 0, results: [{ error }] }, 'partial'],
    [{ status: 'complete', total: 4, processed: 3, failed: 0 }, 'partial'],
    [{ status: 'complete', total: 4, processed: 4, succeeded: 3, failed: 0 }, 'partial'],
    [{ status: 'complete', total: 4, succeeded: 3 }, 'partial'],
    [{ status: 'failed', succeeded: 3 }, 'failed'],
    [{ status: ' Complete' }, 'succeeded'],
    [{ status: 'completed' }, 'unmapped'],
  ])('%j is %s', (answer, state) => {
    expect(micro.readStatus(answer).report.state).toBe(state)
  })

  const two = { total: 2, processed: 2, succeeded: 2, failed: 0 }
  const one = { total: 2, processed: 2, succeeded: 1, failed: 1 }
  it.each<[Record<string, unknown>, string | null]>([
    [{ ...two, results: [{ id: 'a' }, { id: 'b' }] }, null],
    [two, null],
    [{ ...one, results: [{ id: 'a' }, { error }] }, null],
    [{ ...two, succeeded: 1, results: [{ id: 'a' }, { error }] }, null],
    [{ total: 2, results: [{ id: 'a' }, { error }] }, null],
    [{ total: 0, processed: 0, succeeded: 0, failed: 0, results: [] }, null],
    [{}, 'failed is missing.'],
    [{ total: 2, processed: 2, succeeded: 2 }, 'failed is missing.'],
    [{ total: 2, results: [{ id: 'a' }] }, 'failed is missing.'],
    [one, 'results has 0 of 1 failed rows.'],
    [{ ...one, results: [{ id: 'a' }, { id: 'b' }] }, 'results has 0 of 1 failed rows.'],
    [{ ...one, results: [{ error }] }, 'results has 1 of 2 rows.'],
    [{ ...two, results: [] }, 'results has 0 of 2 rows.'],
    [{ ...two, results: [{ id: 'a' }] }, 'results has 1 of 2 rows.'],
    [{ ...two, processed: 1 }, 'processed is 1 of a total of 2.'],
    [{ ...two, succeeded: 1 }, 'succeeded and failed are 1 of a total of 2.'],
  ])('complete with %j is whole, or says what it lacks: %j', (answer, missing) => {
    expect(micro.readStatus({ status: 'complete', ...answer }).missing).toBe(missing)
    for (const status of ['processing', 'failed']) expect(micro.readStatus({ status, ...answer }).missing).toBeNull()
  })

  it('with more errors than it counts has failed as many', () => {
    const contradiction = { status: 'complete', total: 2, processed: 2, succeeded: 1, failed: 0 }
    expect(micro.readStatus({ ...contradiction, results: [{ id: 'a' }, { error }] }).report).toMatchObject({
      state: 'partial',
      rows: { succeeded: 1, failed: 1 },
      body: { failed: 0 },
    })
  })
})

describe('a micro.so report', () => {
  it("has everything that the vendor's example says", () => {
    const { results: _, ...body } = example
    const moment = new Date('2019-12-27T18:11:19.117Z')
    expect(micro.readStatus(example)).toEqual({
      report: {
        state: 'partial', // its one result has an error
        providerStatus: 'complete',
        message: 'message',
        progress: null,
        rows: { ...unknownRows, total: 0, processed: 0, succeeded: 0, failed: 1 },
        createdAt: moment,
        startedAt: null,
        finishedAt: null,
        expiresAt: moment,
        body,
      },
      missing: null,
      details: {
        skippedLines: [],
        rowResults: [
          {
            recordId: '182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e',
            created: true,
            existing: true,
            error: { code: 'code', message: 'message' },
          },
        ],
        next: null,
      },
    })
  })

  it.each([
    [{ total: 200, processed: 50 }, 50, 0.25],
    [{ total: '200', processed: '200' }, 200, 1],
    [{ total: 200, succeeded: 40, failed: 10 }, 50, 0.25],
    [{ total: 200, succeeded: 40 }, null, null],
    [{ total: 0, processed: 0 }, 0, null],
    [{ total: 10, processed: 20 }, 20, 1],
    [{ processed: 20 }, 20, null],
  ])('of %j has processed %j rows, which is a progress of %j', (counts, processed, progress) => {
    const { report } = micro.readStatus({ status: 'processing', ...counts })
    expect([report.rows.processed, report.progress]).toEqual([processed, progress])
  })

  it.each([
    [{ code: 'bad_file', message: 'No header row.' }, 'No header row.'],
    [{ code: 'bad_file' }, 'bad_file'],
    ['No header row.', 'No header row.'],
    [{}, null],
    [null, null],
  ])('shows the error %j of the whole job', (jobError, message) => {
    expect(micro.readStatus({ status: 'failed', error: jobError }).report).toMatchObject({ state: 'failed', message })
  })
})

describe("micro.so's results", () => {
  it('keep their places, which are the rows (an inference)', () => {
    const results = [{ id: 'a', created: true }, null, { existing: 'true', error }, {}]
    expect(micro.readStatus({ status: 'complete', results }).details?.rowResults).toEqual([
      { recordId: 'a', created: true, existing: null, error: null },
      { recordId: null, created: null, existing: null, error: null },
      { recordId: null, created: null, existing: true, error },
      { recordId: null, created: null, existing: null, error: null },
    ])
  })

  it('come with an inline answer, which has no job id', () => {
    const inline = {
      job_id: null,
      status: 'complete',
      total: 2,
      processed: 2,
      succeeded: 1,
      failed: 1,
      results: [{ id: 'a' }, { error }],
    }
    const { report, details } = micro.readStatus(inline)
    expect(report).toMatchObject({ state: 'partial', progress: 1, body: { job_id: null, total: 2 } })
    expect(details?.rowResults).toHaveLength(2)
  })

  it('are none before the end, or where the list is empty', () => {
    expect(micro.readStatus({ status: 'processing', results: [{ id: 'a' }] }).details).toBeNull()
    expect(micro.readStatus({ status: 'complete', results: [] }).details).toBeNull()
  })
})

describe("micro.so's account", () => {
  it.each(['team', '', '5b1c4bd8-6c1e-4b7c-8f0a', '../5b1c4bd8-6c1e-4b7c-8f0a-2f1f6f1a9d10', undefined])(
    'needs a UUID as teamId, which %j is not',
    (teamId) => {
      const { error: refused } = micro.settingsSchema.safeParse({ teamId })
      expect(refused?.issues[0]).toMatchObject({ path: ['teamId'], message: 'must be a UUID: the id of the team' })
    },
  )

  it('takes a UUID of any version', () => {
    expect(micro.settingsSchema.safeParse({ teamId: '00000000-0000-0000-0000-000000000001' }).success).toBe(true)
  })

  it('may ask 10 times a second and 1,000 times a month, and forgets its jobs after 7 days', () => {
    expect(micro.defaultLimits).toMatchObject({
      requestsPerSecond: 10,
      requestsPerMonth: 1_000,
      deadlineMs: 604_800_000,
    })
    expect(micro.forgetsJobs).toBe(true)
  })
})
