import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAllowances } from '../../src/http/allowances.ts'
import { manualClock } from '../support/clock.ts'

test('whatever the times, no more is allowed than at once and a second', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), steps, (perSecond, atOnce, waits) => {
      const clock = manualClock()
      const allowances = createAllowances({ clock, perSecond, atOnce })
      let [allowed, passedMs] = [0, 0]
      for (const ms of waits) {
        clock.advance(ms)
        passedMs += ms
        if (allowances.take('key') === null) allowed++
        expect(allowed).toBeLessThanOrEqual(atOnce + (passedMs * perSecond) / 1_000 + 0.01)
      }
    }),
  )
})

test('what it says to wait is enough', () => {
  const clock = manualClock()
  const allowances = createAllowances({ clock, perSecond: 0.25, atOnce: 1 })
  expect(allowances.take('key')).toBeNull()
  expect(allowances.take('key')).toBe(4)
  clock.advance(4_000)
  expect(allowances.take('key')).toBeNull()
})

test('a busy key is remembered among any number of others', () => {
  const allowances = createAllowances({ clock: manualClock(), perSecond: 1, atOnce: 1 })
  allowances.take('busy')
  for (let number = 0; number < 100_000; number++) {
    allowances.take(`key-${number}`)
    if (number % 1_000 === 0) expect(allowances.take('busy')).toBe(1)
  }
})
