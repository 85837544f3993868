// Owns what must hold of every delay that the service's policy gives in a run; a breach ends the run with an error.
import type { NextPoll } from '../../src/connections/backoff.ts'
import { nextPoll, type PollOutlook } from '../../src/polling/interval.ts'

let checked = 0

export function checkNext(outlook: PollOutlook, next: NextPoll): void {
  const { limits } = outlook
  must(Number.isFinite(next.delayMs), outlook, 'is a number')
  must(next.delayMs >= limits.minIntervalMs && next.delayMs <= limits.maxIntervalMs, outlook, 'is within the limits')
  // What needs more calls of the function is tried now and then.
  if (checked++ % 997 !== 0) return
  for (const retryAfterMs of [1, 60_000, 900_000])
    must(nextPoll({ ...outlook, retryAfterMs }).delayMs >= retryAfterMs, outlook, 'is never before Retry-After')
  const late = nextPoll({ ...outlook, now: outlook.startedAt + 30 * 86_400_000 })
  must(late.delayMs <= limits.maxIntervalMs, outlook, 'comes for a straggler, too')
}

function must(holds: boolean, outlook: PollOutlook, what: string): void {
  if (holds) return
  const { baseline: _, ...shown } = outlook
  throw new Error(`A delay must hold to this: it ${what}. ${JSON.stringify(shown)}`)
}
