// Owns which counts may be unreadable, in every provider.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cdq } from '../../src/providers/cdq.ts'
import type { Report, StatusAnswer } from '../../src/providers/contract.ts'
import { fullstory } from '../../src/providers/fullstory.ts'
import { micro } from '../../src/providers/micro.ts'
import { zilliant } from '../../src/providers/zilliant.ts'

const unreadable = [-1, '-1', 'n/a', 1.5, 2 ** 53]

const cdqAnswer = (status: string, statistics: object) => cdq.readStatus({ status, result: { statistics } }).report
const microAnswer = (status: string, counts: object) => micro.readStatus({ status, ...counts }).report
const fullstoryAnswer = (status: string, counts: object) => fullstory.readStatus({ job: { status }, ...counts }).report
const zilliantSummary = (counts: object) =>
  zilliant.summary?.read(
    { status: 'PARTIAL_SUCCESS', failedRows: 1, ...counts },
    zilliant.readStatus({ status: 'SUCCEEDED' }).report,
  )
const zilliantReport = (counts: object) => zilliantSummary(counts)?.report

describe.each(unreadable)('the count %j', (count) => {
  it.each<[string, () => Report | undefined, Partial<Report>]>([
    ['of CDQ', () => cdqAnswer('RUNNING', { numberOfFailed: count, numberOfInserts: 3 }), { state: 'running' }],
    ['of micro', () => microAnswer('processing', { total: count, failed: count }), { state: 'running' }],
    ['of FullStory', () => fullstoryAnswer('PROCESSING', { imports: count, errors: count }), { state: 'running' }],
    ['that CDQ only shows', () => cdqAnswer('FAILED', { numberOfInserts: count, numberOfUpdates: count }), {}],
    ['that micro only shows', () => microAnswer('complete', { total: count, processed: count, failed: 1 }), {}],
    ['that Zilliant only shows', () => zilliantReport({ processedRows: count }), { state: 'partial' }],
  ])('%s is unknown', (_whose, readReport, expected) => {
    const report = readReport()
    expect(report).toMatchObject(expected)
    for (const known of Object.values(report?.rows ?? {})) expect(known === null || known >= 0).toBe(true)
  })

  it.each<[string, string, () => Pick<StatusAnswer, 'report' | 'missing'> | undefined, Partial<Report>]>([
    [
      'CDQ',
      'result.statistics.numberOfFailed',
      () => cdq.readStatus({ status: 'FINISHED', result: { statistics: { numberOfFailed: count } } }),
      { state: 'succeeded' },
    ],
    [
      'CDQ, with skipped lines',
      'result.statistics.numberOfFailed',
      () => cdq.readStatus({ status: 'FINISHED', result: { statistics: { numberOfFailed: count, skipped: [{}] } } }),
      { state: 'partial' },
    ],
    [
      'micro',
      'failed',
      () => micro.readStatus({ status: 'complete', total: 1, failed: count, results: [{}] }),
      { state: 'succeeded' },
    ],
    [
      'micro, without failures',
      'succeeded',
      () => micro.readStatus({ status: 'complete', succeeded: count, failed: 0 }),
      { state: 'succeeded' },
    ],
    [
      'FullStory',
      'imports',
      () => fullstory.readStatus({ job: { status: 'FAILED' }, imports: count, errors: 1 }),
      { state: 'failed' },
    ],
    [
      'FullStory, done',
      'errors',
      () => fullstory.readStatus({ job: { status: ' Completed' }, imports: 3, errors: count }),
      { state: 'succeeded' },
    ],
    ['Zilliant', 'failedRows', () => zilliantSummary({ failedRows: count }), { state: 'partial' }],
  ])('leaves the last answer of %s not whole, where %s decides', (_whose, field, read, expected) => {
    const answer = read()
    expect(answer?.missing).toMatch(new RegExp(`^${field} must be a whole number`))
    expect(answer?.report).toMatchObject(expected)
    // What can't be read isn't 0.
    if (field !== 'succeeded' && field !== 'imports') expect(answer?.report.rows.failed).toBeNull()
  })

  it("doesn't spoil a page of CDQ's, which is about the skipped lines", () => {
    const page = { result: { statistics: { numberOfFailed: count, skipped: [{ line: 1, column: 2 }] } } }
    expect(cdq.details?.read(page, '1')).toMatchObject({ skippedLines: [{ line: 1, column: 2 }] })
  })
})

it('leaves what is wrong beside a count an error', () => {
  expect(() => cdqAnswer('RUNNING', { numberOfFailed: -1, skipped: 'none' })).toThrow(z.ZodError)
})
