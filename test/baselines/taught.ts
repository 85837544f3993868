// Owns baselines as a number of ended imports make them.
import { type Baseline, baselineOf } from '../../src/baselines/baseline.ts'
import { type Finished, type History, learn, noHistory } from '../../src/baselines/history.ts'

const firstAt = Date.UTC(2026, 0, 1)
const hourMs = 3_600_000

/** The history with one more import. */
export function learnt(history: History, finished: Finished): History {
  return learn(history, baselineOf(history), finished)
}

/** What is known of imports that took so long, one after the other. */
export function taughtHistory(durationsMs: readonly number[]): History {
  return durationsMs.reduce<History>((history, durationMs, index) => {
    const startedAt = firstAt + index * 4 * hourMs + ((index * index * 104_729) % hourMs) // at no hour of the clock
    return learnt(history, { startedAt, endedAt: startedAt + durationMs, uncertainMs: 0, progressChanges: [] })
  }, noHistory)
}

export function taught(durationsMs: readonly number[]): Baseline {
  return baselineOf(taughtHistory(durationsMs))
}
