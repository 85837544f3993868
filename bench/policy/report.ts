// Owns how the simulator's figures read: a table for each family, over the seeds medians, and of ratios least and greatest.
import { median, spread } from '../figures.ts'
import { chartOf } from './chart.ts'
import type { Point } from './curves.ts'
import type { Figures, Row } from './measure.ts'

export interface Measured {
  name: string
  /** Of the log-normal, where the family is one. */
  sigma: number | null
  withProgress: boolean
  bySeed: Figures[]
}

export function tableOf({ bySeed, withProgress }: Measured): string {
  const names = Object.keys(bySeed[0]?.rows ?? {})
  const ratios = withProgress ? ['toFixed' as const] : ['toFixed' as const, 'toOracle' as const, 'toOptimum' as const]
  const titles = { toFixed: 'fixed interval’s', toOracle: 'hazard oracle’s', toOptimum: 'optimum’s' }
  const head = [
    'policy',
    'calls',
    'p50, s',
    'p95, s',
    ...ratios.flatMap((of) => [`p50 to ${titles[of]}`, `p95 to ${titles[of]}`]),
  ]
  const rows = names.map((name) => {
    const of = (figure: (row: Row) => number) => bySeed.map(({ rows }) => figure(rows[name] as Row))
    return [
      name,
      median(of(({ calls }) => calls)).toFixed(1),
      (median(of(({ p50Ms }) => p50Ms)) / 1_000).toFixed(1),
      (median(of(({ p95Ms }) => p95Ms)) / 1_000).toFixed(1),
      ...ratios.flatMap((ratio) => [0, 1].map((at) => ratioOf(of((row) => row[ratio][at] ?? Number.NaN)))),
    ]
  })
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** One row a family: what must be reached, and whether it is. */
export function verdictOf(all: readonly Measured[]): string {
  const rows = all.flatMap((measured) => goalsOf(measured).map((goal) => [measured.name, ...goal]))
  const head = '| family | what | p50 | p95 | must be | reached |\n| --- | --- | ---: | ---: | --- | --- |'
  return [head, ...rows.map((cells) => `| ${cells.join(' | ')} |`)].join('\n')
}

function goalsOf({ bySeed, withProgress, sigma }: Measured): string[][] {
  const goal = (
    name: string,
    ratio: 'toFixed' | 'toOracle' | 'toOptimum',
    what: string,
    p50: number,
    p95: number,
    must: string,
  ) => {
    const [at50, at95] = [0, 1].map((at) => known(bySeed.map(({ rows }) => rows[name]?.[ratio][at] ?? Number.NaN)))
    const reached = median(at50 ?? []) <= p50 && median(at95 ?? []) <= p95
    return [what, ratioOf(at50 ?? []), ratioOf(at95 ?? []), must, reached ? 'yes' : 'no']
  }
  if (withProgress)
    return [goal('service, both', 'toFixed', 'with progress, to the fixed interval’s', 0.2, 1, 'p50 ≤ 0.2, p95 ≤ 1')]
  const hazard = 'history, to the hazard oracle’s'
  return [
    goal('service, ends told', 'toOracle', hazard, 1.1, 1.1, '≤ 1.1'),
    goal('service, ends told', 'toOptimum', 'history, to the optimum’s', 1.1, 1.1, '≤ 1.1'),
    goal('service, ends seen', 'toOptimum', 'history, ends seen between calls, to the optimum’s', 1.1, 1.1, '≤ 1.1'),
    ...(sigma !== null && sigma <= 0.25
      ? [goal('service, ends told', 'toFixed', 'history, to the fixed interval’s', 0.5, 0.5, '≤ 0.5')]
      : []),
    goal('vendor’s prior alone', 'toFixed', 'the vendor’s prior, to the fixed interval’s', 1, 1, '≤ 1'),
  ]
}

/** The chart of the family: the medians over the seeds of each curve's points. */
export function svgOf({ name, bySeed }: Measured): string {
  const first = bySeed[0] as Figures
  const curves = Object.keys(first.curves).map((curve) => ({
    name: curve,
    points: (first.curves[curve] ?? []).map((_, at) =>
      middle(bySeed.map(({ curves }) => curves[curve]?.[at] as Point)),
    ),
  }))
  const isOnCurve = (row: string) =>
    row === 'optimum' || row === 'hazard oracle' || row === 'service, both' || row.endsWith('told')
  const single = Object.keys(first.rows).filter((row) => !isOnCurve(row))
  const points = single.map((row) => ({ name: row, point: middle(bySeed.map(({ rows }) => rows[row] as Row)) }))
  return chartOf(name, curves, points)
}

function middle(points: readonly Point[]): Point {
  return {
    calls: median(points.map(({ calls }) => calls)),
    p50Ms: median(points.map(({ p50Ms }) => p50Ms)),
    p95Ms: median(points.map(({ p95Ms }) => p95Ms)),
  }
}

/** Some calls are fewer or more than the curve knows; then the ratio isn't known. */
function known(ratios: readonly number[]): number[] {
  return ratios.filter((ratio) => Number.isFinite(ratio))
}

function ratioOf(ratios: readonly number[]): string {
  const finite = known(ratios)
  return finite.length === 0 ? '–' : spread(finite)
}
