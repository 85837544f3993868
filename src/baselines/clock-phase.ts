// Owns ends on the clock: how the ends of imports are spread over a period, such as each quarter of an hour. Pure.

/** An import's end, in epoch milliseconds, and how far apart the calls were between which it lay. */
export interface End {
  endedAt: number
  uncertainMs: number
}

export interface ClockPhase {
  periodMs: number
  binMs: number
  /** Density of the ends' phase, 1 on average. */
  density: Float64Array
}

export const clockPeriodsMs: readonly number[] = [60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000]

/** Returns the density of the ends' phase in a period. An end that is known to an interval is spread over it. */
export function clockPhaseOf(periodMs: number, ends: readonly End[]): ClockPhase {
  const binMs = Math.max(2_000, periodMs / 300)
  const bins = Math.round(periodMs / binMs)
  const counts = new Float64Array(bins)
  for (const { endedAt, uncertainMs } of ends) {
    const wide = Math.min(uncertainMs / 2 + 1.5 * binMs, periodMs / 2)
    const steps = Math.max(Math.ceil((2 * wide) / binMs), 1)
    for (let step = 0; step < steps; step++) {
      const bin = binAt(endedAt - wide + ((step + 0.5) * 2 * wide) / steps, periodMs, bins)
      counts[bin] = (counts[bin] ?? 0) + 1 / steps
    }
  }
  const even = 2
  return { periodMs, binMs, density: counts.map((count) => (count * bins + even) / (ends.length + even)) }
}

export function densityAt({ periodMs, density }: ClockPhase, at: number): number {
  return density[binAt(at, periodMs, density.length)] ?? 1
}

/** Returns the mean density over the time in which the end lies. */
export function densityNear(clock: ClockPhase, { endedAt, uncertainMs }: End): number {
  if (uncertainMs <= clock.binMs) return densityAt(clock, endedAt)
  const points = 16
  let sum = 0
  for (let point = 0; point < points; point++)
    sum += densityAt(clock, endedAt + uncertainMs * ((point + 0.5) / points - 0.5))
  return sum / points
}

function binAt(at: number, periodMs: number, bins: number): number {
  const phase = (((at % periodMs) + periodMs) % periodMs) / periodMs
  return Math.min(Math.floor(phase * bins), bins - 1)
}
