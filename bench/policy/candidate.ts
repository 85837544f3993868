// Owns when to ask next, from all that is known: a candidate for src/polling. Pure functions; no clock, no randomness.
//
// Derivation. One call is worth k of delay. A schedule that minimises k · calls + delay is an optimum checking schedule
// (Barlow, Hunter and Proschan, "Optimum Checking Procedures", J. SIAM 11 (1963) 1078–1095). With dense calls and the
// hazard h its gap is √(2k / h) (Keller, "Optimum Checking Schedules for Systems Subject to Random Failure", Management
// Science 21 (1974) 256–260). That limit fails where the hazard changes much within one gap: at a sharp peak ∫√(h/2k)
// stays below 1, and the rule waits for the next peak. So the gap Δ is the one with the least cost
//     V(Δ) = (k + ∫₀^Δ P(u) du) / P(Δ),   P(Δ) = probability that the import ends within Δ, as it hasn't yet,
// the cost of asking at Δ and, where it isn't over, facing the same again. For a constant hazard that is exact; for
// small gaps it is √(2k / h).
//
// History. Models of the duration are mixed, each by how well it foretold the durations that came after it (Dawid,
// "Statistical Theory: The Prequential Approach", J. R. Statist. Soc. A 147 (1984) 278–292): log-normals of the last few
// and of all kept durations, and histograms of log-durations, smoothed by several widths. All keep a heavy tail, so that
// a straggler's hazard falls to about 1/t and no straggler is abandoned. Ends on the clock multiply the hazard by the
// density of the ends' phase, for the period that foretells the ends best.
//
// Progress. R̂ = (1 − p) / v is right up to a factor; that factor's logarithm has a learnt mean and spread for each part
// of the way. Survival since the last change is mixed from it and from history's, again by what foretold better.

/** A change of progress: when it was first seen (epoch ms), and the progress, 0 to 1. */
export type ProgressChange = [at: number, progress: number]

/** An import that ended: epoch ms; how far apart the calls were between which it ended (0: the vendor told the time). */
export interface Finished {
  startedAt: number
  endedAt: number
  uncertainMs: number
  progressChanges: readonly ProgressChange[]
}

/** What one connection's imports were like: one small row. */
export interface History {
  /** How many there were. */
  ended: number
  recent: readonly [endedAt: number, durationMs: number, uncertainMs: number][]
  /** Log-likelihood of what each model of the duration foretold, old ones forgotten. */
  scores: readonly number[]
  /** The same for ends on the clock, above ends at any time. */
  clockScores: readonly number[]
  /** For each part of the way: of the logarithm of remaining over foretold time, its weight, sum and sum of squares. */
  progressErrors: readonly [weight: number, sum: number, squares: number][]
  /** How much better progress foretold the end than the duration did, in nats an import. */
  progressScore: number
}

/** Shipped with the vendor, or taken from its other connections. */
export interface Prior {
  medianMs: number
  sigma: number
}

/** What a history says about the next import; made once for each import that ends. */
export interface Baseline {
  /** Of the mixed duration, ln S at the edges of the cells; null: nothing is known. */
  logSurvival: Float64Array | null
  /** The same of each model, as S. */
  components: readonly Float64Array[]
  clocks: readonly Clock[]
  clock: Clock | null
  errors: readonly { mean: number; sigma: number }[]
  progressWeight: number
}

interface Clock {
  periodMs: number
  binMs: number
  /** Density of the ends' phase, 1 on average. */
  density: Float64Array
}

export interface Limits {
  minIntervalMs: number
  maxIntervalMs: number
}

export interface Outlook {
  now: number
  startedAt: number
  progressChanges: readonly ProgressChange[]
  limits: Limits
  baseline: Baseline
  /** Always the same for an import, 0 to 1: spreads calls that would fire together. */
  phase: number
  retryAfterMs: number | null
  /** Milliseconds of delay that one call is worth. */
  k?: number
}

export interface Next {
  delayMs: number
  basis: 'progress' | 'history' | 'elapsed' | 'retry_after'
  stalled: boolean
}

const defaultK = 2_000
const keptImports = 128
const jitter = 0.1
const stallTicks = 3
const keptChanges = 6
/** The share of imports that no model of the usual ones knows. */
const tailShare = 0.05
const priorSigma = 0.3
const priorWeight = 2
const forgetting = 0.98

// Cells of the duration: a second to a month, each 1.5 % longer than the one before.
const firstEdgeMs = 1_000
const cell = 0.015
const cells = 1_000
const logEdges = Float64Array.from({ length: cells + 1 }, (_, index) => Math.log(firstEdgeMs) + index * cell)
const edges = logEdges.map(Math.exp)

