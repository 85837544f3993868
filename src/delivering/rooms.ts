// Owns which webhook deliveries are due now: by endpoint, so that a slow or dead one holds up nobody else.
//
// Endpoints share three lanes, a queue each with slots of its own, and each lane is looked at apart from the others:
//
// | `deliver` | first attempts to endpoints that have answered, and whose last few attempts didn't all fail |
// | `trial` | first attempts to the others; those that failed least go first |
// | `retry` | retries, and what is recovered or replayed |
//
// What an endpoint may have under way:
//
// | | first attempts | retries | together |
// |---|---|---|---|
// | usually | 5, or 4 while a retry waits | 3 | 5 |
// | while a request takes long | 2 | 1 | 5 |
// | while its breaker is open | | | 1, a probe |
//
// What somebody asked for goes with first attempts, before them and past an open breaker, within the five.
import { type SQL, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import type { DeliveryLane } from '../queue/jobs.ts'
import { attemptLeaseMs } from './begin.ts'

/**
 * How long a claimed delivery may wait in its queue. By ten seconds longer than an attempt's lease: so a slow attempt
 * shows in its lease, and one that hasn't begun doesn't look like it.
 */
export const deliveryLeaseMs = attemptLeaseMs + 10_000
/** Under way to one endpoint at the most. */
const most = { all: 5, retries: 3 }
/**
 * A thousand endpoints that hang all at once must not keep every slot from those that answer: one that lets a request
 * wait longer than this has fewer under way.
 */
const slowMs = 1_000
const mostWhileSlow = { firsts: 2, retries: 1 }
/** Failures in a row from which an endpoint that has answered is tried apart from those that answer. */
const failuresToTrial = 3

export interface DueDelivery {
  id: string
  /** Which attempt it is, from 1, those that somebody asked for counted too. */
  number: number
  /** Somebody asked for this attempt; it is counted apart from the retry schedule. */
  manual: boolean
}

/** Claims what is due in a lane, under leases; `room`: how many the lane takes now. */
export async function claimDeliveries(
  db: Database,
  now: Date,
  lane: DeliveryLane,
  room: number,
): Promise<DueDelivery[]> {
  // Looked for without a lock, since a look at many endpoints takes its time; what has changed since then isn't leased.
  const found = room > 0 ? await candidates(db, now, lane, room) : []
  if (found.length === 0) return []
  return db.transaction(async (tx) => {
    // "deli". Nobody waits for the disk: with Postgres itself a lease may be lost, and is given again.
    await tx.execute(sql`
      SELECT pg_advisory_xact_lock(${0x64656c69}), set_config('synchronous_commit', 'off', true)`)
    return lease(tx, now, await withinLimits(tx, found))
  })
}

/** Ends the leases that are over: what they kept is due again. */
export async function endDeliveryLeases(db: Database, now: Date): Promise<void> {
  await db.execute(sql`
    UPDATE deliveries SET lease_until = NULL
    WHERE id IN (SELECT id FROM deliveries WHERE lease_until <= ${now} FOR UPDATE SKIP LOCKED)`)
}

/** Gives back deliveries that could not be enqueued. */
export async function releaseDeliveries(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`UPDATE deliveries SET lease_until = NULL WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}

interface Candidate extends Record<string, unknown> {
  id: string
  endpointId: string
  /** One that nobody asked for. */
  isRetry: boolean
  /** Requests that its endpoint may have under way with it. */
  most: number
}

/**
 * What somebody asked for first; then of the endpoints that failed least those with the least under way, in turn, and of
 * these the longest due: so endpoints that answer go before those that hang.
 *
 * Each arm reads an index of one endpoint's deliveries from its beginning. Joined or counted together, Postgres may
 * choose to read the whole table, since its statistics of what is due or leased are never up to date.
 */
async function candidates(db: Database, now: Date, lane: DeliveryLane, room: number): Promise<Candidate[]> {
  const { endpoints, arms } = lanes[lane](now)
  const { rows } = await db.execute<Candidate>(sql`
    WITH busy AS (
      SELECT endpoint.*, in_flight, retries, is_slow IS TRUE AS is_slow,
        CASE WHEN failing_since IS NULL THEN ${most.all}::int WHEN next_probe_at <= ${now} THEN 1 ELSE 0 END AS most
      FROM webhook_endpoints endpoint CROSS JOIN LATERAL (
        SELECT count(*)::int AS in_flight, (count(*) FILTER (WHERE is_retry))::int AS retries,
          min(lease_until) <= ${after(now, attemptLeaseMs - slowMs)} AS is_slow
        FROM deliveries WHERE endpoint_id = endpoint.id AND lease_until IS NOT NULL
      ) under_way
      WHERE deleted_at IS NULL AND disabled_at IS NULL AND (blocked_until IS NULL OR blocked_until <= ${now})
        AND ${endpoints}
    ), open AS (
      SELECT id, failures, in_flight, retries, most, most - in_flight AS places, ${most.all}::int - in_flight AS asked_places,
        CASE WHEN is_slow THEN ${mostWhileSlow.firsts}::int ELSE most END - (in_flight - retries) AS first_places,
        CASE WHEN is_slow THEN ${mostWhileSlow.retries}::int ELSE ${most.retries}::int END - retries AS retry_places
      FROM busy
    ), due AS (${sql.join(arms, sql` UNION ALL `)})
    SELECT id, endpoint_id AS "endpointId", is_retry AND NOT is_asked AS "isRetry", most
    FROM due ORDER BY is_asked DESC, failures, in_flight, place, next_attempt_at
    LIMIT ${room}`)
  return rows
}

interface Lane {
  /** Which endpoints it serves. */
  endpoints: SQL
  /** What it takes of each. */
  arms: SQL[]
}

const answers = sql`(failures < ${failuresToTrial} AND last_success_at IS NOT NULL)`

const lanes: Record<DeliveryLane, (now: Date) => Lane> = {
  deliver: (now) => ({ endpoints: answers, arms: [asked(now), firsts(now, most.all)] }),
  // One of each endpoint at a look: there may be thousands of them, and their attempts take long.
  trial: (now) => ({ endpoints: sql`NOT ${answers}`, arms: [asked(now), firsts(now, 1)] }),
  retry: (now) => ({ endpoints: sql`true`, arms: [retries(now, 1)] }),
}

function asked(now: Date): SQL {
  return arm(now, sql`manual_requested`, most.all, { isOpen: sql`asked_places > 0`, places: sql`asked_places` })
}

function firsts(now: Date, atOnce: number): SQL {
  const kept = sql`CASE WHEN retries > 0 OR most <= 1 THEN 0 ELSE (${isRetryDue(now)})::int END`
  return arm(now, firstAttempt, atOnce, { isOpen: sql`places > 0`, places: sql`least(first_places, places - ${kept})` })
}

function retries(now: Date, atOnce: number): SQL {
  return arm(now, retry, atOnce, { isOpen: sql`places > 0`, places: sql`least(retry_places, places)` })
}

const firstAttempt = sql`NOT manual_requested AND NOT is_retry`
const retry = sql`NOT manual_requested AND is_retry`

/** What has been due for the longest, up to `atOnce`, and as far as there are places. */
function arm(now: Date, kind: SQL, atOnce: number, { isOpen, places }: { isOpen: SQL; places: SQL }): SQL {
  return sql`
    SELECT due.*, CASE WHEN is_asked THEN ${most.all}::int ELSE most END AS most, failures, in_flight
    FROM open CROSS JOIN LATERAL (
      SELECT *, row_number() OVER (ORDER BY next_attempt_at) AS place
      FROM (${longestDue(now, kind, atOnce)}) AS longest
      WHERE ${isOpen}
    ) AS due
    WHERE place <= ${places}`
}

/** A number as the limit, so that Postgres sees that an index in order is read for a few rows only. */
function longestDue(now: Date, kind: SQL, limit: number): SQL {
  return sql`
    SELECT id, endpoint_id, is_retry, manual_requested AS is_asked, next_attempt_at FROM deliveries
    WHERE endpoint_id = open.id AND lease_until IS NULL AND next_attempt_at <= ${now} AND ${kind}
    ORDER BY next_attempt_at LIMIT ${limit}::int`
}

function isRetryDue(now: Date): SQL {
  return sql`SELECT count(*) FROM (${longestDue(now, retry, 1)}) AS longest`
}

/** Those that their endpoints still take, counting what has been leased since the look. */
async function withinLimits(tx: Transaction, found: readonly Candidate[]): Promise<string[]> {
  const endpointIds = [...new Set(found.map(({ endpointId }) => endpointId))]
  const { rows } = await tx.execute<{ endpointId: string; inFlight: number; retries: number }>(sql`
    SELECT endpoint_id AS "endpointId", count(*)::int AS "inFlight", (count(*) FILTER (WHERE is_retry))::int AS retries
    FROM deliveries WHERE lease_until IS NOT NULL AND endpoint_id = ANY(${sql.param(endpointIds)}::uuid[])
    GROUP BY endpoint_id`)
  const busy = new Map(rows.map((row) => [row.endpointId, row]))
  return found
    .filter(({ endpointId, isRetry, most: mostWith }) => {
      const { inFlight, retries } = busy.get(endpointId) ?? { inFlight: 0, retries: 0 }
      if (inFlight >= mostWith || (isRetry && retries >= most.retries)) return false
      busy.set(endpointId, { endpointId, inFlight: inFlight + 1, retries: retries + (isRetry ? 1 : 0) })
      return true
    })
    .map(({ id }) => id)
}

/** In statements of their own, by id: joined, Postgres may choose to read the whole table. */
async function lease(tx: Transaction, now: Date, ids: readonly string[]): Promise<DueDelivery[]> {
  const { rows } = await tx.execute<DueDelivery & Record<string, unknown>>(sql`
    SELECT id, manual_requested AS manual, attempts + manual_attempts + earlier_attempts + 1 AS number
    FROM deliveries WHERE id = ANY(${sql.param(ids)}::uuid[]) AND lease_until IS NULL AND next_attempt_at <= ${now}
    FOR UPDATE SKIP LOCKED`)
  if (rows.length === 0) return []
  await tx.execute(sql`
    UPDATE deliveries SET lease_until = ${after(now, deliveryLeaseMs)}
    WHERE id = ANY(${sql.param(rows.map(({ id }) => id))}::uuid[])`)
  return rows.map(({ id, number, manual }) => ({ id, number, manual }))
}
