import { expect, test } from 'vitest'
import { waiting } from '../../src/http/pages/delivery-waiting.ts'

const now = new Date('2026-11-26T12:00:00.000Z')
const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000).toISOString()
const healthy = { failingSince: null, nextProbeAt: null, blockedUntil: null }
const failing = { ...healthy, failingSince: at(-60), nextProbeAt: at(32) }

test.each([
  ['waits for its time', 40, healthy, 'waiting: attempt in 40 s'],
  ['is due', -3, healthy, 'waiting: attempt due 3 s ago'],
  ['is due, its endpoint deleted', 0, null, 'waiting: attempt due now'],
  ['was just asked for at a failing endpoint', -1, failing, 'waiting: attempt due 1 s ago'],
  ['is held back', -5, failing, 'waiting: its endpoint is failing, and is tried again in 32 s'],
  ['waits for its time longer than its endpoint', 90, failing, 'waiting: attempt in 1 min'],
  ['is due where the endpoint is', -5, { ...failing, nextProbeAt: at(-1) }, 'waiting: attempt due 5 s ago'],
  [
    'waits for its receiver',
    -1,
    { ...healthy, blockedUntil: at(20) },
    'waiting: its receiver asked for a pause, and is tried again in 20 s',
  ],
])('a delivery that %s says so', (_, seconds, endpoint, text) => {
  const delivery = { state: 'pending' as const, nextAttemptAt: at(seconds) }
  const said = waiting({ delivery, attempts: [], endpoint, now })?.text ?? ''
  expect(said.replaceAll(/<[^>]+>/g, '')).toBe(text)
})

test('a delivery that waits for none says nothing', () => {
  const over = { state: 'delivered' as const, nextAttemptAt: null }
  expect(waiting({ delivery: over, attempts: [], endpoint: failing, now })).toBeNull()
})
