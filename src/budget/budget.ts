// Owns how many requests a connection may make now: in flight, at an even pace (a second, a minute), and in calendar
// windows (a day, a month). Pure. connections/ asks before it begins due work, and for each further request.

export interface Budget {
  maxInFlight: number
  /** Null: no limit. */
  requestsPerSecond: number | null
  requestsPerMinute: number | null
  /** Days and months are those of UTC. */
  requestsPerDay: number | null
  requestsPerMonth: number | null
}

/** The stored spending (db/schema/connections.ts). Times are epoch milliseconds. */
export interface Spending {
  nextRequestAt: number | null
  budgetDay: string | null
  dayRequests: number
  budgetMonth: string | null
  monthRequests: number
  /** Requests of the past, each counting less the longer ago it was, as of `recentAt`. */
  recentRequests: number
  recentAt: number | null
}

/** A calendar window: what its limit is, what it is called, how much of it is used, and when the next one begins. */
interface Window {
  limit(budget: Budget): number | null
  nameAt(now: number): string
  counted(spending: Spending): { name: string | null; requests: number }
  endsAt(now: number): number
}

const day: Window = {
  limit: ({ requestsPerDay }) => requestsPerDay,
  nameAt: (now) => new Date(now).toISOString().slice(0, 10),
  counted: ({ budgetDay, dayRequests }) => ({ name: budgetDay, requests: dayRequests }),
  endsAt: (now) => startOf(now, 0, 1),
}
const month: Window = {
  limit: ({ requestsPerMonth }) => requestsPerMonth,
  nameAt: (now) => new Date(now).toISOString().slice(0, 7),
  counted: ({ budgetMonth, monthRequests }) => ({ name: budgetMonth, requests: monthRequests }),
  endsAt: (now) => startOf(now, 1, 0),
}
const windows = [day, month]

/** How fast requests of the past stop counting as recent. */
const recentMs = 24 * 3_600_000

/** Returns how many requests may start at `now`, with `inFlight` under way. */
export function allowance(budget: Budget, spending: Spending, inFlight: number, now: number): number {
  const room = budget.maxInFlight - inFlight
  const left = windows.map((window) => leftIn(window, budget, spending, now))
  return Math.max(0, Math.min(room, leftByPace(budget, spending, now), ...left))
}

/** Returns the spending after that many more requests. */
export function spend(budget: Budget, spending: Spending, requests: number, now: number): Spending {
  const gap = gapMs(budget)
  return {
    nextRequestAt: gap === null ? null : Math.max(spending.nextRequestAt ?? 0, now) + requests * gap,
    budgetDay: day.nameAt(now),
    dayRequests: usedIn(day, spending, now) + requests,
    budgetMonth: month.nameAt(now),
    monthRequests: usedIn(month, spending, now) + requests,
    recentRequests: recentAt(spending, now) + requests,
    recentAt: now,
  }
}

/** Returns when the next request may start: now, when the pace allows it, or when a new day or month (UTC) begins. */
export function nextRequestAt(budget: Budget, spending: Spending, now: number): number {
  const until = usedUpUntil(budget, spending, now)
  if (until !== null) return until
  if (leftByPace(budget, spending, now) >= 1) return now
  return (spending.nextRequestAt ?? now) - burstMs(budget)
}

/** Returns when the day or the month that is used up ends. Null: neither is. */
export function usedUpUntil(budget: Budget, spending: Spending, now: number): number | null {
  const usedUp = windows.filter((window) => leftIn(window, budget, spending, now) < 1)
  return usedUp.length === 0 ? null : Math.max(...usedUp.map(({ endsAt }) => endsAt(now)))
}

/** Returns true if requests have to be counted before they start. */
export function isMetered(budget: Budget): boolean {
  return gapMs(budget) !== null || isCounted(budget)
}

/** Returns true if a day or a month has a limit, so that calls may run out. */
export function isCounted(budget: Budget): boolean {
  return windows.some(({ limit }) => limit(budget) !== null)
}

/** What is left of a window, and the milliseconds until the next one begins. */
export interface Left {
  requests: number
  ms: number
}

/** Returns what is left of each window that has a limit. */
export function leftOf(budget: Budget, spending: Spending, now: number): Left[] {
  return windows
    .filter(({ limit }) => limit(budget) !== null)
    .map((window) => ({ requests: leftIn(window, budget, spending, now), ms: window.endsAt(now) - now }))
}

