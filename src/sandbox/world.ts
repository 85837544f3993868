// Owns the memory of a running sandbox: its accounts, its jobs and its last requests.
import type { Clock } from '../base/clock.ts'
import { type Accounts, createAccounts, type RateLimits } from './accounts.ts'
import { cdq } from './cdq.ts'
import type { CallKind } from './faults.ts'
import { fullstory } from './fullstory.ts'
import { micro } from './micro.ts'
import type { Script, VendorName } from './script.ts'
import type { Job, Vendor } from './vendor.ts'
import { documentVendors } from './vendors/all.ts'
import { zilliant } from './zilliant.ts'

export const vendors: { readonly [P in VendorName]: Vendor<P> } = {
  cdq,
  micro,
  zilliant,
  fullstory,
  ...documentVendors,
}

/** A job, and how often each kind of call asked for it. */
export interface TrackedJob extends Job {
  provider: VendorName
  requests: Record<CallKind, number>
  /** Null: nobody has asked yet. */
  firstAskedAt: Date | null
}

/** A request with its answer's status. */
export interface RequestRecord {
  provider: VendorName
  /** Null, like `kind`: the vendor has no such path. */
  jobId: string | null
  kind: CallKind | null
  cursor: string | null
  /** Path and query as they came, below the vendor's base URL. */
  url: string
  at: Date
  /** Null: never answered (a time-out or a reset). */
  status: number | null
}

export interface World {
  clock: Clock
  accounts: Accounts
  /** Returns null if the vendor already has a job with this id. */
  add(script: Script): TrackedJob | null
  find(provider: VendorName, jobId: string): TrackedJob | null
  jobs(): TrackedJob[]
  record(request: RequestRecord): void
  /** Returns the last requests, the oldest first. */
  requests(): RequestRecord[]
}

export function createWorld(deps: { clock: Clock; rateLimits?: RateLimits; keepRequests?: number }): World {
  const { clock, rateLimits = {}, keepRequests = 10_000 } = deps
  const jobs = new Map<string, TrackedJob>()
  // A ring: the slot after the newest record holds the oldest.
  const ring: RequestRecord[] = []
  let next = 0

  /** Some vendors' ids are short numbers, which come again. */
  function freeJobId(provider: VendorName): string {
    for (;;) {
      const jobId = vendors[provider].newJobId()
      if (!jobs.has(keyOf(provider, jobId))) return jobId
    }
  }

  return {
    clock,
    accounts: createAccounts(clock, rateLimits, documentVendors),
    add(script) {
      const { provider } = script
      const jobId = script.jobId ?? freeJobId(provider)
      const key = keyOf(provider, jobId)
      if (jobs.has(key)) return null
      const requests = { status: 0, details: 0, summary: 0 }
      const job: TrackedJob = { provider, jobId, script, createdAt: clock.now(), requests, firstAskedAt: null }
      jobs.set(key, job)
      return job
    },
    find: (provider, jobId) => jobs.get(keyOf(provider, jobId)) ?? null,
    jobs: () => [...jobs.values()],
    record(request) {
      ring[next] = request
      next = (next + 1) % keepRequests
    },
    requests: () => [...ring.slice(next), ...ring.slice(0, next)],
  }
}

function keyOf(provider: VendorName, jobId: string): string {
  return `${provider} ${jobId}`
}
