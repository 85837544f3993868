// Owns the best that can be done: of all schedules the one with the least k · calls + delay, for a true distribution, by
// dynamic programming over the moments at which to ask. Beyond the last moment it asks at the longest interval.
import type { Family } from './families.ts'
import type { Asked } from './policies.ts'

interface Limits {
  minIntervalMs: number
  maxIntervalMs: number
}

/** When to ask next, for each import planned once, at its first call. */
export function planOptimum(family: Family, k: number, limits: Limits): (asked: Asked) => number {
  let plannedFor = Number.NaN
  let schedule: number[] = []
  return ({ startedAt, now }) => {
    const alike = family.alike(startedAt)
    if (plannedFor !== alike) {
      plannedFor = alike
      schedule = plan(family, startedAt, k, limits)
    }
    const elapsed = now - startedAt
    const at = schedule.find((moment) => moment > elapsed + 1)
    return at === undefined ? limits.maxIntervalMs : at - elapsed
  }
}

function plan({ survival, typicalMs, finestMs }: Family, startedAt: number, k: number, limits: Limits): number[] {
  const moments = momentsOf(typicalMs, finestMs, limits).filter((moment) => survival(moment, startedAt) > 1e-4)
  const left = moments.map((moment) => (moment === 0 ? 1 : survival(moment, startedAt)))
  // The time that is spent over by then, summed up: ∫ (1 − S).
  const spent = [0]
  for (let at = 1; at < moments.length; at++)
    spent.push(
      (spent[at - 1] ?? 0) +
        ((moments[at] ?? 0) - (moments[at - 1] ?? 0)) * (1 - ((left[at] ?? 0) + (left[at - 1] ?? 0)) / 2),
    )
  const costs = new Float64Array(moments.length)
  const following = new Int32Array(moments.length)
  for (let from = moments.length - 2; from >= 0; from--) {
    const [start = 0, alive = 0] = [moments[from], left[from]]
    let best = Number.POSITIVE_INFINITY
    for (let to = from + 1; to < moments.length; to++) {
      const gap = (moments[to] ?? 0) - start
      if (gap < limits.minIntervalMs - 1) continue
      if (gap > limits.maxIntervalMs + 1) break
      const waste = (spent[to] ?? 0) - (spent[from] ?? 0) - gap * (1 - alive)
      const cost = k * alive + waste + (costs[to] ?? 0)
      if (cost < best) {
        best = cost
        following[from] = to
      }
    }
    costs[from] = Number.isFinite(best) ? best : 0
    if (!Number.isFinite(best)) following[from] = moments.length - 1
  }
  const schedule: number[] = []
  for (let at = following[0] ?? 0; at > 0 && at < moments.length; at = following[at] ?? 0)
    schedule.push(moments[at] ?? 0)
  return schedule
}

/** Fine at first, coarser by and by, never coarser than a third of the longest interval. */
function momentsOf(typicalMs: number, finestMs: number, { maxIntervalMs }: Limits): number[] {
  const moments = [0]
  const until = 12 * typicalMs
  for (
    let at = 2_000;
    at < until;
    at += Math.min(
      Math.max(0.008 * at, finestMs < 1_000 ? 1_000 : 2_000),
      maxIntervalMs / 12,
      Math.max(finestMs, 1_000) * 2,
    )
  )
    moments.push(at)
  return moments
}
