// Owns reading the times in an answer's headers: `Retry-After` (RFC 9110, 10.2.3) and `Date`.

/** The longest wait we accept, whatever the header says. */
export const maxRetryAfterMs = 24 * 60 * 60 * 1_000

/** undici's headers: names in lower case, a list if a header came more than once. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Returns how many milliseconds to wait, at most {@link maxRetryAfterMs}. Reads seconds and all three forms of an HTTP
 * date; a date that has passed gives 0. Returns null if no value can be read, and the longest of several.
 *
 * A date is compared with the answer's own `Date`, because the server's clock may differ from ours. Without a `Date` it
 * is compared with `now`. If only `Date` makes the wait longer than {@link maxRetryAfterMs}, `now` counts, too. Then
 * one of the server's two times comes from a clock that was never set.
 */
export function readRetryAfter(headers: Headers, now: Date): number | null {
  const answeredAt = readDate(headers)
  const waits = listOf(headers['retry-after'])
    .map((value) => readWait(value, answeredAt, now))
    .filter((wait) => !Number.isNaN(wait))
    .map((wait) => Math.min(maxRetryAfterMs, Math.max(0, wait)))
  return waits.length === 0 ? null : Math.max(...waits)
}

/** Returns when the server says that it answered. Returns null if `Date` is in no form of HTTP. */
export function readDate(headers: Headers): Date | null {
  const time = listOf(headers.date)
    .map(readHttpDate)
    .find((read) => !Number.isNaN(read))
  return time === undefined ? null : new Date(time)
}

function listOf(header: string | readonly string[] | undefined): string[] {
  return [header ?? []].flat().map((value) => value.trim())
}

function readWait(value: string, answeredAt: Date | null, now: Date): number {
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1_000)
  const until = readHttpDate(value)
  const byOurClock = until - now.getTime()
  if (answeredAt === null) return byOurClock
  const byTheirs = until - answeredAt.getTime()
  return byTheirs > maxRetryAfterMs && byOurClock <= maxRetryAfterMs ? byOurClock : byTheirs
}

const internetDate = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/ // Sun, 06 Nov 1994 08:49:37 GMT
const rfc850Date = /^\w{6,9}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT$/ // Sunday, 06-Nov-94 08:49:37 GMT
const asctimeDate = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/ // Sun Nov  6 08:49:37 1994

function readHttpDate(value: string): number {
  if (internetDate.test(value) || rfc850Date.test(value)) return Date.parse(value)
  return asctimeDate.test(value) ? Date.parse(`${value} GMT`) : Number.NaN
}
