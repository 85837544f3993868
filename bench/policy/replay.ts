// Owns one replay: the same imports asked about under a policy, which learns from each import when it sees its end.
import type { ProgressChange } from '../../src/baselines/progress.ts'
import type { Policy } from './policies.ts'
import type { Job, Sample } from './vendor.ts'

/** An import that isn't seen to end within so many calls is an error of the simulator. */
const mostCalls = 200_000

export interface Outcome {
  calls: number
  delayMs: number
}

interface Watched extends Outcome {
  job: Job
  detectedAt: number
  lastSeenAt: number
  progressChanges: readonly ProgressChange[]
}

/** What each import cost, in the order of their starts. The first call is at the start, under every policy. */
export function replay({ jobs }: Pick<Sample, 'jobs'>, policy: Policy): Outcome[] {
  const outcomes: Outcome[] = []
  let watching: Watched[] = []
  for (const job of jobs) {
    const ended = watching.filter(({ detectedAt }) => detectedAt <= job.startedAt)
    watching = watching.filter(({ detectedAt }) => detectedAt > job.startedAt)
    ended
      .sort((a, b) => a.detectedAt - b.detectedAt)
      .forEach((one) => {
        learnFrom(policy, one)
      })
    const watched = watch(job, policy)
    watching.push(watched)
    outcomes.push({ calls: watched.calls, delayMs: watched.delayMs })
  }
  return outcomes
}

function learnFrom(policy: Policy, { job, ...seen }: Watched): void {
  policy.learn?.({ ...seen, startedAt: job.startedAt, endedAt: job.startedAt + job.durationMs })
}

function watch(job: Job, policy: Policy): Watched {
  const { startedAt, durationMs, phase, progressAt } = job
  const endsAt = startedAt + durationMs
  const progressChanges: ProgressChange[] = []
  let now = startedAt
  for (let calls = 1; calls < mostCalls; calls++) {
    const progress = progressAt?.(now - startedAt) ?? null
    if (progress !== null && progress !== progressChanges.at(-1)?.[1]) progressChanges.push([now, progress])
    const lastSeenAt = now
    now += policy.gap({ startedAt, now, phase, calls, progressChanges })
    if (now >= endsAt)
      return { job, calls: calls + 1, delayMs: now - endsAt, detectedAt: now, lastSeenAt, progressChanges }
  }
  throw new Error(`An import was not seen to end within ${mostCalls} calls.`)
}
