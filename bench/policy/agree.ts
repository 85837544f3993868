// Owns whether the service does what the simulator says: the same imports, played to the one and replayed by the other.
import { cdq } from '../../src/providers/cdq.ts'
import type { BenchDatabase } from '../services.ts'
import { type Point, pointOf } from './curves.ts'
import { families } from './families.ts'
import { limits, service } from './policies.ts'
import { createRandom } from './random.ts'
import { type Outcome, replay } from './replay.ts'
import { type Played, type ServedOutcome, serve } from './served.ts'
import { drawJobs, type Job, type ProgressKind, type Sample } from './vendor.ts'

/** Whole hours, so that ends on the clock stay there. Times near 1970 can't be. */
const firstAt = Date.UTC(2026, 0, 5)
const tickPercent = 5

export interface Agreement {
  name: string
  simulated: Point
  served: Point
  /** Imports whose calls or delay differ. */
  differing: number
}

/** What is played: imports that don't overlap, because the simulator learns from an import before the next one begins. */
export function drawPlayed(sample: Sample): Played[] {
  let freeFrom = firstAt
  return sample.jobs.map((job) => {
    // CDQ tells times in whole seconds.
    const startedAt = Math.ceil(Math.max(firstAt + job.startedAt, freeFrom) / 1_000) * 1_000
    const durationMs = Math.max(Math.round(job.durationMs), 1)
    freeFrom = startedAt + durationMs + 2 * limits.maxIntervalMs
    return { startedAt, durationMs, ...(job.progressAt && { progress: progressOf(job.progressAt, durationMs) }) }
  })
}

/** When the vendor first shows each percent. */
function progressOf(progressAt: NonNullable<Job['progressAt']>, durationMs: number) {
  const shown: { afterMs: number; percent: number }[] = []
  const stepMs = Math.max(Math.floor(durationMs / 500), 1)
  for (let afterMs = 0; afterMs < durationMs; afterMs += stepMs) {
    const percent = Math.round((progressAt(afterMs) * 100) / tickPercent) * tickPercent
    if (percent !== shown.at(-1)?.percent) shown.push({ afterMs, percent })
  }
  return shown
}

export async function compare(db: BenchDatabase['database']['db'], name: string, played: Played[]): Promise<Agreement> {
  const served = await serve(db, played, { limits })
  const simulated = simulate(played, served)
  const differing = served.filter((one, index) => !isSame(one, simulated[index])).length
  return { name, simulated: pointOf(simulated), served: pointOf(served), differing }
}

/** Replays imports by the service's policy, with the phases that the service gave them. */
export function simulate(played: readonly Played[], served: readonly ServedOutcome[]): Outcome[] {
  const jobs = played.map(({ startedAt, durationMs, progress }, index): Job => {
    const shownAt = (elapsedMs: number) => progress?.findLast(({ afterMs }) => afterMs <= elapsedMs)?.percent ?? 0
    return {
      startedAt,
      durationMs,
      phase: served[index]?.phase ?? 0,
      progressAt: progress ? (elapsedMs) => shownAt(elapsedMs) / 100 : null,
    }
  })
  const prior = cdq.durationPrior ?? undefined
  return replay(
    { jobs },
    service({ k: 2_000, told: false, useHistory: true, useProgress: true, ...(prior && { prior }) }),
  )
}

function isSame(one: Outcome, other: Outcome | undefined): boolean {
  return one.calls === other?.calls && one.delayMs === other.delayMs
}

/** One family of each form, and progress. */
export const compared: readonly [family: string, progress: ProgressKind | null][] = [
  ['log-normal, 300 s, σ 0.25', null],
  ['bimodal, 150 and 800 s', null],
  ['Pareto from 180 s, α 1.8', null],
  ['on the clock, 700 s, every 300 s', null],
  ['log-normal, 500 s, σ 1', 'stalling'],
  ['log-normal, 500 s, σ 1', 'jumping'],
]

export function samplesOf(count: number, seed: number): [name: string, Played[]][] {
  return compared.map(([name, progress]) => {
    const family = families.judge.find((one) => one.name === name)
    if (!family) throw new Error(`There is no family ${name}.`)
    const title = progress === null ? name : `progress ${progress}, ${name}`
    return [title, drawPlayed(drawJobs(family, count, createRandom(seed), progress))]
  })
}

export function agreementTable(all: readonly Agreement[]): string {
  const s = (ms: number) => (ms / 1_000).toFixed(1)
  const point = ({ calls, p50Ms, p95Ms }: Point) => `${calls.toFixed(2)} | ${s(p50Ms)} | ${s(p95Ms)}`
  return [
    '| family | simulated calls | p50, s | p95, s | the service’s calls | p50, s | p95, s | imports that differ |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...all.map(
      ({ name, simulated, served, differing }) => `| ${name} | ${point(simulated)} | ${point(served)} | ${differing} |`,
    ),
  ].join('\n')
}
