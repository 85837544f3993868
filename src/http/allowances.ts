// Owns how often something may happen: so many times a second for each key, and so many at once.
import type { Clock } from '../clock.ts'

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
  const fullAt = new Map<string, number>()
  return {
    take(key) {
      const now = clock.now().getTime()
      // Later than that it can't be, unless the clock was ahead.
      const at = Math.min(Math.max(fullAt.get(key) ?? now, now), now + fullMs)
      const overMs = at + intervalMs - now - fullMs
      if (overMs > roundingMs) {
        fullAt.set(key, at)
        return Math.max(1, Math.ceil(overMs / 1_000))
      }
      fullAt.delete(key) // the order of the keys is that of their use
      fullAt.set(key, at + intervalMs)
      if (fullAt.size > maxKeys) for (const [quietest] of fullAt) return forget(quietest)
      return null
    },
  }

  function forget(key: string): null {
    fullAt.delete(key)
    return null
  }
}
