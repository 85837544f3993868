// Owns how much an endpoint may begin, by its requests under way and its health, so that a slow or dead endpoint holds
// up no other. Pure.
//
// | | first attempts | retries | together |
// |---|---|---|---|
// | usually | 5, or 4 while a retry waits | 3 | 5 |
// | while a request takes long | 2 | 1 | 5 |
// | in a busy process, unless it is quick | 2 | 2 | 2 |
// | in a crowded process, unless it is quick | 1 | 1 | 1 |
// | while its breaker is open | | | 1, a probe |
//
// Requested attempts go first and pass an open breaker, within the five.
import { type Health, isHeldBack } from '../webhooks/endpoints/health.ts'

/** How many requests one endpoint has under way at most. */
export const most = { all: 5, retries: 3 }
const mostWhileSlow = { firsts: 2, retries: 1 }
/**
 * How many requests a process has under way, from which on each of them counts. A thousand endpoints that stop answering
 * at the same moment must leave room for the one that still answers.
 */
export type Crowd = 'roomy' | 'busy' | 'crowded'
const busyFrom = 0.1
const crowdedFrom = 0.5
/** How many requests an endpoint has under way at most that isn't quick. */
const mostUnproven: Record<Crowd, number> = { roomy: most.all, busy: 2, crowded: 1 }
/** An endpoint that lets a request wait longer than this is slow. The second limit counts in a crowded process. */
const slowMs = { usually: 1_000, whereCrowded: 100 }
/** After this many failures in a row, an endpoint that has answered before is in trouble. */
export const failuresToTrouble = 3
/** How long a full endpoint rests, unless something ends before; and how long one in trouble rests between attempts. */
const restMs = 2_000
const restInTroubleMs = 1_000

/** The condition of an endpoint. */
export interface Condition extends Health {
  /** Null: no attempt has succeeded yet. */
  lastSuccessAt: Date | null
  blockedUntil: Date | null
}

/** What one endpoint has under way. Requested attempts count as first attempts. */
export interface UnderWay {
  firsts: number
  retries: number
  /** How long the longest of them has taken, by a clock that nobody sets. */
  longestMs: number
  /** True: it has answered quickly of late. */
  isQuick: boolean
}

/** How many attempts may begin at most. */
export interface Places {
  asked: number
  /** The bound for all kinds together. Requested attempts may exceed it, but then nothing else begins. */
  together: number
  firsts: number
  retries: number
  /** True: one place is kept for a retry if one is due. */
  keepsOne: boolean
  /** True: only one attempt may begin, to find out whether the endpoint answers again. */
  isProbe: boolean
  isInTrouble: boolean
}

/** The due deliveries of an endpoint, each list with the longest due first. */
export interface Due<D> {
  asked: readonly D[]
  firsts: readonly D[]
  retries: readonly D[]
}

const none: Places = {
  asked: 0,
  together: 0,
  firsts: 0,
  retries: 0,
  keepsOne: false,
  isProbe: false,
  isInTrouble: true,
}

/** Returns how crowded a process is that has so many of at most `most` requests under way. */
export function crowdOf(underWay: number, most: number): Crowd {
  if (underWay < busyFrom * most) return 'roomy'
  return underWay < crowdedFrom * most ? 'busy' : 'crowded'
}

export function placesOf(
  endpoint: Condition,
  { firsts, retries, longestMs, isQuick }: UnderWay,
  { now, crowd }: { now: Date; crowd: Crowd },
): Places {
  if (endpoint.blockedUntil !== null && endpoint.blockedUntil > now) return none
  const free = Math.max(0, most.all - firsts - retries)
  const unasked = isQuick ? free : Math.max(0, mostUnproven[crowd] - firsts - retries)
  if (isHeldBack(endpoint, now)) return { ...none, asked: free }
  const isProbe = endpoint.failingSince !== null
  const isSlow = longestMs >= (crowd === 'crowded' ? slowMs.whereCrowded : slowMs.usually)
  const isInTrouble = endpoint.lastSuccessAt === null || endpoint.failures >= failuresToTrouble
  // One in a pass: thousands of endpoints may be in trouble, and their attempts take long.
  const atOnce = isInTrouble ? 1 : most.all
  return {
    asked: free,
    together: isProbe ? Math.max(0, 1 - firsts - retries) : unasked,
    firsts: within((isSlow ? mostWhileSlow.firsts : most.all) - firsts, atOnce),
    retries: within((isSlow ? mostWhileSlow.retries : most.retries) - retries, atOnce),
    keepsOne: retries === 0 && !isProbe,
    isProbe,
    isInTrouble,
  }
}

function within(places: number, atOnce: number): number {
  return Math.max(0, Math.min(places, atOnce))
}

/** Returns which due deliveries begin, the most urgent first. */
export function choose<D extends { dueAt: Date }>(places: Places, due: Due<D>): D[] {
  const asked = due.asked.slice(0, places.asked)
  const left = Math.max(0, Math.min(places.asked, places.together) - asked.length)
  if (places.isProbe) {
    const longestDue = [...due.firsts.slice(0, places.firsts), ...due.retries.slice(0, places.retries)]
    return [...asked, ...longestDue.toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime()).slice(0, left)]
  }
  const retries = due.retries.slice(0, places.retries)
  const kept = places.keepsOne && retries.length > 0 ? 1 : 0
  const firsts = due.firsts.slice(0, Math.max(0, Math.min(places.firsts, left - kept)))
  return [...asked, ...firsts, ...retries.slice(0, left - firsts.length)]
}

/**
 * Returns for how long nothing more may begin, unless something ends before. Returns null if new due deliveries may
 * begin at once.
 */
export function restOf(places: Places, begun: number): number | null {
  if (places.isInTrouble && begun > 0) return restInTroubleMs
  const isFull = begun >= places.asked || begun >= places.together || begun >= places.firsts + places.retries
  return isFull ? restMs : null
}
