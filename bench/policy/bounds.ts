// Owns what must hold of the candidate whatever it was taught and is asked, times that can't be included.
import fc from 'fast-check'
import { baselineOf, learn, nextPoll, noHistory } from './candidate.ts'

const time = fc.oneof(fc.integer({ min: -1e6, max: 1e10 }), fc.double({ min: -1e3, max: 1e12, noNaN: true }))
const share = fc.double({ min: 0, max: 1, noNaN: true })
const progressChanges = fc.array(fc.tuple(time, share), { maxLength: 8 })
const finished = fc
  .record({ startedAt: time, durationMs: time, uncertainMs: fc.integer({ min: 0, max: 1e7 }), progressChanges })
  .map(({ durationMs, ...rest }) => ({ ...rest, endedAt: rest.startedAt + durationMs }))
const limits = fc
  .tuple(fc.integer({ min: 1_000, max: 60_000 }), fc.integer({ min: 0, max: 3_600_000 }))
  .map(([minIntervalMs, more]) => ({ minIntervalMs, maxIntervalMs: minIntervalMs + more }))
const retryAfterMs = fc.option(fc.integer({ min: 0, max: 1e8 }))
const asked = fc.record({ now: time, startedAt: time, progressChanges, limits, phase: share, retryAfterMs })

/** Throws if a delay is no number, is outside of the limits, or is before `Retry-After`. */
export function checkBounds(seed: number): void {
  const property = fc.property(fc.array(finished, { maxLength: 12 }), asked, (taught, outlook) => {
    const history = taught.reduce((known, one) => learn(known, baselineOf(known), one), noHistory)
    const { delayMs, basis } = nextPoll({ ...outlook, baseline: baselineOf(history) })
    const { minIntervalMs, maxIntervalMs } = outlook.limits
    const isLate = basis !== 'retry_after' && delayMs > maxIntervalMs
    return Number.isFinite(delayMs) && delayMs >= minIntervalMs && !isLate && delayMs >= (outlook.retryAfterMs ?? 0)
  })
  fc.assert(property, { seed, numRuns: 200 })
}