type Model = { kind: 'log-normal'; last: number } | { kind: 'histogram'; last: number; width: number }
const models: readonly Model[] = [
  { kind: 'log-normal', last: keptImports },
  { kind: 'log-normal', last: 24 },
  { kind: 'log-normal', last: 10 },
  { kind: 'histogram', last: keptImports, width: 0.03 },
  { kind: 'histogram', last: keptImports, width: 0.1 },
  { kind: 'histogram', last: keptImports, width: 0.3 },
  { kind: 'histogram', last: 32, width: 0.1 },
]
const firstScores = [2, 0, 0, -2, -1, 0, -2]
const clockPeriodsMs = [60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000]
/** A clock is believed in from these odds on, e⁵ to one. */
const believedClock = 5
const partsOfTheWay = [0.25, 0.5, 0.75, 0.9, 0.999, Number.POSITIVE_INFINITY]
/** At 100 % this share of the time so far is foretold to remain, until the vendor's own is learnt. */
const restAtFull = 0.03

export const noHistory: History = {
  ended: 0,
  recent: [],
  scores: firstScores,
  clockScores: clockPeriodsMs.map(() => 0),
  progressErrors: partsOfTheWay.map(() => [0, 0, 0]),
  progressScore: 0,
}

/** The history with one more import, given the baseline that was made from it. */
export function learn(history: History, baseline: Baseline, heard: Finished): History {
  const finished = withLikelyEnd(history, baseline, heard)
  const durationMs = finished.endedAt - finished.startedAt
  // A duration that can't be is none.
  if (!(durationMs > 0) || !Number.isFinite(durationMs)) return history
  const at = cellOf(durationMs)
  const foretold = baseline.components.map((survival) =>
    Math.log(Math.max((survival[at] ?? 0) - (survival[at + 1] ?? 0), 1e-12)),
  )
  const { errors, score } = foretoldByProgress(history, baseline, finished)
  return {
    ended: history.ended + 1,
    recent: [...history.recent, [finished.endedAt, durationMs, finished.uncertainMs] as const].slice(-keptImports) as [
      number,
      number,
      number,
    ][],
    scores: history.scores.map((sum, index) => forgetting * sum + (foretold[index] ?? 0)),
    clockScores: history.clockScores.map((sum, index) => {
      const clock = baseline.clocks[index]
      return forgetting * sum + (clock ? Math.log(densityNear(clock, heard)) : 0)
    }),
    progressErrors: errors,
    progressScore: score === null ? history.progressScore : 0.9 * history.progressScore + 0.1 * score,
  }
}

/** What the history, or where there is none the vendor's prior, says about the next import. */
export function baselineOf(history: History, prior: Prior | null = null): Baseline {
  const errors = history.progressErrors.map(([weight, sum, squares]) => {
    const mean = sum / (weight + priorWeight)
    const variance =
      (squares - weight * (sum / Math.max(weight, 1e-9)) ** 2 + priorWeight * 0.25) / (weight + priorWeight)
    return { mean, sigma: Math.max(Math.sqrt(Math.max(variance, 0)), 0.03) }
  })
  const progressWeight = 1 / (1 + Math.exp(-(1 + 3 * history.progressScore)))
  const base = { errors, progressWeight, clocks: [], clock: null }
  const logs = history.recent.map(([, durationMs]) => Math.log(durationMs))
  if (logs.length === 0 && prior === null) return { ...base, logSurvival: null, components: [] }
  const components = models.map((model) => survivalOf(model, logs, prior))
  const best = Math.max(...history.scores)
  const weights = history.scores.map((score) => Math.exp(score - best))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mixed = new Float64Array(cells + 1)
  components.forEach((survival, index) => {
    const weight = (weights[index] ?? 0) / total
    if (weight > 1e-4) for (let at = 0; at <= cells; at++) mixed[at] = (mixed[at] ?? 0) + weight * (survival[at] ?? 0)
  })
  const clocks = clockPeriodsMs.map((periodMs) => clockOf(periodMs, history.recent))
  const bestClock = Math.max(...history.clockScores)
  return {
    ...base,
    logSurvival: mixed.map((share) => Math.log(Math.max(share, 1e-300))),
    components,
    clocks,
    clock: bestClock > believedClock ? (clocks[history.clockScores.indexOf(bestClock)] ?? null) : null,
  }
}

/**
 * When to ask again after a report that isn't terminal: the derivation is on top. The delay is clamped to the limits, is
 * never before `retryAfterMs`, and is jittered by 10 %, though by no more than half of k.
 */
