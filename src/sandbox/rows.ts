// Owns the rows of an import: which ones fail, and their ids. Each row is a function of its index, so that any page can
// be served without the pages before it.
import { createHash } from 'node:crypto'

/** Returns true if row `index` of `whole` is one of the `part` rows that are spread evenly over them. */
export function isOneOf(index: number, part: number, whole: number): boolean {
  return before(index + 1, part, whole) > before(index, part, whole)
}

/** Returns how many of the `part` rows come before row `index`. */
export function before(index: number, part: number, whole: number): number {
  return whole === 0 ? 0 : Math.floor((index * part) / whole)
}

/** Returns the index of the `nth` (from 0) of the `part` rows. */
export function indexOfNth(nth: number, part: number, whole: number): number {
  return Math.ceil(((nth + 1) * whole) / part) - 1
}

/** Returns the index of the `nth` (from 0) of the rows that aren't one of the `part` rows. */
export function indexOfNthOther(nth: number, part: number, whole: number): number {
  let index = nth
  for (let next = nth; ; index = next) {
    next = nth + before(index + 1, part, whole)
    if (next === index) return index
  }
}

/** Returns a function that makes a UUID for any row of a job: the job's hash, then the row's number. */
export function recordIds(jobId: string): (index: number) => string {
  const hash = createHash('sha256').update(jobId).digest('hex')
  const head = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(12, 15)}-8${hash.slice(15, 18)}-`
  return (index) => head + index.toString(16).padStart(12, '0')
}
