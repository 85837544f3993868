// Owns the cases of times: those that can't be, how they are spelt, and clocks that are wrong.
import { expect } from 'vitest'
import { butAt, endingWell, providers, running, timeField, withFields } from './answers.ts'
import type { Row } from './play.ts'

const sentinels = [
  '0001-01-01T00:00:00Z',
  '1970-01-01T00:00:00Z',
  '1900-01-01T00:00:00Z',
  '1999-12-31T23:59:59Z',
  '<now+1d>',
]
const spellings: Record<string, string> = {
  'with an offset': '2026-02-28T14:00:00+02:00',
  'with its zone': '2026-02-28T14:00:00+02:00[Europe/Berlin]',
  'in milliseconds': '1772280000000',
}

const times: Row[] = providers.flatMap((provider): Row[] => {
  const { field, shown } = timeField[provider]
  const answersWith = (value: string) =>
    endingWell(provider).map((one) =>
      one.on === 'summary' ? one : { ...one, body: withFields(provider, one.body as object, { [field]: value }) },
    )
  return [
    ...sentinels.map(
      (value): Row => ({
        kind: 'times that cannot be are none',
        title: value,
        provider,
        answers: answersWith(value),
        expected: { state: 'succeeded', [shown]: null },
        async check({ sql }) {
          const [row] = await sql('SELECT total_s, queued_s FROM reporting.imports WHERE import_id = $1')
          expect(row?.total_s).toBeLessThan(60)
        },
      }),
    ),
    ...Object.entries(spellings).map(
      ([title, value]): Row => ({
        kind: 'times are read as they are meant',
        title,
        provider,
        answers: answersWith(value),
        expected: { state: 'succeeded', [shown]: '2026-02-28T12:00:00.000Z' },
      }),
    ),
  ]
})

const skews = ['+1h', '-1h', '+3d'] as const

const clocks: Row[] = providers.flatMap((provider) =>
  skews.flatMap((skew): Row[] => [
    {
      kind: 'absolute times are compared with the answer’s own Date',
      title: `429 from a clock at ${skew}, for ten seconds`,
      provider,
      answers: butAt(provider, 2, {
        status: 429,
        headers: { date: `<now${skew}>`, 'retry-after': `<now${skew}+10s>` },
      }),
      expected: { state: 'succeeded' },
      check({ atS: [, second = 0, third = 0] }) {
        expect(third - second).toBeGreaterThanOrEqual(9)
        expect(third - second).toBeLessThan(13)
      },
    },
    {
      kind: 'absolute times are compared with the answer’s own Date',
      title: `a clock at ${skew} makes neither many polls nor few`,
      provider,
      limits: { minIntervalMs: 1_000, maxIntervalMs: 120_000 },
      forMs: 460_000,
      answers: [
        {
          headers: { date: `<now${skew}>` },
          body: withFields(
            provider,
            // Without progress, which would tell how often to ask.
            provider === 'cdq'
              ? { status: 'RUNNING' }
              : provider === 'micro'
                ? { status: 'processing' }
                : running[provider],
            { [timeField[provider].field]: `<created${skew}>` },
          ),
        },
      ],
      expected: { state: 'running' },
      check({ requests }) {
        expect(requests.length).toBeGreaterThanOrEqual(15)
        expect(requests.length).toBeLessThanOrEqual(30)
      },
    },
  ]),
)

export const timeRows: readonly Row[] = [...times, ...clocks]
