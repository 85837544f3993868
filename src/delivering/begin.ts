// Owns which attempts begin now, their data, and writing their rows before any request.
import { after } from '../base/clock.ts'
import { DecryptionError, type Encryption } from '../base/encryption.ts'
import type { Transaction } from '../db/client.ts'
import { type CustomHeaders, openHeaders } from '../webhooks/endpoints/headers.ts'
import { signingSecrets } from '../webhooks/endpoints/secrets.ts'
import type { Begun, Served } from '../work/kind.ts'
import { type Condition, type Crowd, choose, most, type Places, placesOf, restOf, type UnderWay } from './allot.ts'
import { attemptsMade, countAttempts, endUnsendable } from './count.ts'
import { type DueRow, type Endpoint, type EndpointWithDue, readDue } from './longest-due.ts'

/** How many attempts one pass begins at most, so that the pass stays short. */
const mostAtOnce = 150

export interface BeginDeps {
  encryption: Encryption
  /** The process's uptime in milliseconds, by a clock that nobody sets. */
  uptime?: () => number
}

/** The secrets that sign. Null: no accepted key decrypts them, so nothing can be sent. */
type Secrets = readonly string[] | null

/** An attempt whose row is written. */
export interface Attempt {
  /** The id of the delivery. */
  id: string
  /** The id of the endpoint. */
  ownerId: string
  /** From 1, manual attempts included. */
  number: number
  manual: boolean
  /** True: the attempt counts as a retry of its endpoint. */
  isRetry: boolean
  /**
   * Automatic attempts of the schedule so far, including this one if it is automatic; and all attempts before the
   * schedule began.
   */
  attempts: number
  earlierAttempts: number
  startedAt: Date
  /** The same moment by a clock that nobody sets. */
  startedUptime: number
  /** When the attempt was due, and when the event was written. */
  dueAt: Date
  createdAt: Date
  event: { id: string; type: string; body: string }
  endpoint: { id: string; url: string; headers: CustomHeaders; secrets: Secrets; health: Condition }
}

/**
 * Writes the attempts as `in_flight` and counts them before any request, so that a crash leaves a trace. Deliveries
 * that can't be sent end: their endpoint is disabled or deleted, their event is deleted, or they are no longer pending.
 */
export async function beginAttempts(
  { encryption, uptime = () => performance.now() }: BeginDeps,
  tx: Transaction,
  { owners, room, crowd, now }: { owners: readonly Served<Attempt>[]; room: number; crowd: Crowd; now: Date },
): Promise<Begun<Attempt>> {
  const busy = owners.map((owner) => ({ ...owner, busy: underWayOf(owner, uptime()) }))
  const found = await readDue(tx, busy, now)
  const places = new Map<string, Places>()
  for (const { id, busy: underWay } of busy) {
    const endpoint = found.get(id)?.endpoint
    if (endpoint) places.set(id, endpoint.isGone ? ending : placesOf(endpoint, underWay, { now, crowd }))
  }
  const wanted = chooseOf(found, places, Math.min(room, mostAtOnce))
  const isSendable = (row: DueRow) => found.get(row.endpointId)?.endpoint.isGone === false && isWanted(row)
  const sendable = wanted.chosen.filter(isSendable)
  const counted = await countAttempts(tx, sendable, now)
  const over = wanted.chosen.filter((row) => !isSendable(row) || !counted.events.has(row.eventId))
  await endUnsendable(tx, over)
  const opened = openerOf(encryption, now)
  const items = sendable.flatMap((row): Attempt[] => {
    const endpoint = found.get(row.endpointId)?.endpoint
    const event = counted.events.get(row.eventId)
    if (!endpoint || !event || !counted.ids.has(row.id)) return []
    return [attemptOf(row, { event, endpoint: opened(endpoint) }, { now, uptime: uptime() })]
  })
  for (const { endpointId } of over) wanted.cut.add(endpointId)
  const next = new Map<string, Date>()
  const closed = new Map<string, Date>()
  const begun = Map.groupBy(items, ({ ownerId }) => ownerId)
  const isBusy = new Set(owners.filter(({ underWay }) => underWay.size > 0).map(({ id }) => id))
  for (const [id, place] of places) {
    const begins = begun.get(id)?.length ?? 0
    const restMs = restOf(place, begins)
    if (wanted.cut.has(id)) next.set(id, now)
    // Where nothing is under way, nothing will end: the lease goes back, and a probe is found when it is due.
    else if (restMs !== null && (begins > 0 || isBusy.has(id))) closed.set(id, after(now, restMs))
  }
  return { items, next, closed }
}

