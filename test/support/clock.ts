// Owns the time in tests: it passes when a test says so.
import { after, type Clock } from '../../src/base/clock.ts'

export interface ManualClock extends Clock {
  advance(ms: number): void
  set(now: Date): void
}

export function manualClock(start: Date | string = '2026-03-01T12:00:00.000Z'): ManualClock {
  let now = new Date(start)
  return {
    now: () => new Date(now),
    advance(ms) {
      now = after(now, ms)
    },
    set(next) {
      now = new Date(next)
    },
  }
}
