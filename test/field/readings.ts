// Owns the cases of how answers are read: digits, words, numbers that are none, and what is a change.
import { expect } from 'vitest'
import { done, endingWell, providers, report, running, withFields } from './answers.ts'
import type { Row } from './play.ts'

const digits: Row[] = [
  ...providers.map(
    (provider): Row => ({
      kind: 'digits stay digits',
      title: 'a number in the body beyond what a double holds',
      provider,
      answers: [
        ...endingWell(provider),
        {
          request: 1,
          raw: JSON.stringify(withFields(provider, running[provider], { ref: '@' })).replace(
            '"@"',
            '12345678901234567890.10',
          ),
        },
      ],
      expected: { state: 'succeeded' },
      async check({ sql }) {
        const [first] = await sql(`SELECT body::text AS body FROM snapshots WHERE import_id = $1 ORDER BY id LIMIT 1`)
        expect(first?.body).toContain('12345678901234567890.10')
      },
    }),
  ),
  {
    kind: 'digits stay digits',
    title: 'ids of records and a numeric cursor',
    provider: 'fullstory',
    answers: [
      { raw: '{"imports":0,"errors":2,"job":{"status":"FAILED"}}' },
      {
        on: 'details',
        raw: '{"results":[{"user":{"uid":17841400000000001},"message":"x"}],"next_page_token":9007199254740993}',
      },
      {
        on: 'details',
        url: 'page_token',
        raw: '{"results":[{"event":{"user":{"uid":17841400000000003}},"message":"y"}]}',
      },
    ],
    expected: { state: 'failed', details: { state: 'complete', rowResults: 2 } },
    async check({ list, requests }) {
      const rows = await list('row-results')
      expect(rows.map(({ recordId }) => recordId)).toEqual(['17841400000000001', '17841400000000003'])
      expect(requests.at(-1)?.cursor).toBe('9007199254740993')
    },
  },
  {
    kind: 'digits stay digits',
    title: 'ids of records',
    provider: 'micro',
    answers: [
      {
        raw: '{"status":"complete","total":1,"processed":1,"succeeded":1,"failed":0,"results":[{"id":17841400000000003}]}',
      },
    ],
    expected: { state: 'succeeded', details: { rowResults: 1 } },
    async check({ list }) {
      expect((await list('row-results'))[0]?.recordId).toBe('17841400000000003')
    },
  },
  {
    kind: 'digits stay digits',
    title: 'a numeric cursor',
    provider: 'cdq',
    answers: [
      {
        raw: '{"status":"FINISHED","result":{"statistics":{"numberOfInserts":0,"numberOfUpdates":0,"numberOfFailed":0,"skipped":[{"line":1,"column":1}],"skippedNextStartAfter":9007199254740993}}}',
      },
      {
        on: 'details',
        raw: '{"status":"FINISHED","result":{"statistics":{"skipped":[{"line":2,"column":1}]}}}',
      },
    ],
    expected: { state: 'partial', details: { state: 'complete', skippedLines: 2 } },
    check({ requests }) {
      expect(requests.at(-1)?.cursor).toBe('9007199254740993')
    },
  },
]

const forAWhile = { forMs: 40_000, limits: { minIntervalMs: 1_000, maxIntervalMs: 1_000 } }

const changes: Row[] = providers.flatMap((provider): Row[] => [
  {
    kind: 'the raw body alone makes no change',
    title: 'keys come in another order each time',
    provider,
    ...forAWhile,
    answers: [
      { shuffled: true, body: withFields(provider, running[provider], { a: 1, b: [{ c: 1, d: 2 }], e: null }) },
    ],
    expected: { state: 'running' },
    async check({ list }) {
      const snapshots = await list('snapshots')
      expect(snapshots).toHaveLength(1)
      expect(snapshots[0]?.polls).toBeGreaterThan(20)
    },
  },
  ...['"<uuid>"', '{"at": "<now>", "n": <now:ms>}'].map(
    (moving): Row => ({
      kind: 'the raw body alone makes no change',
      title: `${moving} moves with every answer`,
      provider,
      ...forAWhile,
      answers: [
        {
          raw: JSON.stringify(withFields(provider, running[provider], { moving: '@' })).replace('"@"', moving),
        },
      ],
      expected: { state: 'running' },
      async check({ list, import: { polls } }) {
        expect(polls).toBeGreaterThan(20)
        expect((await list('snapshots')).length).toBeLessThanOrEqual(8)
      },
    }),
  ),
])

const capital: Record<string, (word: string) => string> = {
  'in other case': (word) => word[0]?.toUpperCase() + word.slice(1).toLowerCase(),
  'with outer blanks': (word) => ` ${word}\t`,
}
const words: Row[] = providers.flatMap((provider) =>
  Object.entries(capital).map(([title, change]): Row => {
    const { status } = (provider === 'fullstory' ? done.fullstory.job : done[provider]) as { status: string }
    return {
      kind: 'words are meant',
      title: `the last status ${title}`,
      provider,
      answers: [
        { body: running[provider] },
        { afterMs: 1_000, body: withFields(provider, done[provider], { status: change(status) }) },
        ...(provider === 'zilliant' ? [report] : []),
      ],
      expected: { state: 'succeeded', attention: null },
    }
  }),
)

const unknowns: Row[] = [
  {
    title: 'a total of -1 while it runs',
    provider: 'micro' as const,
    answers: [{ body: { status: 'processing', total: -1, processed: 0 } }, { afterMs: 4_000, body: done.micro }],
    expected: { state: 'succeeded', rows: { total: 1 } },
  },
  {
    title: 'counts of -1 while it runs',
    provider: 'cdq' as const,
    answers: [
      {
        body: { status: 'RUNNING', progress: -1, result: { statistics: { numberOfInserts: -1, numberOfFailed: -1 } } },
      },
      { afterMs: 4_000, body: done.cdq },
    ],
    expected: { state: 'succeeded', rows: { inserted: 10 } },
  },
  {
    title: 'counts of -1 while it runs',
    provider: 'fullstory' as const,
    answers: [
      { body: { imports: -1, errors: -1, job: { status: 'PROCESSING' } } },
      { afterMs: 4_000, body: done.fullstory },
    ],
    expected: { state: 'succeeded', rows: { succeeded: 10 } },
  },
  {
    title: 'a progress that is NaN',
    provider: 'cdq' as const,
    answers: [{ raw: JSON.stringify({ ...done.cdq, progress: '@' }).replace('"@"', 'NaN') }],
    expected: { state: 'succeeded', progress: 1 },
  },
  {
    title: 'a number that is Infinity',
    provider: 'zilliant' as const,
    answers: [{ raw: '{"status":"SUCCEEDED","weight":-Infinity}' }, report],
    expected: { state: 'succeeded' },
  },
].map((row) => ({
  kind: 'what decides nothing may be unknown',
  ...row,
  check({ events }) {
    if (row.answers.length > 1 && row.provider !== 'zilliant') expect(events).toContain('import.running')
  },
}))

export const readingRows: readonly Row[] = [...digits, ...changes, ...words, ...unknowns]
