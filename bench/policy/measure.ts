// Owns what is run for one family and one seed, and what it comes to: every policy on the same imports.
import { delayAt, type Point, pointOf } from './curves.ts'
import type { Family } from './families.ts'
import {
  doubling,
  earlierRule,
  fixed,
  googleDefaults,
  hazardOracle,
  optimum,
  type Policy,
  type ServiceOptions,
  service,
} from './policies.ts'
import { createRandom } from './random.ts'
import { replay } from './replay.ts'
import { drawJobs, type ProgressKind } from './vendor.ts'

/** The first ones teach the service and count for no policy. */
export const warmUp = 40
export const judged = 200

const intervalsS = [2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300, 450, 700, 1_000, 1_500]
const oracleKs = [250, 1_000, 2_000, 4_000, 8_000]
const serviceKs = [500, 2_000, 8_000]
const k = 2_000

export interface Figures {
  /** The curves, by the calls. */
  curves: Record<string, Point[]>
  rows: Record<string, Row>
}

export interface Row extends Point {
  /** Over the curve's delay at equal calls, p50 and p95; NaN where the curve has no such calls. */
  toFixed: [number, number]
  toOracle: [number, number]
  toOptimum: [number, number]
}

export function measureHistory(family: Family, seed: number): Figures {
  const run = runner(family, seed, null)
  const told = { told: true, useHistory: true, useProgress: false }
  const curves = {
    'fixed interval': intervalsS.map((seconds) => run(fixed(seconds * 1_000))),
    'hazard oracle': oracleKs.map((k) => run(hazardOracle(family, k))),
    optimum: oracleKs.map((k) => run(optimum(family, k))),
    service: serviceKs.map((k) => run(service({ ...told, k }))),
  }
  // The vendor's prior is off: half as long again, and wide.
  const prior = { medianMs: 1.5 * family.typicalMs, sigma: 0.8 }
  const points = {
    'doubling to 600 s': run(doubling()),
    'Google’s defaults': run(googleDefaults()),
    'the earlier rule, neither': run(earlierRule()),
    'vendor’s prior alone': run(service({ ...told, k, useHistory: false, prior })),
    'service, ends told': curves.service[serviceKs.indexOf(k)] as Point,
    'service, ends seen': run(service({ ...told, k, told: false })),
    'hazard oracle': curves['hazard oracle'][oracleKs.indexOf(k)] as Point,
    optimum: curves.optimum[oracleKs.indexOf(k)] as Point,
  }
  return { curves, rows: compare(points, curves) }
}

export function measureProgress(family: Family, kind: ProgressKind, seed: number): Figures {
  const run = runner(family, seed, kind)
  const curve = (options: Omit<ServiceOptions, 'k'>) => serviceKs.map((k) => run(service({ ...options, k })))
  const curves = {
    'fixed interval': intervalsS.map((seconds) => run(fixed(seconds * 1_000))),
    service: curve({ told: false, useHistory: true, useProgress: true }),
  }
  const points = {
    'doubling to 600 s': run(doubling()),
    'Google’s defaults': run(googleDefaults()),
    'the earlier rule, progress': run(earlierRule()),
    'service, progress alone': run(service({ k, told: false, useHistory: false, useProgress: true })),
    'service, both': curves.service[serviceKs.indexOf(k)] as Point,
  }
  return { curves, rows: compare(points, curves) }
}

function runner(family: Family, seed: number, kind: ProgressKind | null): (policy: Policy) => Point {
  const sample = drawJobs(family, warmUp + judged, createRandom(seed), kind)
  return (policy) => pointOf(replay(sample, policy).slice(warmUp))
}

function compare(points: Record<string, Point>, curves: Record<string, Point[]>): Record<string, Row> {
  const ratios = (point: Point, curve: readonly Point[] = []): [number, number] => [
    point.p50Ms / delayAt(curve, point.calls, 'p50Ms'),
    point.p95Ms / delayAt(curve, point.calls, 'p95Ms'),
  ]
  return Object.fromEntries(
    Object.entries(points).map(([name, point]) => [
      name,
      {
        ...point,
        toFixed: ratios(point, curves['fixed interval']),
        toOracle: ratios(point, curves['hazard oracle']),
        toOptimum: ratios(point, curves.optimum),
      },
    ]),
  )
}
