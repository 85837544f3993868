// Owns which of a provider's times can be, and how far its clock is from ours: an answer's times are compared with its
// own `Date`, and with our clock only where it has none.
import type { Report } from './contract.ts'

/** Before this nobody imported anything over an API; it is where the zero values of types of dates are. */
const earliest = Date.UTC(2000, 0, 1)
/** How far ahead of the answer a time may be: clocks behind one address differ, and `Date` may be kept for a while. */
const toleranceMs = 60_000
/** `Date` has whole seconds, and an answer travels: less than this is no difference between two clocks. */
const noiseMs = 3_000

/** The report with null for each time, but of the future, that can't be. */
export function withTimesThatCanBe(report: Report, answeredAt: Date): Report {
  const latest = answeredAt.getTime() + toleranceMs
  const read = (time: Date | null) => (time && time.getTime() >= earliest && time.getTime() <= latest ? time : null)
  const { createdAt, startedAt, finishedAt } = report
  return { ...report, createdAt: read(createdAt), startedAt: read(startedAt), finishedAt: read(finishedAt) }
}

/** By how many milliseconds the provider's clock is ahead of ours; negative: behind. 0 where that isn't known. */
export function clockAheadMs(date: Date | null, now: Date): number {
  if (date === null || date.getTime() < earliest) return 0
  const aheadMs = date.getTime() - now.getTime()
  return Math.abs(aheadMs) < noiseMs ? 0 : aheadMs
}
