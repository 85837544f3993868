// Owns which of a provider's times are plausible, and how far its clock is from ours. An answer's times are compared
// with its own `Date`, or with our clock if it has none.
import type { Report } from './contract.ts'

/** Nobody imported over an API before this. Zero values of date types lie there. */
const earliest = Date.UTC(2000, 0, 1)
/** How far ahead of the answer a time may be: clocks behind one address differ, and a cache may keep `Date`. */
const toleranceMs = 60_000
/** `Date` has whole seconds, and an answer takes time to arrive. A smaller difference is no difference of clocks. */
const noiseMs = 3_000

/** Returns the report with null for each implausible time. `expiresAt` stays, because it lies in the future. */
export function withTimesThatCanBe(report: Report, answeredAt: Date): Report {
  const latest = answeredAt.getTime() + toleranceMs
  const read = (time: Date | null) => (time && time.getTime() >= earliest && time.getTime() <= latest ? time : null)
  const { createdAt, startedAt, finishedAt } = report
  return { ...report, createdAt: read(createdAt), startedAt: read(startedAt), finishedAt: read(finishedAt) }
}

/**
 * Returns by how many milliseconds the provider's clock is ahead of ours; negative: behind. Returns 0 if that isn't
 * known.
 */
export function clockAheadMs(date: Date | null, now: Date): number {
  if (date === null || date.getTime() < earliest) return 0
  const aheadMs = date.getTime() - now.getTime()
  return Math.abs(aheadMs) < noiseMs ? 0 : aheadMs
}
