// Owns what the vendors that the service knows by documents have in common: an account, tokens that expire, and pages of
// failed rows. Each vendor's file says the rest in the vendor's own words, from what the vendor publishes.
import { type Json, RowList } from '../json.ts'
import { indexOfNth } from '../rows.ts'
import type { Script } from '../script.ts'
import type { Counters } from '../timeline.ts'
import { type Answer, type Call, type CallIn, lastCursorOf, ok, type Vendor } from '../vendor.ts'
import type { DocumentVendorName } from './names.ts'

export interface DocumentVendor extends Vendor<DocumentVendorName> {
  /** `name` begins them. `{origin}` stands for the sandbox's own. */
  credentials(name: string): Record<string, string>
  settings?: Record<string, string>
  tokens?: Tokens
}

export interface Tokens {
  /** At the sandbox's root, as the vendor has it at its own. */
  path: string
  /** Where the client's id and secret are. An assertion is signed with the account's key. */
  clientAuth: 'body' | 'basic' | 'query' | 'assertion'
  lifetimeS: number
  /** What the answer has besides the token and its lifetime. */
  more?(origin: string): Record<string, Json | undefined>
  /** The answer doesn't say how long the token lives. */
  isSilent?: boolean
}

/** The number of its words that begin a path, then the id, then what follows. */
export function after(segments: readonly string[], ...words: readonly string[]): { id: string; rest: string[] } | null {
  const [id, ...rest] = segments.slice(words.length)
  return id !== undefined && words.every((word, index) => word === segments[index]) ? { id, rest } : null
}

export function call(
  kind: Call['kind'],
  jobId: string,
  cursor: string | null = null,
  scope: string | null = null,
): CallIn {
  return { kind, jobId, cursor: cursor || null, scope }
}

/** Returns a page of failed rows: of each its index in the file. Returns null if no page has this cursor. */
export function failedPage(
  script: Script,
  { processed, failed }: Counters,
  cursor: string | null,
  make: (row: number) => Json,
): { rows: RowList; next: string | null | undefined } | null {
  const start = cursor === null ? 0 : /^after-\d{1,9}$/.test(cursor) ? Number(cursor.slice(6)) : -1
  if (start < 0 || (start > 0 && start >= failed)) return null
  const end = Math.min(start + script.pageSize, failed)
  return {
    rows: new RowList(end - start, (nth) => make(indexOfNth(start + nth, failed, processed))),
    next: end < failed ? `after-${end}` : lastCursorOf(script, cursor),
  }
}

/** All failed rows at once, at most so many. */
export function failedRows({ processed, failed }: Counters, most: number, make: (row: number) => Json): RowList {
  return new RowList(Math.min(failed, most), (nth) => make(indexOfNth(nth, failed, processed)))
}

/** A file's URL is signed, so it takes no header. The vendors have them at another server; the sandbox is only one. */
export function signedUrl(vendor: DocumentVendorName, jobId: string, origin: string): string {
  return `${origin}/${vendor}/files/${encodeURIComponent(jobId)}?Signature=${signature}`
}

/** Returns true for the path of a file with the signature that its URL was given. */
export function isSigned(segments: readonly string[], query: URLSearchParams): boolean {
  return segments[0] === 'files' && segments.length === 2 && query.get('Signature') === signature
}

const signature = 'sandbox'

export const emailOf = (row: number) => `user-${row + 1}@`

export function refused(status: number, body: Json, headers: Answer['headers'] = {}): Answer {
  return { ...ok(body), status, headers }
}
