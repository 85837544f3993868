// Owns what must hold of every delay that the candidate gives in a run; a breach ends the run with an error.
import { baselineOf, type Next, nextPoll, noHistory, type Outlook, type ProgressChange } from './candidate.ts'
import type { Random } from './random.ts'

let checked = 0

export function checkNext(outlook: Outlook, next: Next): void {
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

/**
 * Of two imports that differ only in when their end is expected, the sooner-looking one is asked about no later. That
 * holds until the sooner one's end is due: past it an import is a straggler, whose end nobody expects soon. It isn't
 * checked where history and progress are mixed: there some pairs of a hundred are out of order.
 */
export function checkOrder(random: Random): void {
  for (let round = 0; round < 2_000; round++) {
    const medianMs = 10_000 * Math.exp(5 * random.even())
    const sigma = 0.05 + random.even()
    const later = 1 + random.even()
    const elapsed = medianMs * random.even()
    const limits = { minIntervalMs: 2_000, maxIntervalMs: 30_000 + 600_000 * random.even() }
    const now = 1e12
    const shared = { now, startedAt: now - elapsed, limits, phase: 0.5, retryAfterMs: null }
    const byHistory = (scale: number) => {
      const baseline = baselineOf(noHistory, { medianMs: medianMs * scale, sigma })
      return nextPoll({ ...shared, progressChanges: [], baseline }).delayMs
    }
    inOrder(byHistory(1), byHistory(later), { medianMs, sigma, later, elapsed, limits })

    const age = (elapsed / 2) * random.even()
    const [slow, quick] = [0.15 + 0.3 * random.even(), 0.5 + 0.2 * random.even()]
    const restOfQuick = ((1 - quick) / (quick - 0.1)) * (elapsed / 2)
    if (age > restOfQuick) continue
    const byProgress = (progress: number) => {
      const progressChanges: ProgressChange[] = [
        [now - elapsed / 2 - age, 0.1],
        [now - age, progress],
      ]
      return nextPoll({ ...shared, progressChanges, baseline: baselineOf(noHistory) }).delayMs
    }
    inOrder(byProgress(quick), byProgress(slow), { elapsed, age, slow, quick, limits })
  }
}

/** Gaps are searched in steps of 4 %, and of a second at least. */
function inOrder(sooner: number, later: number, of: object): void {
  if (sooner > 1.09 * later + 2_000)
    throw new Error(`A sooner-looking import is asked about later: ${sooner} > ${later} ms. ${JSON.stringify(of)}`)
}

function must(holds: boolean, outlook: Outlook, what: string): void {
  if (holds) return
  const { baseline: _, ...shown } = outlook
  throw new Error(`A delay must hold to this: it ${what}. ${JSON.stringify(shown)}`)
}
