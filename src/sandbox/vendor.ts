// Owns what the sandbox has to know of a vendor. A vendor's file is data and pure functions; respond.ts asks them.
import type { IncomingHttpHeaders } from 'node:http'
import { after } from '../base/clock.ts'
import type { Account } from './accounts.ts'
import type { CallKind } from './faults.ts'
import type { Json } from './json.ts'
import type { ProviderName, Script } from './script.ts'
import type { Words } from './timeline.ts'

/** An import that was added, as a vendor answers for it. */
export interface Job {
  jobId: string
  script: Script
  createdAt: Date
}

/** What a request asks for. */
export interface Call {
  kind: CallKind
  jobId: string
  /** The page asked for; null: the first. */
  cursor: string | null
  /** micro's team id, FullStory's `events` or `users`. */
  scope: string | null
}

/** A list is sent as so many headers; null: none, not even the one that is sent by itself. */
export type HeaderValue = string | string[] | null

export interface Answer {
  status: number
  /** By name, in lower case. */
  headers: Record<string, HeaderValue>
  body: Json
}

/** Every way in which a vendor says no, with its HTTP status. */
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

/** Which fields of an answer are always there, and the field that holds them (null: the answer itself). */
export interface Shape {
  holder: string | null
  required: readonly string[]
}

export interface Vendor<P extends ProviderName> {
  words: Words
  shape: Shape
  /** How long a job is kept unless its script says otherwise; null: for good. */
  keepsForMs: number | null
  newJobId(): string
  /** What a GET of this path asks for; null: the vendor has no such path. */
  readCall(segments: readonly string[], query: URLSearchParams): Call | null
  authorise(account: Account<P>, headers: IncomingHttpHeaders, call: Call): 'ok' | 'unauthorized' | 'forbidden'
  /** The answer `elapsedMs` after the job was made; a refusal where the request makes no sense. Pure. */
  answer(job: Job, call: Call, elapsedMs: number): Answer | Refusal
  refusalBody(refusal: Refusal): Json
}

export function ok(body: Json): Answer {
  return { status: 200, headers: {}, body }
}

/** The moment `ms` after the job was made, with milliseconds. */
export function isoAfter(job: Job, ms: number): string {
  return after(job.createdAt, ms).toISOString()
}

/** The moment `ms` after the job was made, in whole seconds. */
export function isoSecondsAfter(job: Job, ms: number): string {
  return isoAfter(job, ms).replace(/\.\d{3}Z$/, 'Z')
}

/** What the last page says of a next one: nothing, or one of the ways that `lastCursor` names. */
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