export function nextPoll(outlook: Outlook): Next {
  const { now, startedAt, baseline, limits, phase, retryAfterMs, k = defaultK } = outlook
  const elapsed = Math.max(now - startedAt, 0)
  const pace = readPace(outlook.progressChanges, startedAt)
  const age = pace ? Math.max(now - pace.at, 0) : 0
  const stalled = pace !== null && !pace.full && age > stallTicks * pace.tickMs
  const gapMs =
    baseline.logSurvival === null && (pace === null || stalled)
      ? Math.sqrt(2 * k * elapsed)
      : cheapestGap(outlook, stalled ? null : pace, k)
  const clamped = clamp(gapMs, limits)
  const spreadMs = Math.min(jitter * clamped, k / 2) * (2 * phase - 1)
  const delayMs = clamp(clamped + spreadMs, limits)
  const known = baseline.logSurvival === null ? 'elapsed' : 'history'
  if (retryAfterMs !== null && retryAfterMs >= delayMs)
    return { delayMs: retryAfterMs * (1 + jitter * phase), basis: 'retry_after', stalled }
  return { delayMs, basis: pace !== null && !stalled ? 'progress' : known, stalled }
}

/** Walks through the gaps from none to beyond the longest one, and returns the one with the least V. */
function cheapestGap({ now, startedAt, baseline, limits }: Outlook, pace: Pace | null, k: number): number {
  const { clock } = baseline
  const elapsed = Math.max(now - startedAt, 0)
  const logSurvival = survivalFrom(baseline, pace, startedAt)
  const from = logSurvival(elapsed)
  let best = Number.POSITIVE_INFINITY
  let bestGap = limits.maxIntervalMs
  let hazard = 0
  let logBefore = from
  let waste = 0
  let probability = 0
  let gap = 0
  // A peak just out of reach counts too, or an import with one in reach would be asked about later than this one.
  const farthest = (clock ? 1 : 4) * limits.maxIntervalMs
  while (gap < farthest) {
    const step = clock
      ? Math.min(clock.binMs / 2, limits.minIntervalMs)
      : Math.max(limits.minIntervalMs / 2, 0.04 * gap)
    const next = Math.min(gap + step, farthest)
    const logAfter = logSurvival(elapsed + next)
    hazard += (logBefore - logAfter) * (clock ? densityAt(clock, now + (gap + next) / 2) : 1)
    const ended = 1 - Math.exp(-hazard)
    waste += ((probability + ended) / 2) * (next - gap)
    probability = ended
    logBefore = logAfter
    gap = next
    const cost = (k + waste) / Math.max(probability, 1e-12)
    if (gap >= limits.minIntervalMs && cost < best) {
      best = cost
      bestGap = gap
    }
  }
  return bestGap
}

/** ln S of the time since the start, history and progress mixed from the last change of progress on. */
function survivalFrom(baseline: Baseline, pace: Pace | null, startedAt: number): (elapsedMs: number) => number {
  const byHistory = (elapsedMs: number) =>
    baseline.logSurvival ? logAt(baseline.logSurvival, elapsedMs) : -Math.log(Math.max(elapsedMs, 1_000))
  if (pace === null) return byHistory
  const { mean, sigma } = baseline.errors[pace.part] ?? { mean: 0, sigma: 0.5 }
  const changedAfter = Math.max(pace.at - startedAt, 0)
  const atChange = byHistory(changedAfter)
  const expected = Math.log(pace.remainingMs) + mean
  const weight = baseline.logSurvival === null ? 1 : baseline.progressWeight
  return (elapsedMs) => {
    const since = Math.max(elapsedMs - changedAfter, 1)
    const byProgress = withTail(1 - normal((Math.log(since) - expected) / sigma), since / Math.exp(expected))
    return Math.log(Math.max(weight * byProgress + (1 - weight) * Math.exp(byHistory(elapsedMs) - atChange), 1e-300))
  }
}

interface Pace {
  at: number
  /** The foretold rest at the last change. */
  remainingMs: number
  tickMs: number
  full: boolean
  part: number
}

/** Null: fewer than two changes since progress last went backwards. */
function readPace(all: readonly ProgressChange[], startedAt: number): Pace | null {
  const changes = all.slice(-keptChanges)
  const first = changes[0]
  const last = changes.at(-1)
  if (!first || !last || changes.length < 2 || !(last[0] > first[0]) || !(last[1] > first[1])) return null
  const [at, progress] = last
  const part = partsOfTheWay.findIndex((upTo) => progress < upTo)
  const tickMs = (at - first[0]) / (changes.length - 1)
  const full = progress >= 1
  const speed = (progress - first[1]) / (at - first[0])
  const remainingMs = full ? restAtFull * Math.max(at - startedAt, 1_000) : (1 - progress) / speed
  return { at, remainingMs: Math.max(remainingMs, 1), tickMs, full, part }
}