/** The places of an endpoint that takes nothing any more: everything due ends. */
const ending: Places = {
  asked: most.all,
  together: most.all,
  firsts: most.all,
  retries: most.retries,
  keepsOne: true,
  isProbe: false,
  isInTrouble: false,
}

function underWayOf({ underWay, isQuick }: Served<Attempt>, at: number): UnderWay {
  let [firsts, retries, longestMs] = [0, 0, 0]
  for (const { isRetry, startedUptime } of underWay.values()) {
    if (isRetry) retries += 1
    else firsts += 1
    longestMs = Math.max(longestMs, at - startedUptime)
  }
  return { firsts, retries, longestMs, isQuick }
}

/**
 * Returns which deliveries begin, at most `room` of all. Each endpoint gets one more than it has under way before any
 * gets a second. `cut`: the endpoints that would have begun more.
 */
function chooseOf(
  found: ReadonlyMap<string, EndpointWithDue>,
  places: ReadonlyMap<string, Places>,
  room: number,
): { chosen: DueRow[]; cut: Set<string> } {
  const wanted = [...found].flatMap(([id, { due: rows }]) => {
    const place = places.get(id) as Places
    const chosen = choose(place, {
      asked: rows.filter(({ isAsked }) => isAsked),
      firsts: rows.filter(({ isAsked, isRetry }) => !isAsked && !isRetry),
      retries: rows.filter(({ isAsked, isRetry }) => !isAsked && isRetry),
    })
    return chosen.map((row, index) => ({ row, turn: most.all - place.asked + index }))
  })
  if (wanted.length > room) wanted.sort((a, b) => a.turn - b.turn)
  return {
    chosen: wanted.slice(0, room).map(({ row }) => row),
    cut: new Set(wanted.slice(room).map(({ row }) => row.endpointId)),
  }
}

function isWanted({ state, isAsked }: DueRow): boolean {
  return isAsked || state === 'pending'
}

function attemptOf(
  row: DueRow,
  { event, endpoint }: Pick<Attempt, 'event' | 'endpoint'>,
  { now, uptime }: { now: Date; uptime: number },
): Attempt {
  return {
    id: row.id,
    ownerId: endpoint.id,
    number: attemptsMade(row) + 1,
    manual: row.isAsked,
    isRetry: row.isRetry && !row.isAsked,
    attempts: row.attempts + (row.isAsked ? 0 : 1),
    earlierAttempts: row.earlierAttempts,
    startedAt: now,
    startedUptime: uptime,
    dueAt: row.dueAt,
    createdAt: row.createdAt,
    event,
    endpoint,
  }
}

/** Decrypts the secrets of each endpoint once. */
function openerOf(encryption: Encryption, now: Date): (endpoint: Endpoint) => Attempt['endpoint'] {
  const opened = new Map<string, Attempt['endpoint']>()
  return (endpoint) => {
    const { id, url } = endpoint
    const one = opened.get(id) ?? { id, url, ...open(encryption, endpoint, now), health: endpoint }
    opened.set(id, one)
    return one
  }
}

function open(encryption: Encryption, endpoint: Endpoint, now: Date): { headers: CustomHeaders; secrets: Secrets } {
  try {
    return { headers: openHeaders(encryption, endpoint), secrets: signingSecrets(encryption, endpoint, now) }
  } catch (error) {
    if (error instanceof DecryptionError) return { headers: {}, secrets: null }
    throw error
  }
}
