// Owns how many imports there are in each state, counted once for all pages that are opened within seconds.
import type { Clock } from '../../base/clock.ts'
import type { Database } from '../../db/client.ts'
import { countByState } from '../../imports/count.ts'

export type StateCounts = () => ReturnType<typeof countByState>

const countedForMs = 5_000

export function createStateCounts(deps: { db: Database; clock: Clock }): StateCounts {
  let last: { at: number; counts: ReturnType<typeof countByState> } | null = null
  return () => {
    const now = deps.clock.now().getTime()
    if (last !== null && Math.abs(now - last.at) < countedForMs) return last.counts
    const counts = countByState(deps)
    const mine = { at: now, counts }
    last = mine
    counts.catch(() => {
      if (last === mine) last = null
    })
    return counts
  }
}