/**
 * Between two calls an import ended where the baseline says: at a quantile that runs evenly through 0 to 1 from import to
 * import. The midpoint would smear narrow distributions, the mean would narrow them.
 */
function withLikelyEnd({ recent, ended }: History, baseline: Baseline, finished: Finished): Finished {
  const { startedAt, endedAt, uncertainMs } = finished
  if (uncertainMs === 0 || baseline.logSurvival === null || recent.length < 5) return finished
  const points = 64
  const from = endedAt - uncertainMs / 2
  const masses = Array.from({ length: points }, (_, point) => {
    const at = from + (uncertainMs * point) / points - startedAt
    const mass =
      Math.exp(logAt(baseline.logSurvival as Float64Array, at)) -
      Math.exp(logAt(baseline.logSurvival as Float64Array, at + uncertainMs / points))
    return mass * (baseline.clock ? densityAt(baseline.clock, startedAt + at) : 1)
  })
  let left = ((ended * 0.618034) % 1) * masses.reduce((sum, mass) => sum + mass, 0)
  const point = masses.findIndex((mass) => {
    left -= mass
    return left < 0
  })
  if (point < 0) return finished
  const likely = from + (uncertainMs * (point + 0.5)) / points
  // Without a clock the end's phase stays as uncertain as it was.
  return { ...finished, endedAt: likely, uncertainMs: baseline.clock ? 0 : uncertainMs }
}

/** What progress foretold at each of its changes, and how much better that was than the history, in nats. */
function foretoldByProgress(history: History, baseline: Baseline, { startedAt, endedAt, progressChanges }: Finished) {
  const errors = history.progressErrors.map((error) => [...error] as [number, number, number])
  let gained = 0
  let count = 0
  for (let index = 2; index <= progressChanges.length; index++) {
    const pace = readPace(sinceBackwards(progressChanges.slice(0, index)), startedAt)
    if (pace === null || !(endedAt > pace.at)) continue
    const error = errors[pace.part]
    const known = baseline.errors[pace.part]
    if (!error || !known) continue
    const off = Math.log((endedAt - pace.at) / pace.remainingMs)
    const z = (off - known.mean) / known.sigma
    const byProgress = Math.log((1 - tailShare) * (Math.exp((-z * z) / 2) / known.sigma / 2.507) + tailShare / 4)
    gained += byProgress - byHistoryAlone(baseline, pace.at - startedAt, endedAt - startedAt)
    count++
    errors[pace.part] = [0.97 * error[0] + 1, 0.97 * error[1] + off, 0.97 * error[2] + off * off]
  }
  return { errors, score: count === 0 ? null : gained / count }
}

/** Log-density of ln(rest), as the history has it, of an import that is so old. */
function byHistoryAlone({ logSurvival }: Baseline, elapsed: number, duration: number): number {
  const rest = duration - elapsed
  if (logSurvival === null) return Math.log((Math.max(elapsed, 1_000) * rest) / duration ** 2)
  const wide = 0.1 * rest
  const share = Math.exp(logAt(logSurvival, duration - wide)) - Math.exp(logAt(logSurvival, duration + wide))
  return Math.log(Math.max(share, 1e-12)) - logAt(logSurvival, elapsed) - Math.log(0.2)
}

function sinceBackwards(changes: readonly ProgressChange[]): readonly ProgressChange[] {
  for (let index = changes.length - 1; index > 0; index--)
    if ((changes[index]?.[1] ?? 0) < (changes[index - 1]?.[1] ?? 0)) return changes.slice(index)
  return changes
}

/** S at the edges of the cells. */
function survivalOf(model: Model, all: readonly number[], prior: Prior | null): Float64Array {
  const logs = all.slice(-model.last)
  const centre = median(logs.length > 0 ? logs : [Math.log(prior?.medianMs ?? 60_000)])
  if (model.kind === 'histogram' && logs.length > 0) return smoothed(logs, model.width, Math.exp(centre))
  const sigma0 = prior?.sigma ?? priorSigma
  const spread = Math.max(1.4826 * median(logs.map((log) => Math.abs(log - centre))), 0.02)
  // Shrunk in the logarithm: in the variance a wide prior would outweigh dozens of narrow durations.
  const n = logs.length
  const sigma =
    Math.exp((priorWeight * Math.log(sigma0) + n * Math.log(n > 0 ? spread : 1)) / (priorWeight + n)) *
    Math.sqrt(1 + 1 / (n + 1))
  const middle = prior && n > 0 ? (Math.log(prior.medianMs) + n * centre) / (n + 1) : centre
  const middleMs = Math.exp(middle)
  return edges.map((edge, at) => withTail(1 - normal(((logEdges[at] ?? 0) - middle) / sigma), edge / middleMs))
}