/** Returns the most requests a second that the pace allows. Infinity: as many as one likes. */
export function pacePerSecond(budget: Budget): number {
  const gap = gapMs(budget)
  return gap === null ? Number.POSITIVE_INFINITY : 1_000 / gap
}

/** What is used of a day or a month (UTC). */
export interface UsedWindow {
  /** As `2026-11-26` or `2026-11`. */
  name: string
  used: number
  /** Null: there is no limit. */
  limit: number | null
  endsAt: number
}

/** Returns what is used of the day and of the month. */
export function usedWindows(budget: Budget, spending: Spending, now: number): UsedWindow[] {
  return windows.map((window) => ({
    name: window.nameAt(now),
    used: usedIn(window, spending, now),
    limit: window.limit(budget),
    endsAt: window.endsAt(now),
  }))
}

/** A connection's use of a month (UTC). */
export interface Usage {
  /** As `2026-11`. */
  month: string
  used: number
  /** Null: the month has no limit. */
  left: number | null
  /** When nothing will be left, at the rate of the last day. Null: the month ends before, or has no limit. */
  runsOutAt: number | null
}

/** Returns the usage of the month, by a connection that exists since `createdAt`. */
export function usageOf(budget: Budget, spending: Spending, createdAt: number, now: number): Usage {
  const usage = { month: month.nameAt(now), used: usedIn(month, spending, now) }
  if (budget.requestsPerMonth === null) return { ...usage, left: null, runsOutAt: null }
  const left = leftIn(month, budget, spending, now)
  // A younger connection than a day has made its recent requests in less than one.
  const seenMs = recentMs * (1 - Math.exp(-Math.max(now - createdAt, 1_000) / recentMs))
  const runsOutAt = left === 0 ? now : now + (left * seenMs) / recentAt(spending, now)
  return { ...usage, left, runsOutAt: runsOutAt < month.endsAt(now) ? runsOutAt : null }
}

/** GCRA (ITU-T I.371): an even pace. A tenth of a second's worth may go at once, and at least one request. */
function leftByPace(budget: Budget, spending: Spending, now: number): number {
  const gap = gapMs(budget)
  if (gap === null) return Number.POSITIVE_INFINITY
  const ahead = Math.max((spending.nextRequestAt ?? now) - now, 0)
  return Math.max(0, Math.floor((burstMs(budget) + gap - ahead) / gap + 1e-9))
}

/** Returns the gap of the even pace, in milliseconds. Null: there is no limit of a second or a minute. */
function gapMs({ requestsPerSecond, requestsPerMinute }: Budget): number | null {
  const gaps = [
    ...(requestsPerSecond === null ? [] : [1_000 / requestsPerSecond]),
    // The longest burst included, no minute sees more than its limit.
    ...(requestsPerMinute === null ? [] : [(60_000 + mostBurstMs) / requestsPerMinute]),
  ]
  return gaps.length === 0 ? null : Math.max(...gaps)
}

const mostBurstMs = 100

/** Returns how far requests may run ahead of the even pace, without the request itself. */
function burstMs(budget: Budget): number {
  return Math.max(0, mostBurstMs - (gapMs(budget) ?? 0))
}

/** Returns by how many milliseconds the pace can be ahead: by the requests that may be under way, and reserved ones. */
export function maxAheadMs(budget: Budget): number {
  return (budget.maxInFlight + 2) * (gapMs(budget) ?? 0)
}

function leftIn(window: Window, budget: Budget, spending: Spending, now: number): number {
  const limit = window.limit(budget)
  return limit === null ? Number.POSITIVE_INFINITY : Math.max(0, limit - usedIn(window, spending, now))
}

/** A later window was counted by a clock that was ahead, so its requests belong to this one. */
function usedIn({ nameAt, counted }: Window, spending: Spending, now: number): number {
  const { name, requests } = counted(spending)
  return name !== null && name >= nameAt(now) ? requests : 0
}

function recentAt({ recentRequests, recentAt: at }: Spending, now: number): number {
  return at === null ? 0 : recentRequests * Math.exp(-Math.max(now - at, 0) / recentMs)
}

function startOf(now: number, monthsOn: number, daysOn: number): number {
  const date = new Date(now)
  const dayOfMonth = monthsOn > 0 ? 1 : date.getUTCDate() + daysOn
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + monthsOn, dayOfMonth)
}
