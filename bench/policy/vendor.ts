// Owns the simulated vendor: it knows when each import truly ends, and what progress it shows until then.
import type { Family } from './families.ts'
import type { Random } from './random.ts'

const tick = 0.05

export interface Job {
  startedAt: number
  durationMs: number
  /** Spreads calls: each import's own, 0 to 1. */
  phase: number
  /** Null: the vendor shows none. */
  progressAt: ((elapsedMs: number) => number) | null
}

export type ProgressKind = 'stalling' | 'even' | 'jumping' | 'backwards'

export interface Sample {
  family: Family
  jobs: readonly Job[]
}

/** Imports that begin at random, on average two typical durations apart but never under an hour's tenth. */
export function drawJobs(family: Family, count: number, random: Random, progress: ProgressKind | null): Sample {
  const apartMs = Math.max(2 * family.typicalMs, (42 * 86_400_000) / count)
  let startedAt = 0
  const jobs = Array.from({ length: count }, () => {
    startedAt += -Math.log(random.even()) * apartMs
    const durationMs = family.draw(random, startedAt)
    const phase = random.even()
    return { startedAt, durationMs, phase, progressAt: progress && drawProgress(progress, durationMs, random) }
  })
  return { family, jobs }
}

/**
 * Progress in steps of 5 %, non-linear in time. Stalling: 30 % of the imports stand still for a tenth to half of their
 * time. Jumping: a step may leap to anywhere ahead, and 100 % comes before the end. Backwards: a third start over once.
 */
function drawProgress(kind: ProgressKind, durationMs: number, random: Random): (elapsedMs: number) => number {
  const power = kind === 'even' ? 1 : Math.exp(0.3 * random.normal())
  const stall = kind !== 'even' && random.even() < 0.3 ? 0.1 + 0.4 * random.even() : 0
  const stallFrom = random.even() * (1 - stall)
  const leaps = Array.from({ length: 4 }, () => random.even()).sort((a, b) => a - b)
  const fullFrom = kind === 'jumping' ? 0.8 + 0.2 * random.even() : 1
  const backAt = kind === 'backwards' && random.even() < 0.33 ? 0.3 + 0.4 * random.even() : 2
  return (elapsedMs) => {
    const share = elapsedMs / durationMs
    const moved = share < stallFrom ? share : Math.max(share - stall, stallFrom)
    let done = (moved / (1 - stall)) ** power
    if (kind === 'jumping') {
      const leap = leaps.findLast((at) => at <= share) ?? 0
      done = share >= fullFrom ? 1 : Math.max(0.6 * done, 0.9 * leap)
    }
    if (share > backAt) done = (share - backAt) / (1 - backAt)
    return Math.min(Math.floor(done / tick + 1e-9) * tick, kind === 'jumping' && share >= fullFrom ? 1 : 1 - tick)
  }
}
