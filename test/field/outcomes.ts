// Owns the cases of outcomes: what isn't had, isn't whole or contradicts itself at the end, and what a final state shows.
import { expect } from 'vitest'
import { done } from './answers.ts'
import type { Answer, Row } from './play.ts'

const succeeded: Answer = { body: done.zilliant }
const partialReport: Answer = {
  on: 'summary',
  request: '2-',
  body: { status: 'PARTIAL_SUCCESS', processedRows: 93, failedRows: 7, message: '7 rows failed' },
}

const firstReports: Record<string, Partial<Answer>> = {
  'is 503, for a second': { status: 503, headers: { 'retry-after': '1' } },
  'is 404': { status: 404 },
  'is 410': { status: 410 },
  'is 400': { status: 400 },
  'is 500': { status: 500 },
  'is 403': { status: 403 },
  'is 429, for two seconds': { status: 429, headers: { 'retry-after': '2' } },
  'has nothing in it': { body: {} },
  'says that the import is running': { body: { status: 'IN_PROGRESS' } },
  'is 202 without a body': { status: 202, raw: '' },
  'is 204': { status: 204, raw: '' },
  'is HTML': { raw: '<html>' },
  'is a list': { body: [] },
  'is null': { raw: 'null' },
}

const kind = 'an outcome is whole before it is final'

const reports: Row[] = Object.entries(firstReports).map(([title, answer]) => ({
  kind,
  title: `the first report ${title}`,
  provider: 'zilliant',
  answers: [succeeded, partialReport, { on: 'summary', request: 1, ...answer } as Answer],
  expected: { state: 'partial', attention: null, rows: { failed: 7, succeeded: 93 }, lastError: null, progress: 1 },
  told: ['import.running', 'import.partial'],
  check({ connectionEvents }) {
    expect(connectionEvents).not.toContain('connection.paused')
  },
}))

/** Ends as the status says, after having asked some times. */
const never: Row[] = [
  {
    title: 'the report never comes',
    provider: 'zilliant' as const,
    answers: [succeeded, { on: 'summary' as const, status: 500 }],
    expected: { state: 'succeeded', rows: { failed: null, succeeded: null }, lastError: { code: expect.any(String) } },
  },
  {
    title: 'the report is refused for good',
    provider: 'zilliant' as const,
    answers: [succeeded, { on: 'summary' as const, status: 403 }],
    expected: { state: 'succeeded', rows: { failed: null }, lastError: { code: expect.any(String) } },
  },
  {
    title: 'the report has nothing in it for good',
    provider: 'zilliant' as const,
    answers: [succeeded, { on: 'summary' as const, body: {} }],
    expected: { state: 'succeeded', rows: { failed: null }, lastError: { code: expect.any(String) } },
  },
  {
    title: 'statistics never come',
    provider: 'cdq' as const,
    answers: [{ body: { status: 'FINISHED' } }],
    expected: { state: 'succeeded', rows: { failed: null, inserted: null }, lastError: { code: expect.any(String) } },
  },
  {
    title: 'counts never come',
    provider: 'fullstory' as const,
    answers: [{ body: { job: { status: 'COMPLETED' } } }],
    expected: { state: 'succeeded', rows: { failed: null, succeeded: null }, lastError: { code: expect.any(String) } },
  },
].map((row) => ({
  kind,
  ...row,
  told: ['import.running', 'import.succeeded'],
  check({ atS, connectionEvents }) {
    const moments = new Set(atS)
    expect(moments.size, 'it is asked at least five times').toBeGreaterThanOrEqual(5)
    expect(atS.at(-1), 'over at least a minute').toBeGreaterThanOrEqual(59)
    expect(atS.at(-1), 'and ten minutes at most').toBeLessThanOrEqual(601)
    expect(connectionEvents).toEqual([])
  },
}))

const statistics = {
  numberOfInserts: 10,
  numberOfUpdates: 0,
  numberOfFailed: 3,
  skipped: [{ line: 4, column: 1 }],
}
const microRows = [
  { id: 'a' },
  { error: { code: 'x', message: 'bad' } },
  { id: 'b' },
  { error: { code: 'y', message: 'worse' } },
]
const microDone = { status: 'complete', total: 4, processed: 4, succeeded: 2, failed: 2 }

