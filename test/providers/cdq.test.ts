// Owns what CDQ's answers mean.
import { describe, expect, it } from 'vitest'
import { ZodError } from 'zod'
import type { ReportedState } from '../../src/model/reported-state.ts'
import { cdq } from '../../src/providers/cdq.ts'
import { firstPage, unknownRows } from '../../src/providers/contract.ts'
import { fixture } from './cases.ts'

const example = fixture('cdq-job') as Record<string, unknown>
const job = { jobId: '35f23c03', credentials: { apiKey: 'key' }, settings: {} }

function answer(status: string, statistics?: Record<string, unknown>) {
  return { id: '1', status, ...(statistics && { result: { statistics } }) }
}

describe('a CDQ status', () => {
  it('of any length is shown shortened and kept whole', () => {
    const status = 'X'.repeat(5_000)
    const { report } = cdq.readStatus(answer(status))
    expect(report).toMatchObject({ state: 'unmapped', body: { status } })
    expect(report.providerStatus).toHaveLength(2_000)
  })

  it.each<[string, ReportedState]>([
    ['CREATED', 'queued'],
    ['PERSISTED', 'queued'],
    ['SCHEDULED', 'queued'],
    ['WAITING', 'queued'],
    ['RUNNING', 'running'],
    ['FINISHED', 'succeeded'],
    ['FAILED', 'failed'],
    ['DIED', 'failed'],
    ['COULDNT_START', 'failed'],
    ['CANCELED', 'canceled'],
    ['ARCHIVED', 'archived'],
    ['UNKNOWN', 'unknown'],
  ])('%s is %s', (status, state) => {
    expect(cdq.readStatus(answer(status)).report).toMatchObject({ state, providerStatus: status })
  })

  it.each<[string, Record<string, unknown>, ReportedState]>([
    ['nothing lost', { numberOfFailed: 0, skipped: [] }, 'succeeded'],
    ['failed partners', { numberOfFailed: 1 }, 'partial'],
    ['failed partners as text', { numberOfFailed: '3' }, 'partial'],
    ['a skipped line', { numberOfFailed: 0, skipped: [{ line: 7, column: 2 }] }, 'partial'],
    ['more pages of skipped lines', { skipped: [], skippedNextStartAfter: '20' }, 'partial'],
    ['no numbers at all', {}, 'succeeded'],
  ])('FINISHED with %s is %s (an inference)', (_what, statistics, state) => {
    expect(cdq.readStatus(answer('FINISHED', statistics)).report.state).toBe(state)
  })

  it.each<[string, Record<string, unknown> | undefined, string | null]>([
    ['FINISHED', { numberOfFailed: 0 }, null],
    ['FINISHED', undefined, 'result.statistics is missing.'],
    ['FINISHED', {}, 'result.statistics.numberOfFailed is missing.'],
    ['FINISHED', { numberOfFailed: null, skipped: [{ line: 1 }] }, 'result.statistics.numberOfFailed is missing.'],
    ['RUNNING', undefined, null],
    ['FAILED', undefined, null],
    ['ARCHIVED', undefined, null],
  ])('%s with the statistics %j is whole, or says what it lacks: %j', (status, statistics, missing) => {
    expect(cdq.readStatus(answer(status, statistics)).missing).toBe(missing)
  })

  it('FAILED and RUNNING stay what they are with skipped lines', () => {
    const statistics = { numberOfFailed: 2, skipped: [{ line: 1, column: 1 }] }
    expect(cdq.readStatus(answer('FAILED', statistics)).report.state).toBe('failed')
    expect(cdq.readStatus(answer('RUNNING', statistics)).report.state).toBe('running')
  })
})

