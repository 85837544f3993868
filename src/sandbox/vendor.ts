// Owns what the sandbox needs to know about a vendor. A vendor's file is data and pure functions; respond.ts calls
// them.
import type { IncomingHttpHeaders } from 'node:http'
import { after } from '../base/clock.ts'
import type { Account } from './accounts.ts'
import type { CallKind } from './faults.ts'
import type { Json } from './json.ts'
import type { Script, VendorName } from './script.ts'
import type { Words } from './timeline.ts'

/** An import that was added, with what its vendor needs to answer. */
export interface Job {
  jobId: string
  script: Script
  createdAt: Date
}

/** What a request asks for, as its vendor reads it. */
export type CallIn = Omit<Call, 'origin'>

/** A request as its vendor understands it: a kind of call on a job. */
export interface Call {
  kind: CallKind
  jobId: string
  /** The cursor of the requested page. Null: the first page. */
  cursor: string | null
  /** micro's team id, FullStory's `events` or `users`. */
  scope: string | null
  /** The origin by which the client reached the sandbox, for URLs in answers. */
  origin: string
}

/** A list is sent as that many headers. Null: none, not even one that would be sent by itself. */
export type HeaderValue = string | string[] | null

export interface Answer {
  status: number
  /** By name, in lower case. */
  headers: Record<string, HeaderValue>
  body: Json
}

/** The ways in which a vendor refuses, each with its HTTP status. */
export const refusalStatus = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  rate_limited: 429,
  server_error: 500,
  unavailable: 503,
} as const
export type Refusal = keyof typeof refusalStatus

/** The fields that an answer always has, and the field that holds them. Null: the answer itself. */
export interface Shape {
  holder: string | null
  required: readonly string[]
}

export interface Vendor<P extends VendorName> {
  words: Words
  shape: Shape
  /** How long the vendor keeps a job unless its script says otherwise. Null: for good. */
  keepsForMs: number | null
  newJobId(): string
  /** The id as the vendor's users know it. Absent: they know it as it is. */
  shownJobId?(jobId: string, baseUrl: string): string
  /** Returns the call of a GET of this path. Returns null if the vendor has no such path. `post` is the body of a POST. */
  readCall(segments: readonly string[], query: URLSearchParams, post: string | null): CallIn | null
  authorise(account: Account<P>, headers: IncomingHttpHeaders, call: Call): 'ok' | 'unauthorized' | 'forbidden'
  /** Returns the answer `elapsedMs` after the job was added, or a refusal if the request makes no sense. Pure. */
  answer(job: Job, call: Call, elapsedMs: number): Answer | Refusal
  refusalBody(refusal: Refusal): Json
  /** How it refuses, if not by the usual status and `Retry-After`. Null: as usual. */
  refuse?(refusal: Refusal, at: { waitS: number | null; now: Date }): Answer | null
}

export function ok(body: Json): Answer {
  return { status: 200, headers: {}, body }
}

/** Returns the moment `ms` after the job was added, with milliseconds. */
export function isoAfter(job: Job, ms: number): string {
  return after(job.createdAt, ms).toISOString()
}

/** Returns the moment `ms` after the job was added, in whole seconds. */
export function isoSecondsAfter(job: Job, ms: number): string {
  return isoAfter(job, ms).replace(/\.\d{3}Z$/, 'Z')
}

/** Returns how the last page answers for a next one: with nothing, or as `lastCursor` says. */
export function lastCursorOf(script: Script, askedWith: string | null): string | null | undefined {
  switch (script.lastCursor) {
    case 'absent':
      return undefined
    case 'null':
      return null
    case 'empty':
      return ''
    case 'repeated':
      return askedWith ?? undefined
  }
}
