// Owns which counts and lists may be unreadable, in every provider.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cdq } from '../../src/providers/cdq.ts'
import { firstPage, type Report, type StatusAnswer } from '../../src/providers/contract.ts'
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

const noLists = [{}, 'none', 3, ['x'], [{}, 1]]

describe.each(noLists)('instead of a list of rows, %j', (list) => {
  it('costs no status of an import that goes on', () => {
    expect(cdqAnswer('RUNNING', { numberOfFailed: -1, skipped: list }).state).toBe('running')
    expect(microAnswer('processing', { total: 3, results: list }).state).toBe('running')
  })

  it('leaves an outcome not whole', () => {
    const cdqDone = { status: 'FINISHED', result: { statistics: { numberOfFailed: 0, skipped: list } } }
    expect(cdq.readStatus(cdqDone)).toMatchObject({
      report: { state: 'succeeded', rows: { skipped: null } },
      missing: 'result.statistics.skipped must be a list of objects.',
      details: null,
    })
    const counts = { total: 3, processed: 3, succeeded: 1, failed: 2 }
    expect(micro.readStatus({ status: 'complete', ...counts, results: list })).toMatchObject({
      report: { state: 'partial', rows: { failed: 2 } },
      missing: 'results must be a list of objects.',
      details: { rowResults: [], announced: 2 },
    })
    expect(micro.readStatus({ status: 'failed', results: list }).report.state).toBe('failed')
  })

  it('is asked for from its beginning, where a page follows', () => {
    const statistics = { numberOfFailed: 0, skipped: list, skippedNextStartAfter: '7' }
    expect(cdq.readStatus({ status: 'FINISHED', result: { statistics } })).toMatchObject({
      report: { state: 'partial' },
      details: { skippedLines: [], next: firstPage },
    })
  })

  it('is no page', () => {
    const page = { result: { statistics: { skipped: list } } }
    expect(() => cdq.details?.read(page, '7')).toThrow(z.ZodError)
    expect(() => fullstory.details?.read({ results: list }, '')).toThrow(z.ZodError)
  })
})

it('leaves what is wrong beside counts and lists an error', () => {
  expect(() => cdq.readStatus({ status: 'RUNNING', result: 'none' })).toThrow(z.ZodError)
})