describe('a CDQ report', () => {
  it("has everything that the vendor's example says", () => {
    const { skipped: _, ...statistics } = (example.result as { statistics: Record<string, unknown> }).statistics
    expect(cdq.readStatus(example)).toEqual({
      report: {
        state: 'running',
        providerStatus: 'RUNNING',
        message: 'The job failed because storage is empty.',
        progress: 0.77,
        rows: { ...unknownRows, inserted: 10, updated: 10, failed: 10 },
        createdAt: new Date('2026-06-03T12:58:32Z'),
        startedAt: null,
        finishedAt: null,
        expiresAt: null,
        body: { ...example, result: { statistics } },
      },
      missing: null,
      details: null,
    })
  })

  it.each([
    [0, 0],
    ['0', 0],
    [100, 1],
    [12.5, 0.125],
    [150, 1],
    [-1, 0],
    ['soon', null],
    [null, null],
  ])('takes the progress %j for %j', (progress, fraction) => {
    expect(cdq.readStatus({ status: 'RUNNING', progress }).report.progress).toBe(fraction)
  })

  it('shows why a job was cancelled', () => {
    const statusMessage = 'Canceled due to invalid input configuration.'
    expect(cdq.readStatus({ status: 'CANCELED', statusMessage }).report).toMatchObject({
      state: 'canceled',
      message: statusMessage,
    })
  })

  it.each<[string, Record<string, unknown>, number | null]>([
    ['the one page has them all', { skipped: [{ line: 1 }, { line: 2 }] }, 2],
    ['the one page is empty', { skipped: [] }, 0],
    ['more pages follow', { skipped: [{ line: 1 }], skippedNextStartAfter: '2' }, null],
    ['there is no list', {}, null],
  ])('counts skipped lines of an ended job where that is certain: %s', (_why, statistics, skipped) => {
    expect(cdq.readStatus(answer('FINISHED', statistics)).report.rows.skipped).toBe(skipped)
    expect(cdq.readStatus(answer('RUNNING', statistics)).report.rows.skipped).toBeNull()
  })

  it('is not whole with a count that is none, because it decides between succeeded and partial', () => {
    for (const numberOfFailed of ['many', 1.5, -1, 2 ** 53, '99999999999999999999', true, {}])
      expect(cdq.readStatus(answer('FINISHED', { numberOfFailed }))).toMatchObject({
        missing: expect.stringContaining('must be a whole number from 0'),
        report: { rows: { failed: null } },
      })
  })
})

describe("CDQ's skipped lines", () => {
  it('come with the status of an ended job', () => {
    const skipped = [{ line: 10, column: 11 }, { line: '12', column: '13' }, { line: 14 }, { line: 'odd' }, null]
    expect(cdq.readStatus(answer('FINISHED', { skipped, skippedNextStartAfter: 20 })).details).toEqual({
      skippedLines: [
        { line: 10, column: 11 },
        { line: 12, column: 13 },
        { line: 14, column: null },
        { line: null, column: null },
        { line: null, column: null },
      ],
      rowResults: [],
      next: '20',
    })
  })

  it.each([null, '', undefined])('end where the next cursor is %j', (skippedNextStartAfter) => {
    const { details } = cdq.readStatus(answer('FAILED', { skipped: [{ line: 1, column: 1 }], skippedNextStartAfter }))
    expect(details?.next).toBeNull()
  })

  it('are none where there is neither a line nor a cursor', () => {
    expect(cdq.readStatus(answer('FINISHED', { skipped: [] })).details).toBeNull()
    expect(cdq.readStatus(answer('FINISHED')).details).toBeNull()
  })

  it('are asked for by the opaque cursor', () => {
    expect(cdq.details?.request(job, '57125 66172571652')).toEqual({
      path: '/jobs/importjobs/35f23c03',
      query: { skippedStartAfter: '57125 66172571652' },
      headers: { 'x-api-key': 'key' },
    })
    expect(cdq.details?.request(job, firstPage)).toEqual({
      path: '/jobs/importjobs/35f23c03',
      headers: { 'x-api-key': 'key' },
    })
  })

  it('are read from a page, which repeats the whole job', () => {
    expect(cdq.details?.read(example, '')).toEqual({
      skippedLines: [{ line: 10, column: 10 }],
      rowResults: [],
      next: '20',
    })
  })

  it.each([{ status: 'FINISHED' }, answer('FINISHED', {}), answer('FINISHED', { skipped: null })])(
    'do not end with a page that has no list: %j',
    (page) => {
      for (const cursor of [firstPage, '20']) expect(() => cdq.details?.read(page, cursor)).toThrow(ZodError)
    },
  )

  it('end with an empty list', () => {
    const page = answer('FINISHED', { skipped: [] })
    expect(cdq.details?.read(page, '20')).toEqual({ skippedLines: [], rowResults: [], next: null })
  })
})

describe("CDQ's errors", () => {
  it.each([
    [{ status: { code: 404, technicalKey: 'NOT_FOUND', details: [] } }, { code: 'NOT_FOUND', message: null }],
    [{ status: { code: 404 } }, { code: '404', message: null }],
    [
      { status: { technicalKey: 'BAD_REQUEST', details: [{ id: 7 }, { message: 'Bad' }] } },
      { code: 'BAD_REQUEST', message: 'Bad' },
    ],
    [{ status: 'FAILED' }, null],
    ['<html>', null],
    [undefined, null],
  ])('reads %j', (body, error) => {
    expect(cdq.readError(body)).toEqual(error)
  })
})
