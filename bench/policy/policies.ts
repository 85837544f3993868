// Owns the policies that are compared: each says when to ask next, and may learn from imports that ended.
import { type Baseline, baselineOf } from '../../src/baselines/baseline.ts'
import type { Prior } from '../../src/baselines/durations.ts'
import { type History, learn, noHistory } from '../../src/baselines/history.ts'
import { type ProgressChange, trackProgress } from '../../src/baselines/progress.ts'
import type { IntervalLimits } from '../../src/connections/backoff.ts'
import { nextPoll } from '../../src/polling/interval.ts'
import { checkNext } from './checks.ts'
import { nextByEarlierRule } from './earlier.ts'
import type { Family } from './families.ts'
import { planOptimum } from './optimum.ts'

export interface Asked {
  startedAt: number
  now: number
  phase: number
  calls: number
  /** Every change that was seen. */
  progressChanges: readonly ProgressChange[]
}

export interface Ended {
  startedAt: number
  endedAt: number
  lastSeenAt: number
  detectedAt: number
  progressChanges: readonly ProgressChange[]
}

export interface Policy {
  gap(asked: Asked): number
  learn?(ended: Ended): void
}

export const limits: IntervalLimits = { minIntervalMs: 2_000, maxIntervalMs: 120_000 }

export function fixed(intervalMs: number): Policy {
  return { gap: () => intervalMs }
}

export function doubling(): Policy {
  return { gap: ({ calls }) => Math.min(limits.minIntervalMs * 2 ** (calls - 1), 600_000) }
}

/**
 * Google's defaults for long-running operations: 5 s, then times 1.5, up to 45 s (googleapis, google/api/client.proto,
 * MethodSettings.LongRunning). Their end after five minutes is left out: it would lose the import.
 */
export function googleDefaults(): Policy {
  return { gap: ({ calls }) => Math.min(5_000 * 1.5 ** (calls - 1), 45_000) }
}

export function earlierRule(): Policy {
  return {
    gap({ startedAt, now, phase, progressChanges }) {
      const importId = idOf(phase)
      const kept = asKept(progressChanges)
      return nextByEarlierRule({ importId, now, startedAt, progressChanges: kept, limits }).delayMs
    },
  }
}

/** Knows the true distribution: the next call where ∫√(h/2k) reaches 1. */
export function hazardOracle({ survival, finestMs, alike }: Family, k: number): Policy {
  const stepMs = Math.min(finestMs, 1_000)
  let knownFor = Number.NaN
  /** √h of each step since the start. */
  let roots = new Map<number, number>()
  const rootAt = (step: number, startedAt: number) => {
    const before = survival(step * stepMs, startedAt)
    const after = survival((step + 1) * stepMs, startedAt)
    const hazard = before > 1e-12 ? Math.log(before / Math.max(after, 1e-12)) / stepMs : 1 / (step * stepMs)
    return Math.sqrt(Math.max(hazard, 0))
  }
  return {
    gap({ startedAt, now }) {
      if (knownFor !== alike(startedAt)) roots = new Map()
      knownFor = alike(startedAt)
      const first = Math.floor((now - startedAt) / stepMs)
      let reached = 0
      let steps = 0
      for (; steps * stepMs < limits.maxIntervalMs && reached < 1; steps++) {
        const root = roots.get(first + steps) ?? rootAt(first + steps, startedAt)
        roots.set(first + steps, root)
        reached += (root * stepMs) / Math.sqrt(2 * k)
      }
      return Math.min(Math.max(steps * stepMs, limits.minIntervalMs), limits.maxIntervalMs)
    },
  }
}

/** Knows the true distribution, and the calls that cost least: k · calls + delay. */
export function optimum(family: Family, k: number): Policy {
  return { gap: planOptimum(family, k, limits) }
}

export interface ServiceOptions {
  k: number
  /** Whether the vendor tells when an import ended; else it was between two calls. */
  told: boolean
  useHistory: boolean
  useProgress: boolean
  prior?: Prior
}

/** The service's own policy. */
export function service({ k, told, useHistory, useProgress, prior }: ServiceOptions): Policy {
  let history: History = noHistory
  let baseline: Baseline = baselineOf(history, prior ?? null)
  return {
    gap({ startedAt, now, phase, progressChanges }) {
      const known = { progressChanges: useProgress ? asKept(progressChanges) : [], limits, baseline, k }
      const outlook = { importId: idOf(phase), now, startedAt, unmapped: false, retryAfterMs: null, ...known }
      const next = nextPoll(outlook)
      checkNext(outlook, next)
      return Math.trunc(next.delayMs) // as due times are stored
    },
    learn({ startedAt, endedAt, lastSeenAt, detectedAt, progressChanges }) {
      const at = told ? endedAt : (lastSeenAt + detectedAt) / 2
      const uncertainMs = told ? 0 : detectedAt - lastSeenAt
      const finished = { startedAt, endedAt: at, uncertainMs, progressChanges: asKept(progressChanges) }
      const seen = learn(history, baseline, finished)
      history = useHistory
        ? seen
        : { ...noHistory, progressErrors: seen.progressErrors, progressScore: seen.progressScore }
      baseline = baselineOf(history, prior ?? null)
    },
  }
}

/** The last few changes since progress last went backwards, as the service keeps them. */
function asKept(changes: readonly ProgressChange[]): readonly ProgressChange[] {
  return changes.reduce<ProgressChange[]>((all, [at, progress]) => trackProgress(all, at, progress), [])
}

/** An import's id of which the service makes this phase. */
export function idOf(phase: number): string {
  return Math.floor(phase * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}
