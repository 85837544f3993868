// Owns how many requests a connection may make now: in flight, a second and a month. Pure. rooms.ts asks before it
// begins due work, and reserve.ts reserves further requests of the same work.

export interface Budget {
  maxInFlight: number
  /** Null: no limit. */
  requestsPerSecond: number | null
  requestsPerMonth: number | null
}

/** The stored spending (db/schema/connections.ts). Times are epoch milliseconds. */
export interface Spending {
  nextRequestAt: number | null
  budgetMonth: string | null
  monthRequests: number
}

/** Returns how many requests may start at `now`, with `inFlight` under way. */
export function allowance(budget: Budget, spending: Spending, inFlight: number, now: number): number {
  const room = budget.maxInFlight - inFlight
  return Math.max(0, Math.min(room, leftThisSecond(budget, spending, now), leftThisMonth(budget, spending, now)))
}

/** Returns the spending after that many more requests. */
export function spend(budget: Budget, spending: Spending, requests: number, now: number): Spending {
  const month = monthOf(now)
  const gap = budget.requestsPerSecond === null ? 0 : 1_000 / budget.requestsPerSecond
  return {
    nextRequestAt:
      budget.requestsPerSecond === null ? null : Math.max(spending.nextRequestAt ?? 0, now) + requests * gap,
    budgetMonth: month,
    monthRequests: usedThisMonth(spending, now) + requests,
  }
}

/** Returns when the next request may start: now, when the pace allows it, or when the next month (UTC) begins. */
export function nextRequestAt(budget: Budget, spending: Spending, now: number): number {
  if (leftThisMonth(budget, spending, now) < 1) return nextMonth(now)
  if (budget.requestsPerSecond === null || leftThisSecond(budget, spending, now) >= 1) return now
  return (spending.nextRequestAt ?? now) - burstMs(budget.requestsPerSecond)
}

/** Returns true if requests have to be counted at all. */
export function isMetered(budget: Budget): boolean {
  return budget.requestsPerSecond !== null || budget.requestsPerMonth !== null
}

/** GCRA (ITU-T I.371): an even pace. A tenth of a second's worth may go at once, and at least one request. */
function leftThisSecond({ requestsPerSecond }: Budget, { nextRequestAt }: Spending, now: number): number {
  if (requestsPerSecond === null) return Number.POSITIVE_INFINITY
  const gap = 1_000 / requestsPerSecond
  const ahead = Math.max((nextRequestAt ?? now) - now, 0)
  return Math.max(0, Math.floor((burstMs(requestsPerSecond) + gap - ahead) / gap + 1e-9))
}

function leftThisMonth({ requestsPerMonth }: Budget, spending: Spending, now: number): number {
  if (requestsPerMonth === null) return Number.POSITIVE_INFINITY
  return Math.max(0, requestsPerMonth - usedThisMonth(spending, now))
}

/** A later month was counted by a clock that was ahead, so its requests belong to this month. */
function usedThisMonth({ budgetMonth, monthRequests }: Spending, now: number): number {
  return budgetMonth !== null && budgetMonth >= monthOf(now) ? monthRequests : 0
}

/** Returns by how many milliseconds the pace can be ahead: by the requests that may be under way, and reserved ones. */
export function maxAheadMs({ requestsPerSecond, maxInFlight }: Budget): number {
  return requestsPerSecond === null ? 0 : ((maxInFlight + 2) * 1_000) / requestsPerSecond
}

/** Returns how far requests may run ahead of the even pace, without the request itself. */
function burstMs(requestsPerSecond: number): number {
  return Math.max(0, 100 - 1_000 / requestsPerSecond)
}

function monthOf(now: number): string {
  return new Date(now).toISOString().slice(0, 7)
}

function nextMonth(now: number): number {
  const date = new Date(now)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}
