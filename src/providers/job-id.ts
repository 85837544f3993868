// Owns putting an opaque job id into a URL: percent-encoded, as one segment of the path, unless the provider's ids are
// paths or URLs themselves.

export const maxJobIdLength = 500
/** The longest id that any provider may have. It is part of an index. */
export const longestJobId = 2_000

/**
 * - `segment`: one segment of a path.
 * - `path`: segments with slashes between them (`projects/p/operations/1`).
 * - `url`: an absolute URL below the connection's base URL, with its query.
 */
export type JobIdKind = 'segment' | 'path' | 'url'

export interface JobIdForm {
  kind: JobIdKind
  maxLength: number
  /** An id of the vendor's form that no job has. Absent: any text may be one. */
  unknown?: string | undefined
}

const usual: JobIdForm = { kind: 'segment', maxLength: maxJobIdLength }

/**
 * Returns null if the id can be stored and requested; otherwise what it must be, for people. `.` and `..` can't:
 * servers resolve them even percent-encoded (RFC 3986, 5.2.4 and 6.2.2.2). A request would reach another resource, and
 * no provider can have issued such ids.
 */
export function jobIdProblem(
  jobId: string,
  { jobId: form = usual, baseUrl }: { jobId?: JobIdForm | undefined; baseUrl?: string | undefined } = {},
): string | null {
  if (jobId === '' || jobId.length > form.maxLength) return `must have 1 to ${form.maxLength} characters`
  if (jobId === '.' || jobId === '..') return 'must not be "." or ".."'
  if (jobId.includes('\u0000') || !jobId.isWellFormed()) return 'must be well-formed text without NUL'
  if (form.kind === 'path' && !jobId.split('/').every((segment) => !/^\.{0,2}$/.test(segment)))
    return 'must be segments with one "/" between them, none of them "." or ".."'
  if (form.kind === 'url' && (baseUrl === undefined || urlPathBelow(jobId, baseUrl) === null))
    return `must be a URL below ${baseUrl}`
  return null
}

/** Returns an id that no job has, of the provider's form, to see whether credentials are accepted. */
export function nobodysJobId(
  random: string,
  { jobId: { kind, maxLength, unknown } = usual, baseUrl }: { jobId?: JobIdForm | undefined; baseUrl: string },
): string {
  if (unknown !== undefined) return unknown
  return kind === 'url' ? `${baseUrl.replace(/\/+$/, '')}/${random}` : random.slice(0, maxLength)
}

/** Returns the id as a segment of a path: `abd123=` becomes `abd123%3D`. */
export function jobIdSegment(jobId: string): string {
  return jobPath('segment', jobId, '')
}

/**
 * Returns the id as it stands in a path: in that of a URL with the query. How long a provider's ids may be was asked
 * when the import was registered.
 * @throws {TypeError} if it can't.
 */
export function jobPath(kind: JobIdKind, jobId: string, baseUrl: string): string {
  const problem = jobIdProblem(jobId, { jobId: { kind, maxLength: longestJobId }, baseUrl })
  if (problem !== null) throw new TypeError(`A job id ${problem}.`)
  if (kind === 'url') return urlPathBelow(jobId, baseUrl) ?? ''
  return jobId
    .split('/')
    .map(encodeURIComponent)
    .join(kind === 'path' ? '/' : '%2F')
}

/** Returns the path and query of a URL behind those of the base URL. Returns null if it doesn't lie below it. */
export function urlPathBelow(text: string, baseUrl: string): string | null {
  const [url, base] = [URL.parse(text), URL.parse(baseUrl)]
  if (url === null || base === null || url.origin !== base.origin) return null
  if (url.username !== '' || url.password !== '' || url.hash !== '') return null
  const folder = base.pathname.replace(/\/+$/, '')
  return url.pathname.startsWith(`${folder}/`) ? `${url.pathname.slice(folder.length)}${url.search}` : null
}
