// Owns which counts may be unreadable, in every provider.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cdq } from '../../src/providers/cdq.ts'
import type { Report } from '../../src/providers/contract.ts'
import { fullstory } from '../../src/providers/fullstory.ts'
import { micro } from '../../src/providers/micro.ts'
import { zilliant } from '../../src/providers/zilliant.ts'

const unreadable = [-1, '-1', 'n/a', 1.5, 2 ** 53]

const cdqAnswer = (status: string, statistics: object) => cdq.readStatus({ status, result: { statistics } }).report
const microAnswer = (status: string, counts: object) => micro.readStatus({ status, ...counts }).report
const fullstoryAnswer = (status: string, counts: object) => fullstory.readStatus({ job: { status }, ...counts }).report
const zilliantReport = (counts: object) =>
  zilliant.summary?.read(
    { status: 'PARTIAL_SUCCESS', failedRows: 1, ...counts },
    zilliant.readStatus({ status: 'SUCCEEDED' }).report,
  ).report

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

  it.each<[string, () => unknown]>([
    ['CDQ', () => cdqAnswer('FINISHED', { numberOfFailed: count })],
    ['micro', () => microAnswer('complete', { failed: count })],
    ['FullStory', () => fullstoryAnswer('FAILED', { imports: count })],
    ['FullStory, done', () => fullstoryAnswer(' Completed', { errors: count })],
    ['Zilliant', () => zilliantReport({ failedRows: count })],
  ])('fails the last answer of %s, where it decides', (_whose, readReport) => {
    expect(readReport).toThrow(z.ZodError)
  })
})

it('leaves what is wrong beside a count an error', () => {
  expect(() => cdqAnswer('RUNNING', { numberOfFailed: -1, skipped: 'none' })).toThrow(z.ZodError)
})
