// Owns how often something may happen for a key: a number of times a second, and a number at once.
import type { Clock } from '../base/clock.ts'

export interface Allowances {
  /** Takes one. Returns null if the allowance had one, otherwise in how many seconds it will. */
  take(key: string): number | null
}

/** More keys than a company has tokens or addresses. Beyond it, the keys unused for longest start afresh. */
const maxKeys = 10_000
const roundingMs = 1e-3

/**
 * Creates allowances. Each key's allowance refills at `perSecond`, up to `atOnce`. One number a key is stored: when its
 * allowance is full again (the generic cell rate algorithm).
 */
export function createAllowances(options: { clock: Clock; perSecond: number; atOnce: number }): Allowances {
  const { clock, perSecond, atOnce } = options
  const intervalMs = 1_000 / perSecond
  const fullMs = intervalMs * atOnce
  let fullAt = new Map<string, number>()
  /** The keys unused since `fullAt` was begun. */
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
      // It can't be later, unless the clock was ahead.
      const at = Math.min(Math.max(fullAt.get(key) ?? older.get(key) ?? now, now), now + fullMs)
      const overMs = at + intervalMs - now - fullMs
      keep(key, overMs > roundingMs ? at : at + intervalMs)
      return overMs > roundingMs ? Math.max(1, Math.ceil(overMs / 1_000)) : null
    },
  }
}
