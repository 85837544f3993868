// Owns putting an opaque job id into a URL: percent-encoded, as one segment of the path.

export const maxJobIdLength = 500

/**
 * Returns null if the id can be stored and requested; otherwise what it must be, for people. `.` and `..` can't:
 * servers resolve them even percent-encoded (RFC 3986, 5.2.4 and 6.2.2.2). A request would reach another resource, and
 * no provider can have issued such ids.
 */
export function jobIdProblem(jobId: string): string | null {
  if (jobId === '' || jobId.length > maxJobIdLength) return `must have 1 to ${maxJobIdLength} characters`
  if (jobId === '.' || jobId === '..') return 'must not be "." or ".."'
  if (jobId.includes('\u0000') || !jobId.isWellFormed()) return 'must be well-formed text without NUL'
  return null
}

/** Returns the id as a segment of a path: `abd123=` becomes `abd123%3D`. */
export function jobIdSegment(jobId: string): string {
  const problem = jobIdProblem(jobId)
  if (problem !== null) throw new TypeError(`A job id ${problem}.`)
  return encodeURIComponent(jobId)
}
