// Owns models of how long imports take: the share S that takes longer than each of some durations. Pure.

/** Shipped with the vendor, or taken from its other connections. */
export interface Prior {
  medianMs: number
  /** Of the logarithm. */
  sigma: number
}

// Cells of the duration: a second to a month, each 1.5 % longer than the one before.
const firstEdgeMs = 1_000
const cell = 0.015
const cells = 1_000
const logEdges = Float64Array.from({ length: cells + 1 }, (_, index) => Math.log(firstEdgeMs) + index * cell)
const edges = logEdges.map(Math.exp)

/** The share of imports that no model of the usual ones knows. */
export const tailShare = 0.05
/** How many imports are kept. */
export const keptImports = 128
const priorSigma = 0.3
const priorWeight = 2

export type Model = { kind: 'log-normal'; last: number } | { kind: 'histogram'; last: number; width: number }

export const models: readonly Model[] = [
  { kind: 'log-normal', last: keptImports },
  { kind: 'log-normal', last: 24 },
  { kind: 'log-normal', last: 10 },
  { kind: 'histogram', last: keptImports, width: 0.03 },
  { kind: 'histogram', last: keptImports, width: 0.1 },
  { kind: 'histogram', last: keptImports, width: 0.3 },
  { kind: 'histogram', last: 32, width: 0.1 },
]

/** Returns S at the edges of the cells, from the logarithms of the durations in their order. */
export function survivalOf(model: Model, all: readonly number[], prior: Prior | null): Float64Array {
  const logs = all.slice(-model.last)
  const centre = median(logs.length > 0 ? logs : [Math.log(prior?.medianMs ?? 60_000)])
  if (model.kind === 'histogram' && logs.length > 0) return smoothed(logs, model.width, Math.exp(centre))
  const sigma0 = prior?.sigma ?? priorSigma
  const spread = spreadOf(logs)
  // Shrunk in the logarithm: in the variance a wide prior would outweigh dozens of narrow durations.
  const n = logs.length
  const sigma =
    Math.exp((priorWeight * Math.log(sigma0) + n * Math.log(n > 0 ? spread : 1)) / (priorWeight + n)) *
    Math.sqrt(1 + 1 / (n + 1))
  const middle = prior && n > 0 ? (Math.log(prior.medianMs) + n * centre) / (n + 1) : centre
  const middleMs = Math.exp(middle)
  return edges.map((edge, at) => withTail(1 - normal(((logEdges[at] ?? 0) - middle) / sigma), edge / middleMs))
}

/** Returns a robust standard deviation: 1.4826 · MAD, and at least 0.02. */
export function spreadOf(logs: readonly number[]): number {
  const centre = median(logs)
  return Math.max(1.4826 * median(logs.map((log) => Math.abs(log - centre))), 0.02)
}

/** Returns the logarithm of the mixture of these survivals by their weights. */
export function mixedLog(components: readonly Float64Array[], weights: readonly number[]): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mixed = new Float64Array(cells + 1)
  components.forEach((survival, index) => {
    const weight = (weights[index] ?? 0) / total
    if (weight > 1e-4) for (let at = 0; at <= cells; at++) mixed[at] = (mixed[at] ?? 0) + weight * (survival[at] ?? 0)
  })
  return mixed.map((share) => Math.log(Math.max(share, 1e-300)))
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

/** Adds a share of imports of which only the scale is known: S = 1 / (1 + t/m), hazard 1 / (m + t). */
export function withTail(survival: number, inMedians: number): number {
  return (1 - tailShare) * survival + tailShare / (1 + inMedians)
}

/** Returns the cell that a duration falls into. */
export function cellOf(durationMs: number): number {
  return Math.min(Math.max(Math.floor(Math.log(durationMs / firstEdgeMs) / cell), 0), cells - 1)
}

/** Returns ln S: between the edges straight, before the first one from 0, after the last one as 1/t. */
export function logAt(logSurvival: Float64Array, elapsedMs: number): number {
  if (elapsedMs <= firstEdgeMs) return (logSurvival[0] ?? 0) * Math.max(elapsedMs / firstEdgeMs, 0)
  const place = Math.log(elapsedMs / firstEdgeMs) / cell
  if (place >= cells) return (logSurvival[cells] ?? 0) - (place - cells) * cell
  const at = Math.floor(place)
  const before = logSurvival[at] ?? 0
  return before + (place - at) * ((logSurvival[at + 1] ?? 0) - before)
}

export function median(values: readonly number[]): number {
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
