import { expect, test } from 'vitest'
import type { Followed } from '../../src/demo/register.ts'
import type { Expected } from '../../src/demo/scenarios.ts'
import { medianDelayMs, problemsOf } from '../../src/demo/verdict.ts'
import { line } from './line.ts'

const expected: Expected = { state: 'succeeded', lostReason: null, skippedLines: 0, rowResults: 0, attention: null }

test('an import that ended as expected and was told once is no problem', () => {
  const one = followed({ state: 'succeeded' })
  expect(problemsOf({ followed: [one], deliveries: [], ...told(one, 'import.succeeded') })).toEqual([])
})

test('each thing that is not as expected is named', () => {
  const one = followed(
    { state: 'partial', details: 'complete', skippedLines: 3 },
    { skippedLines: 4, attention: 'stalled' },
  )
  expect(problemsOf({ followed: [one], deliveries: [], ...told(one, 'import.partial') })).toEqual([
    'cdq "one": state is partial instead of succeeded',
    'cdq "one": skipped lines is 3 instead of 4',
    'cdq "one": never showed stalled',
    'cdq "one": 0 webhooks import.rows_collected instead of 1',
  ])
})

test('an import that is not over, a webhook that did not come, and a wrong signature are problems', () => {
  const one = followed({ state: 'running' })
  const deliveries = [{ eventId: 'e-2', type: 'import.running', state: 'pending' }] as const
  expect(problemsOf({ followed: [one], deliveries, events: new Map(), refused: 2 })).toEqual([
    'cdq "one": is still running (details: none)',
    'webhook import.running e-2 was not delivered (pending)',
    '2 webhooks had a wrong signature',
  ])
})

test('the delay is the median of those whose true end is known', () => {
  const ends = [100, 300, 900, 500].map((ms) => followed({ finishedAt: ms }, {}, 0))
  expect(medianDelayMs([...ends, followed({ finishedAt: 9_000 })])).toBe(400)
  expect(medianDelayMs([])).toBeNull()
})

function followed(
  given: Parameters<typeof line>[1],
  expectation: Partial<Expected> = {},
  trueEndMs?: number,
): Followed {
  return {
    scenario: { connection: 'cdq', title: 'one', script: {}, expected: { ...expected, ...expectation } },
    import: line('one', given).import,
    trueEnd: trueEndMs === undefined ? null : new Date(trueEndMs),
    attentions: new Set(),
  }
}

function told(one: Followed, type: string) {
  return { events: new Map([['e-1', { id: 'e-1', type, importId: one.import.id, times: 1 }]]), refused: 0 }
}
