// Owns percentiles of several days or connections together, from what each of them has: its number of imports and three
// percentiles. Percentiles can't be added up, so that of a mixture is an estimate. Of one part it is the part's own.

export interface Part {
  /** How many durations it is of. */
  count: number
  /** In any unit, but all parts in the same. */
  p50: number
  p90: number
  p99: number
}

const shares = { p50: 0.5, p90: 0.9 } as const
/** Halvings of the range: enough for a millionth of it. */
const steps = 24
const least = 1e-3

/**
 * Returns where the share of all durations is reached. Between its percentiles a part's durations are taken to be spread
 * evenly on a logarithmic scale, and below its median as above it. Null: no part has any.
 */
export function mixedPercentile(parts: readonly Part[], which: keyof typeof shares): number | null {
  const filled = parts.filter(({ count }) => count > 0)
  const [first] = filled
  if (first === undefined) return null
  if (filled.length === 1) return first[which]
  const curves = filled.map(({ count, ...part }) => ({ count, knots: knotsOf(part) }))
  const wanted = shares[which] * curves.reduce((sum, { count }) => sum + count, 0)
  let low = curves.reduce((least, { knots }) => Math.min(least, knots[0]?.[0] ?? 0), Number.POSITIVE_INFINITY)
  let high = curves.reduce((most, { knots }) => Math.max(most, knots.at(-1)?.[0] ?? 0), low)
  for (let step = 0; step < steps; step++) {
    const middle = (low + high) / 2
    const reached = curves.reduce((sum, { count, knots }) => sum + count * shareBelow(knots, middle), 0)
    if (reached >= wanted) high = middle
    else low = middle
  }
  return Number(Math.exp(high).toPrecision(5)) // as exact as the halvings are
}

type Knot = readonly [at: number, share: number]

function knotsOf({ p50, p90, p99 }: Omit<Part, 'count'>): Knot[] {
  const [middle = 0, most = 0, end = 0] = [p50, p90, p99].map((value) => Math.log(Math.max(value, least)))
  return [
    [2 * middle - end, 0.01],
    [2 * middle - most, 0.1],
    [middle, 0.5],
    [most, 0.9],
    [end, 0.99],
  ]
}

function shareBelow(knots: readonly Knot[], at: number): number {
  let from: Knot | undefined
  for (const to of knots) {
    if (to[0] > at) return from === undefined ? 0 : from[1] + ((to[1] - from[1]) * (at - from[0])) / (to[0] - from[0])
    from = to
  }
  return 1
}