/** A histogram of log-durations, smoothed by a normal kernel. */
function smoothed(logs: readonly number[], width: number, medianMs: number): Float64Array {
  const counts = new Float64Array(cells)
  for (const log of logs) {
    const at = cellOf(Math.exp(log))
    counts[at] = (counts[at] ?? 0) + 1 / logs.length
  }
  const reach = Math.ceil((3 * width) / cell)
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, index) =>
    Math.exp(-(((index - reach) * cell) ** 2) / (2 * width * width)),
  )
  const sum = kernel.reduce((all, share) => all + share, 0)
  const mass = new Float64Array(cells)
  counts.forEach((count, at) => {
    if (count === 0) return
    for (let offset = -reach; offset <= reach; offset++) {
      const to = Math.min(Math.max(at + offset, 0), cells - 1)
      mass[to] = (mass[to] ?? 0) + (count * (kernel[offset + reach] ?? 0)) / sum
    }
  })
  const survival = new Float64Array(cells + 1)
  let left = 1
  for (let at = 0; at <= cells; at++) {
    survival[at] = withTail(Math.max(left, 0), (edges[at] ?? 0) / medianMs)
    left -= mass[at] ?? 0
  }
  return survival
}

/** With a share of imports of which only the scale is known: S = 1 / (1 + t/m), hazard 1 / (m + t). */
function withTail(survival: number, inMedians: number): number {
  return (1 - tailShare) * survival + tailShare / (1 + inMedians)
}

/** The density of the ends' phase in a period; an end that is known to an interval is spread over it. */
function clockOf(periodMs: number, recent: History['recent']): Clock {
  const binMs = Math.max(2_000, periodMs / 300)
  const bins = Math.round(periodMs / binMs)
  const counts = new Float64Array(bins)
  for (const [endedAt, , uncertainMs] of recent) {
    const wide = Math.min(uncertainMs / 2 + 1.5 * binMs, periodMs / 2)
    const steps = Math.max(Math.ceil((2 * wide) / binMs), 1)
    for (let step = 0; step < steps; step++) {
      const bin = binAt(endedAt - wide + ((step + 0.5) * 2 * wide) / steps, periodMs, bins)
      counts[bin] = (counts[bin] ?? 0) + 1 / steps
    }
  }
  const even = 2
  return { periodMs, binMs, density: counts.map((count) => (count * bins + even) / (recent.length + even)) }
}

function binAt(at: number, periodMs: number, bins: number): number {
  const phase = (((at % periodMs) + periodMs) % periodMs) / periodMs
  return Math.min(Math.floor(phase * bins), bins - 1)
}

function densityAt({ periodMs, density }: Clock, at: number): number {
  return density[binAt(at, periodMs, density.length)] ?? 1
}

function densityNear(clock: Clock, { endedAt, uncertainMs }: Finished): number {
  if (uncertainMs <= clock.binMs) return densityAt(clock, endedAt)
  const points = 16
  let sum = 0
  for (let point = 0; point < points; point++)
    sum += densityAt(clock, endedAt + uncertainMs * ((point + 0.5) / points - 0.5))
  return sum / points
}

function cellOf(durationMs: number): number {
  return Math.min(Math.max(Math.floor(Math.log(durationMs / firstEdgeMs) / cell), 0), cells - 1)
}

/** Between the edges straight; before the first one 0, after the last one as 1/t. */
function logAt(logSurvival: Float64Array, elapsedMs: number): number {
  if (elapsedMs <= firstEdgeMs) return (logSurvival[0] ?? 0) * Math.max(elapsedMs / firstEdgeMs, 0)
  const place = Math.log(elapsedMs / firstEdgeMs) / cell
  if (place >= cells) return (logSurvival[cells] ?? 0) - (place - cells) * cell
  const at = Math.floor(place)
  const before = logSurvival[at] ?? 0
  return before + (place - at) * ((logSurvival[at + 1] ?? 0) - before)
}

function clamp(ms: number, { minIntervalMs, maxIntervalMs }: Limits): number {
  return Math.min(Math.max(ms, minIntervalMs), maxIntervalMs)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** The normal distribution function, to 1e-7 (Abramowitz and Stegun, 26.2.17). */
export function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const tail =
    0.3989422804 *
    Math.exp((-z * z) / 2) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z >= 0 ? 1 - tail : tail
}
