// Owns the policies that are compared: each says when to ask next, and may learn from imports that ended.
import { nextPoll as nextToday, trackProgress } from '../../src/polling/interval.ts'
import {
  type Baseline,
  baselineOf,
  type History,
  type Limits,
  learn,
  nextPoll,
  noHistory,
  type Prior,
} from './candidate.ts'
import { checkNext } from './checks.ts'
import type { Family } from './families.ts'
import { planOptimum } from './optimum.ts'

export type ProgressChange = [at: number, progress: number]

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

export const limits: Limits = { minIntervalMs: 2_000, maxIntervalMs: 120_000 }

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

export function today(): Policy {
  return {
    gap({ startedAt, now, phase, progressChanges }) {
      const importId = Math.floor(phase * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
      return nextToday({
        importId,
        now,
        startedAt,
        progressChanges: sinceBackwards(progressChanges),
        unmapped: false,
        limits,
      }).delayMs
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

export interface CandidateOptions {
  k: number
  /** Whether the vendor tells when an import ended; else it was between two calls. */
  told: boolean
  useHistory: boolean
  useProgress: boolean
  prior?: Prior
}

export function candidate({ k, told, useHistory, useProgress, prior }: CandidateOptions): Policy {
  let history: History = noHistory
  let baseline: Baseline = baselineOf(history, prior ?? null)
  return {
    gap({ startedAt, now, phase, progressChanges }) {
      const changes = useProgress ? sinceBackwards(progressChanges) : []
      const outlook = { now, startedAt, progressChanges: changes, limits, baseline, phase, retryAfterMs: null, k }
      const next = nextPoll(outlook)
      checkNext(outlook, next)
      return next.delayMs
    },
    learn({ startedAt, endedAt, lastSeenAt, detectedAt, progressChanges }) {
      const at = told ? endedAt : (lastSeenAt + detectedAt) / 2
      const uncertainMs = told ? 0 : detectedAt - lastSeenAt
      const seen = learn(history, baseline, { startedAt, endedAt: at, uncertainMs, progressChanges })
      history = useHistory
        ? seen
        : { ...noHistory, progressErrors: seen.progressErrors, progressScore: seen.progressScore }
      baseline = baselineOf(history, prior ?? null)
    },
  }
}

/** The last few changes since progress last went backwards, as the service keeps them. */
function sinceBackwards(changes: readonly ProgressChange[]): readonly ProgressChange[] {
  return changes.reduce<ProgressChange[]>((all, [at, progress]) => trackProgress(all, at, progress), [])
}
