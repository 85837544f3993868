// Owns how often something may happen: so many times a second for each key, and so many at once.
import type { Clock } from '../base/clock.ts'

export interface Allowances {
  /** Takes one. Returns null where there was one, else in how many seconds there will be. */
  take(key: string): number | null
}

/** More keys than anybody's tokens or an office's addresses; beyond, those that were quiet longest start anew. */
const maxKeys = 10_000
const roundingMs = 1e-3

/**
 * A key's allowance refills at `perSecond`, up to `atOnce`. Kept is one number a key: the time at which its allowance is
 * full again (the generic cell rate algorithm).
 */
export function createAllowances(options: { clock: Clock; perSecond: number; atOnce: number }): Allowances {
  const { clock, perSecond, atOnce } = options
  const intervalMs = 1_000 / perSecond
  const fullMs = intervalMs * atOnce
  let fullAt = new Map<string, number>()
  /** The keys that weren't used since `fullAt` was begun. */
  let older = new Map<string, number>()

  function keep(key: string, at: number): void {
    fullAt.set(key, at)
    if (fullAt.size < maxKeys / 2) return
    older = fullAt
    fullAt = new Map()
  }

  return {
    take(key) {
      const now = clock.now().getTime()
      // Later than that it can't be, unless the clock was ahead.
      const at = Math.min(Math.max(fullAt.get(key) ?? older.get(key) ?? now, now), now + fullMs)
      const overMs = at + intervalMs - now - fullMs
      keep(key, overMs > roundingMs ? at : at + intervalMs)
      return overMs > roundingMs ? Math.max(1, Math.ceil(overMs / 1_000)) : null
    },
  }
}
