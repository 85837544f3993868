// Owns the cases of calls that are refused: whose affair a 401 or 403 is, what is a wait, and when a 404 is believed.
import { expect } from 'vitest'
import { butAt, endingWell, providers, running } from './answers.ts'
import { failedWith, fsComplete, fsFirst, fsSecond } from './pages.ts'
import type { Answers, Played, Row } from './play.ts'

const steady = { minIntervalMs: 10_000, maxIntervalMs: 10_000, maxInFlight: 20 }
const others = <T>(value: T) => [value, value, value]

const oneForbidden: Row[] = providers.map((provider) => ({
  kind: 'a 403 is the affair of its import',
  title: 'one of four is forbidden, and the others are polled on',
  provider,
  answers: [{ status: 403 }],
  beside: others<Answers>([{ body: running[provider] }]),
  limits: steady,
  forMs: 8 * 60_000,
  expected: { state: 'pending', attention: 'forbidden', lastError: { code: 'forbidden' } },
  check({ beside, connectionEvents }) {
    expect(connectionEvents.length, 'at most one event of the connection').toBeLessThanOrEqual(1)
    for (const { requests } of beside) expect(requests.length).toBeGreaterThan(30)
  },
}))

const allForbidden: Row[] = providers.map((provider) => ({
  kind: 'a 403 is the affair of its import',
  title: 'all are forbidden, for five minutes: the connection is paused once, and resumes by itself',
  provider,
  answers: [{ status: 403 }, ...endingWell(provider).map((answer) => ({ afterMs: 300_000, ...answer }))],
  beside: others<Answers>([{ status: 403 }, { afterMs: 300_000, body: running[provider] }]),
  limits: steady,
  withinMs: 20 * 60_000,
  expected: { state: 'succeeded', attention: null, lastError: null },
  check({ connection, connectionEvents }) {
    expect(connection).toMatchObject({ pausedAt: null, pauseReason: null })
    expect(connectionEvents).toEqual(['connection.paused', 'connection.resumed'])
  },
}))

const waits: Row[] = providers.flatMap((provider) =>
  [403, 429, 503].map(
    (status): Row => ({
      kind: 'a refusal that says how long is a wait',
      title: `${status} with Retry-After: 5`,
      provider,
      answers: butAt(provider, 2, { status, headers: { 'retry-after': '5' } }),
      beside: [[{ body: running[provider] }]],
      expected: { state: 'succeeded', attention: null },
      told: ['import.running', 'import.succeeded'],
      check({ atS: [, second = 0, third = 0], requests, beside, connectionEvents, failedCalls }) {
        expect(Object.values(failedCalls), 'each failed call is counted').toEqual([1])
        expect(third - second).toBeGreaterThanOrEqual(5)
        expect(third - second).toBeLessThan(7)
        expect(connectionEvents).toEqual([])
        // The whole connection waits, not this import alone.
        const from = requests[1]?.at.getTime() ?? 0
        const asked = beside[0]?.requests.filter(({ at }) => at.getTime() > from && at.getTime() < from + 5_000)
        expect(asked).toEqual([])
      },
    }),
  ),
)

const notFound: Row[] = providers.flatMap((provider) => {
  const kind = 'a job that is not there yet is not lost'
  const rows: Row[] = [404, 410].map((status) => ({
    kind,
    title: `${status} twice, right after it was registered`,
    provider,
    answers: butAt(provider, '1-2', { status }),
    expected: { state: 'succeeded' },
    told: ['import.running', 'import.succeeded'],
  }))
  const forGood: Row = {
    kind,
    title: '404 for good',
    provider,
    answers: [{ status: 404 }],
    expected: { state: 'lost', lostReason: 'not_found' },
    told: ['import.lost'],
    check({ atS, failedCalls }) {
      expect(failedCalls).toEqual({ 'status not_found': atS.length })
      expect(atS.length).toBeGreaterThanOrEqual(3)
      expect(atS.at(-1)).toBeGreaterThanOrEqual(10)
      expect(atS.at(-1)).toBeLessThanOrEqual(65)
    },
  }
  return [...rows, forGood]
})

const refusedAccounts: Row[] = [
  ...providers.map(
    (provider): Row => ({
      kind: 'a 401 pauses the connection, with a way out',
      title: 'polls probe',
      provider,
      answers: [...endingWell(provider, 300_000), { status: 401 }, ...endingWell(provider, 300_000).slice(1)],
      beside: [[{ status: 401 }, { afterMs: 290_000, body: running[provider] }]],
      withinMs: 20 * 60_000,
      expected: { state: 'succeeded', lastError: null },
      check: resumed,
    }),
  ),
  {
    kind: 'a 401 pauses the connection, with a way out',
    title: 'collections probe, where nothing else is live',
    provider: 'fullstory',
    answers: [failedWith(3), fsFirst, fsSecond, { on: 'details', request: '1-2', status: 401 }],
    withinMs: 20 * 60_000,
    expected: fsComplete,
    check: resumed,
  },
]

function resumed({ connection, connectionEvents }: Played): void {
  expect(connection).toMatchObject({ pausedAt: null, pauseReason: null })
  expect(connectionEvents).toEqual(['connection.paused', 'connection.resumed'])
}

const details403: Row = {
  kind: 'a 403 is the affair of its import',
  title: 'the rows alone are forbidden once, and nobody else probes',
  provider: 'fullstory',
  answers: [failedWith(3), fsFirst, fsSecond, { on: 'details', request: 1, status: 403 }],
  beside: [[{ body: running.fullstory }]],
  expected: fsComplete,
  check({ connectionEvents, beside: [other] }) {
    expect(connectionEvents).toEqual([])
    expect(other?.import).toMatchObject({ state: 'running', lastError: null })
  },
}

export const refusalRows: readonly Row[] = [
  ...oneForbidden,
  ...allForbidden,
  ...waits,
  ...notFound,
  ...refusedAccounts,
  details403,
]
