// Owns choosing a vendor's answer to a request, in the order of a vendor's checks: path, outage, credentials, rate,
// job, faults, answer. send.ts sends it.
import type { IncomingHttpHeaders } from 'node:http'
import { after } from '../base/clock.ts'
import type { Account } from './accounts.ts'
import { answerAt, bodyOf, headersOf } from './answers.ts'
import { faultsAt, type RefusalFault, reshape, sortFaults, type TransportFault, type WritingFault } from './faults.ts'
import { type Json, RawText } from './json.ts'
import type { VendorName } from './script.ts'
import { type Answer, type Call, type Refusal, refusalStatus, type Vendor } from './vendor.ts'
import { type TrackedJob, vendors, type World } from './world.ts'

/** A request below a vendor's base URL. */
export interface VendorRequest {
  method: string
  /** Decoded. Null: the path can't be decoded. */
  segments: readonly string[] | null
  query: URLSearchParams
  /** Path and query as they came, below the vendor's base URL. */
  url: string
  headers: IncomingHttpHeaders
  /** Of a POST. */
  body: string
  /** The origin by which the client reached the sandbox. */
  origin: string
}

export interface VendorResponse {
  call: Call | null
  answer: Answer
  /** How the transport breaks the answer. Null: it doesn't. */
  transport: TransportFault | null
  writing: readonly WritingFault[]
}

export function respond<P extends VendorName>(world: World, provider: P, request: VendorRequest): VendorResponse {
  const vendor: Vendor<P> = vendors[provider]
  const account: Account<P> = world.accounts[provider]
  const { segments, query, url, headers, method, body, origin } = request
  const post = method === 'POST' ? body : null
  const asked = segments !== null && (method === 'GET' || post !== null) ? vendor.readCall(segments, query, post) : null
  const call = asked && { ...asked, origin }
  const now = world.clock.now()
  const outage = sortFaults(account.outage === null ? [] : [account.outage])
  let { transport, writing } = outage
  const respondWith = (answer: Answer): VendorResponse => ({ call, answer, transport, writing })
  const refuse = (refusal: Refusal) => respondWith(refusalAnswer(vendor, refusal, now))

  if (segments === null) return refuse('bad_request')
  if (call === null) return refuse('not_found')
  if (outage.refusal !== null) return respondWith(faultAnswer(world, vendor, outage.refusal))
  const verdict = vendor.authorise(account, headers, call)
  if (verdict !== 'ok') return refuse(verdict)
  const waitS = account.limiter.take()
  if (waitS !== null) return respondWith(refusalAnswer(vendor, 'rate_limited', now, { waitS }))

  const job = world.find(provider, call.jobId)
  if (job === null) return refuse('not_found')
  const { script } = job
  const elapsedMs = Math.max(0, now.getTime() - job.createdAt.getTime())
  job.requests[call.kind]++
  job.firstAskedAt ??= now
  if (elapsedMs >= (script.expiresAfterMs ?? vendor.keepsForMs ?? Number.POSITIVE_INFINITY)) return refuse('not_found')

  const faults = faultsAt(script.faults, { kind: call.kind, nth: job.requests, elapsedMs })
  transport ??= faults.transport
  writing = [...writing, ...faults.writing]
  if (faults.refusal !== null) return respondWith(faultAnswer(world, vendor, faults.refusal))
  const answer = scriptedAnswer(vendor, job, call, url, now) ?? vendor.answer(job, call, elapsedMs)
  if (typeof answer === 'string') return refuse(answer)
  const spoilt = [...outage.body, ...faults.body]
  return respondWith({
    ...answer,
    body: spoilt.reduce((body, fault) => reshape(body, fault, vendor.shape), answer.body),
  })
}

function scriptedAnswer(
  vendor: Pick<Vendor<VendorName>, 'refusalBody'>,
  job: TrackedJob,
  call: Call,
  url: string,
  now: Date,
): Answer | null {
  const nth = job.requests[call.kind]
  const sinceFirstMs = now.getTime() - (job.firstAskedAt ?? now).getTime()
  const due = answerAt(job.script.answers, { kind: call.kind, nth, sinceFirstMs, url })
  if (due === null) return null
  const times = { now, created: job.createdAt }
  const body = bodyOf(due, nth, times) ?? ownRefusal(vendor, due.status)
  return { status: due.status, headers: headersOf(due, times), body }
}

/** Returns the vendor's own words for the status. Returns an empty body if it has none. */
function ownRefusal(vendor: Pick<Vendor<VendorName>, 'refusalBody'>, status: number): Json {
  const refusal = (Object.keys(refusalStatus) as Refusal[]).find((name) => refusalStatus[name] === status)
  return refusal === undefined ? new RawText('') : vendor.refusalBody(refusal)
}

function faultAnswer(world: World, vendor: Refusing, fault: RefusalFault): Answer {
  const now = world.clock.now()
  const waitS = 'retryAfterS' in fault ? fault.retryAfterS : null
  if (waitS === null || !('retryAfterForm' in fault)) return refusalAnswer(vendor, fault.kind, now)
  return refusalAnswer(vendor, fault.kind, now, { waitS, asDate: fault.retryAfterForm === 'date' })
}

type Refusing = Pick<Vendor<VendorName>, 'refusalBody' | 'refuse'>

function refusalAnswer(
  vendor: Refusing,
  refusal: Refusal,
  now: Date,
  { waitS = null, asDate = false }: { waitS?: number | null; asDate?: boolean } = {},
): Answer {
  const own = vendor.refuse?.(refusal, { waitS, now })
  if (own) return own
  // An HTTP date has whole seconds. It is rounded up, so that it is never too early.
  const nowS = Math.ceil(now.getTime() / 1_000)
  const retryAfter = asDate ? after(new Date(nowS * 1_000), (waitS ?? 0) * 1_000).toUTCString() : String(waitS)
  return {
    status: refusalStatus[refusal],
    headers: waitS === null ? {} : { 'retry-after': retryAfter },
    body: vendor.refusalBody(refusal),
  }
}
