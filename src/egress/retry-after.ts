// Owns how a `Retry-After` header is read (RFC 9110, 10.2.3).

/** Nobody is waited for longer than this, whatever the header says. */
export const maxRetryAfterMs = 24 * 60 * 60 * 1_000

/**
 * How many milliseconds to wait: from seconds or an HTTP date (all three forms), 0 for a date that has passed,
 * at most {@link maxRetryAfterMs}. Null where there is none, or none that can be read. The longest of several.
 */
export function readRetryAfter(header: string | readonly string[] | undefined, now: Date): number | null {
  const waits = [header ?? []]
    .flat()
    .map((value) => readOne(value.trim(), now))
    .filter((wait) => wait !== null)
  return waits.length === 0 ? null : Math.max(...waits)
}

function readOne(value: string, now: Date): number | null {
  const waitMs = /^\d+(\.\d+)?$/.test(value) ? Math.ceil(Number(value) * 1_000) : readHttpDate(value) - now.getTime()
  return Number.isNaN(waitMs) ? null : Math.min(maxRetryAfterMs, Math.max(0, waitMs))
}

const internetDate = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/ // Sun, 06 Nov 1994 08:49:37 GMT
const rfc850Date = /^\w{6,9}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT$/ // Sunday, 06-Nov-94 08:49:37 GMT
const asctimeDate = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/ // Sun Nov  6 08:49:37 1994

function readHttpDate(value: string): number {
  if (internetDate.test(value) || rfc850Date.test(value)) return Date.parse(value)
  return asctimeDate.test(value) ? Date.parse(`${value} GMT`) : Number.NaN
}