const later: Row[] = [
  {
    kind,
    title: 'statistics come three seconds after the status',
    provider: 'cdq',
    answers: [
      { body: { status: 'FINISHED' } },
      { afterMs: 3_000, body: { status: 'FINISHED', result: { statistics } } },
    ],
    expected: { state: 'partial', rows: { failed: 3, inserted: 10 }, details: { skippedLines: 1, state: 'complete' } },
  },
  {
    kind,
    title: 'statistics come without their counts at first',
    provider: 'cdq',
    answers: [
      { body: { status: 'FINISHED', result: { statistics: {} } } },
      { afterMs: 3_000, body: { status: 'FINISHED', result: { statistics } } },
    ],
    expected: { state: 'partial', rows: { failed: 3, inserted: 10 }, details: { skippedLines: 1, state: 'complete' } },
  },
  {
    kind,
    title: 'results come three seconds after the counts',
    provider: 'micro',
    answers: [{ body: microDone }, { afterMs: 3_000, body: { ...microDone, results: microRows } }],
    expected: { state: 'partial', rows: { failed: 2 }, details: { rowResults: 4, state: 'complete' } },
    check({ events }) {
      expect(events).toContain('import.rows_collected')
    },
  },
  {
    kind,
    title: 'counts come three seconds after the status',
    provider: 'micro',
    answers: [
      { body: { status: 'complete', total: 4 } },
      { afterMs: 3_000, body: { ...microDone, results: microRows } },
    ],
    expected: { state: 'partial', rows: { failed: 2, succeeded: 2 }, details: { rowResults: 4, state: 'complete' } },
  },
  {
    kind,
    title: 'counts come three seconds after the status',
    provider: 'fullstory',
    answers: [
      { body: { job: { status: 'COMPLETED' } } },
      { afterMs: 3_000, body: { imports: 10, errors: 3, job: { status: 'COMPLETED' } } },
      { on: 'details', body: { results: ['a', 'b', 'c'].map((uid) => ({ user: { uid }, message: 'x' })) } },
    ],
    expected: { state: 'partial', rows: { failed: 3, succeeded: 10 }, details: { rowResults: 3, state: 'complete' } },
  },
]

const contradictions: Row[] = [
  {
    title: 'a row failed, and none is counted',
    provider: 'micro' as const,
    answers: [
      {
        body: {
          ...{ status: 'complete', total: 2, processed: 2, succeeded: 1, failed: 0 },
          results: [{ id: 'a' }, { error: { code: 'bad' } }],
        },
      },
    ],
    expected: { state: 'partial', details: { rowResults: 2, state: 'complete' } },
  },
  {
    title: 'a report of success has failed rows',
    provider: 'zilliant' as const,
    answers: [succeeded, { on: 'summary' as const, body: { status: 'SUCCESS', processedRows: 5, failedRows: 3 } }],
    expected: { state: 'partial', rows: { failed: 3, succeeded: 5 } },
  },
  {
    title: 'a line was skipped, and none failed',
    provider: 'cdq' as const,
    answers: [{ body: { status: 'FINISHED', result: { statistics: { ...statistics, numberOfFailed: 0 } } } }],
    expected: { state: 'partial', rows: { failed: 0, skipped: 1 } },
  },
  {
    title: 'a job is completed with errors',
    provider: 'fullstory' as const,
    answers: [
      { body: { imports: 1, errors: 1, job: { status: 'COMPLETED' } } },
      { on: 'details' as const, body: { results: [{ user: { uid: 'a' }, message: 'x' }] } },
    ],
    expected: { state: 'partial', rows: { failed: 1 }, details: { rowResults: 1, state: 'complete' } },
  },
].map((row) => ({ kind: 'a contradiction is resolved against success', ...row }))

const finals: Row[] = [
  {
    title: 'FINISHED says no progress after 60 %',
    provider: 'cdq' as const,
    answers: [
      { body: { status: 'RUNNING', progress: 60 } },
      {
        afterMs: 1_500,
        body: { status: 'FINISHED', result: { statistics: { ...statistics, skipped: [], numberOfFailed: 0 } } },
      },
    ],
    expected: { state: 'succeeded', progress: 1 },
  },
  {
    title: 'FINISHED says 97 %',
    provider: 'cdq' as const,
    answers: [{ body: { ...done.cdq, progress: 97 } }],
    expected: { state: 'succeeded', progress: 1 },
  },
  {
    title: 'a failed job keeps no counts of an earlier answer',
    provider: 'micro' as const,
    answers: [
      { body: { status: 'processing', total: 10, processed: 6, succeeded: 6, failed: 0 } },
      { afterMs: 1_500, body: { status: 'failed', total: 10, error: { code: 'x', message: 'broken' } } },
    ],
    expected: { state: 'failed', rows: { processed: null, succeeded: null, failed: null } },
  },
  {
    title: 'a failed job keeps no counts of an earlier answer',
    provider: 'cdq' as const,
    answers: [
      {
        body: {
          status: 'RUNNING',
          progress: 60,
          result: { statistics: { numberOfInserts: 5, numberOfUpdates: 1, numberOfFailed: 1 } },
        },
      },
      { afterMs: 1_500, body: { status: 'FAILED' } },
    ],
    expected: { state: 'failed', rows: { inserted: null, updated: null, failed: null } },
  },
].map((row) => ({ kind: 'final states have final values', ...row }))

export const outcomeRows: readonly Row[] = [...reports, ...never, ...later, ...contradictions, ...finals]
