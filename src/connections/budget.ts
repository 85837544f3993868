// Owns how much a connection may ask right now: requests in flight, a second and a month. Pure; rooms.ts asks it
// before it claims due work, and reserve.ts reserves what a job needs beyond its first request.

export interface Budget {
  maxInFlight: number
  /** Null: no limit. */
  requestsPerSecond: number | null
  requestsPerMonth: number | null
}

/** What is stored of the spending (see db/schema/connections.ts). Times are epoch milliseconds. */
export interface Spending {
  nextRequestAt: number | null
  budgetMonth: string | null
  monthRequests: number
}

/** How many requests may start at `now`, with `inFlight` under way. */
export function allowance(budget: Budget, spending: Spending, inFlight: number, now: number): number {
  const room = budget.maxInFlight - inFlight
  return Math.max(0, Math.min(room, leftThisSecond(budget, spending, now), leftThisMonth(budget, spending, now)))
}

/** The spending after `requests` more. */
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

/** When the next request may start: now, when the second's share is free again, or when the next month (UTC) begins. */
export function nextRequestAt(budget: Budget, spending: Spending, now: number): number {
  if (leftThisMonth(budget, spending, now) < 1) return nextMonth(now)
  if (budget.requestsPerSecond === null || leftThisSecond(budget, spending, now) >= 1) return now
  return (spending.nextRequestAt ?? now) - burstMs(budget.requestsPerSecond)
}

/** Whether requests have to be counted at all. */
export function isMetered(budget: Budget): boolean {
  return budget.requestsPerSecond !== null || budget.requestsPerMonth !== null
}

/** GCRA (ITU-T I.371): an even pace, of which a tenth of a second's worth may go at once, and at least one request. */
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

/** A month that is still to come was counted by a clock that was ahead: so these requests are of this one. */
function usedThisMonth({ budgetMonth, monthRequests }: Spending, now: number): number {
  return budgetMonth !== null && budgetMonth >= monthOf(now) ? monthRequests : 0
}

/** How far ahead the pace can be, in milliseconds: by as many requests as may be under way, and one that is reserved. */
export function mostAheadMs({ requestsPerSecond, maxInFlight }: Budget): number {
  return requestsPerSecond === null ? 0 : ((maxInFlight + 2) * 1_000) / requestsPerSecond
}

/** How far ahead of the even pace requests may run, less the request itself. */
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
