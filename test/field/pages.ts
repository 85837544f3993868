// Owns the cases of lists of rows: pages that aren't any, cursors that are refused, and rows that never come.
import { expect } from 'vitest'
import type { Answer, Row } from './play.ts'

const results = (...uids: (string | number)[]) => uids.map((uid) => ({ user: { uid }, message: 'bad' }))
export const failedWith = (errors: number): Answer => ({ body: { imports: 0, errors, job: { status: 'FAILED' } } })
const skipped = (...lines: number[]) => lines.map((line) => ({ line, column: 1 }))
const finished = (statistics: object): Answer => ({
  body: JSON.parse(JSON.stringify({ status: 'FINISHED', result: { statistics } })),
})
const cdqFirst = finished({ numberOfFailed: 0, skipped: skipped(1, 2), skippedNextStartAfter: '2' })
const cdqSecond: Answer = { ...finished({ numberOfFailed: 0, skipped: skipped(3, 4) }), on: 'details' }
export const fsFirst: Answer = {
  on: 'details',
  body: { results: results('a', 'b'), total_records: '3', next_page_token: 't1' },
}
export const fsSecond: Answer = {
  on: 'details',
  url: 'page_token=t1',
  body: { results: results('c'), total_records: '3' },
}

export const fsComplete = { state: 'failed', details: { state: 'complete', rowResults: 3, lastError: null } }
const cdqComplete = {
  state: 'partial',
  rows: { skipped: 4 },
  details: { state: 'complete', skippedLines: 4, lastError: null },
}

const onceWrong: Record<string, Omit<Answer, 'on'>> = {
  'says that it timed out': { body: { error: 'upstream timeout' } },
  'is empty': { body: { results: [], total_records: '3' } },
  'is {}': { body: {} },
  'is forbidden': { status: 403 },
  'is 400': { status: 400 },
  'is 500': { status: 500 },
  'is HTML': { raw: '<html>' },
}

const pages: Row[] = [
  ...Object.entries(onceWrong).flatMap(([title, answer]): Row[] => [
    {
      kind: 'a page that is not one does not end the list',
      title: `the second page ${title} once`,
      provider: 'fullstory',
      answers: [failedWith(3), fsFirst, fsSecond, { ...answer, on: 'details', request: 2 }],
      expected: fsComplete,
    },
    {
      kind: 'a page that is not one does not end the list',
      title: `the first page ${title} once`,
      provider: 'fullstory',
      answers: [failedWith(3), fsFirst, fsSecond, { ...answer, on: 'details', request: 1 }],
      expected: fsComplete,
    },
  ]),
  ...[finished({}), { status: 403 }, { body: { status: 'FINISHED' } }, { body: {} }, { status: 400 }].map(
    (answer, index): Row => ({
      kind: 'a page that is not one does not end the list',
      title: `the second page is wrong once, in way ${index}`,
      provider: 'cdq',
      answers: [cdqFirst, cdqSecond, { ...answer, on: 'details', request: 1 }],
      expected: cdqComplete,
    }),
  ),
].map((row) => ({
  ...row,
  check({ events, connectionEvents }) {
    expect(events.filter((type) => type === 'import.rows_collected')).toHaveLength(1)
    expect(connectionEvents).toEqual([])
  },
}))

const dayMs = 24 * 3_600_000
const patient = { minIntervalMs: 1_000, maxIntervalMs: 120_000, maxInFlight: 20 }

const gaveUp: Row[] = [
  {
    provider: 'fullstory' as const,
    title: 'is forbidden',
    answers: [failedWith(3), { ...fsFirst, status: 403, body: {} }],
  },
  {
    provider: 'fullstory' as const,
    title: 'is of another form',
    answers: [failedWith(3), fsFirst, { ...fsSecond, body: { error: 'upstream timeout' } }],
  },
  {
    provider: 'fullstory' as const,
    title: 'is refused',
    answers: [failedWith(3), fsFirst, { ...fsSecond, status: 400 }],
  },
  {
    provider: 'cdq' as const,
    title: 'is refused',
    answers: [cdqFirst, { on: 'details' as const, status: 400 }],
  },
  {
    provider: 'cdq' as const,
    title: 'is forbidden',
    answers: [cdqFirst, { on: 'details' as const, status: 403 }],
  },
].map((row) => ({
  kind: 'rows that are never had are given up, and told of',
  ...row,
  title: `a page ${row.title} for good`,
  limits: patient,
  withinMs: dayMs,
  expected: { details: { state: 'incomplete', lastError: { code: expect.any(String) } } },
  check({ events, connectionEvents, atS }) {
    expect(atS.at(-1), 'within hours').toBeLessThan(3 * 3_600)
    expect(events.at(-1)).toBe('import.rows_incomplete')
    expect(events).not.toContain('import.rows_collected')
    expect(connectionEvents).toEqual([])
  },
}))

const expired: Answer = { status: 400, body: { code: 'invalid_page_token', message: 'The page token has expired.' } }

const cdqOldFirst = finished({ numberOfFailed: 0, skipped: skipped(1, 2), skippedNextStartAfter: 'old' })
const cursors: Row[] = [
  {
    kind: 'a refused cursor begins the list anew',
    title: 'a token has expired during a wait',
    provider: 'fullstory',
    answers: [
      failedWith(3),
      { on: 'details', body: { results: results('u0', 'u1'), next_page_token: 'old' } },
      { on: 'details', request: '3-', body: { results: results('u0', 'u1'), next_page_token: 'fresh' } },
      { on: 'details', url: 'page_token=old', ...expired },
      { on: 'details', url: 'page_token=old', request: 2, status: 503, headers: { 'retry-after': '5' }, body: {} },
      { on: 'details', url: 'page_token=fresh', body: { results: results('u2') } },
    ],
    expected: fsComplete,
    async check({ list }) {
      const rows = await list('row-results')
      expect(rows.map(({ recordId }) => recordId)).toEqual(['u0', 'u1', 'u2'])
    },
  },
  {
    kind: 'a refused cursor begins the list anew',
    title: 'a cursor has expired during a wait',
    provider: 'cdq',
    answers: [
      { ...finished({ numberOfFailed: 0, skipped: skipped(1, 2), skippedNextStartAfter: 'fresh' }) },
      { ...cdqOldFirst, request: 1 },
      { on: 'details', url: '=old', status: 400 },
      { on: 'details', url: '=old', request: 1, status: 503, headers: { 'retry-after': '5' } },
      { ...cdqSecond, url: '=fresh' },
    ],
    expected: cdqComplete,
    async check({ list }) {
      const lines = await list('skipped-lines')
      expect(lines.map(({ line }) => line)).toEqual([1, 2, 3, 4])
    },
  },
]

const incompleteCount: Row = {
  kind: 'a page that is not one does not end the list',
  title: 'fewer rows than were announced, at first',
  provider: 'fullstory',
  answers: [
    failedWith(3),
    { on: 'details', body: { results: results('a', 'b', 'c') } },
    { on: 'details', request: 1, body: { results: results('a') } },
  ],
  expected: fsComplete,
}

const noErrors: Row = {
  kind: 'a page that is not one does not end the list',
  title: 'nothing announced, and nothing there',
  provider: 'fullstory',
  answers: [{ body: { imports: 0, errors: 0, job: { status: 'FAILED' } } }, { on: 'details', body: {} }],
  expected: { state: 'failed', details: { rowResults: 0 } },
}

export const pageRows: readonly Row[] = [...pages, ...gaveUp, ...cursors, incompleteCount, noErrors]
