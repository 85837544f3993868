// Owns which webhook deliveries are due now: by endpoint, so that a slow or dead one holds up nobody else.
//
// Endpoints share three lanes, a queue each with slots of its own, and each lane is looked at apart from the others:
//
// | `deliver` | first attempts to endpoints whose last attempt succeeded |
// | `trial` | first attempts to the others; those that failed least go first |
// | `retry` | retries, and what is recovered or replayed |
//
// An endpoint has five requests under way at the most, three of them retries, and keeps a place for one retry; two,
// while one of them takes long; one, a probe, while its breaker is open. What somebody asked for goes with first
// attempts, and past an open breaker.
import { type SQL, sql } from 'drizzle-orm'
import { after } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import type { DeliveryLane } from '../queue/jobs.ts'
import { attemptLeaseMs } from '../webhooks/begin-attempt.ts'

/**
 * How long a claimed delivery may wait in its queue. By ten seconds longer than an attempt's lease: so a slow attempt
 * shows in its lease, and one that hasn't begun doesn't look like it.
 */
export const deliveryLeaseMs = attemptLeaseMs + 10_000
/** Requests under way to one endpoint at the most, and how many of them may be retries. */
const maxInFlight = 5
const maxRetriesInFlight = 3
/**
 * An endpoint that lets a request wait longer than this has fewer under way: a thousand that hang all at once must not
 * keep every slot from those that answer.
 */
const slowMs = 1_000
const maxInFlightWhileSlow = 2

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
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${0x64656c69})`) // "deli"
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
 */
async function candidates(db: Database, now: Date, lane: DeliveryLane, room: number): Promise<Candidate[]> {
  const { endpoints, takesAsked, due } = lanes[lane](now)
  const { rows } = await db.execute<Candidate>(sql`
    WITH open AS (
      SELECT endpoint.id, endpoint.failures, in_flight, retries,
        CASE WHEN failing_since IS NOT NULL THEN CASE WHEN next_probe_at <= ${now} THEN 1 ELSE 0 END
          WHEN is_slow THEN ${maxInFlightWhileSlow} ELSE ${maxInFlight} END AS most
      FROM webhook_endpoints endpoint CROSS JOIN LATERAL (${underWay(now)}) AS busy
      WHERE deleted_at IS NULL AND disabled_at IS NULL AND (blocked_until IS NULL OR blocked_until <= ${now})
        AND ${endpoints}
    ), due AS (
      SELECT due.*, most, failures, in_flight, false AS is_asked
      FROM open CROSS JOIN LATERAL (${due}) AS due
      WHERE in_flight < most
      ${takesAsked ? asked(now) : sql``}
    )
    SELECT id, endpoint_id AS "endpointId", is_retry AND NOT is_asked AS "isRetry", most
    FROM due ORDER BY is_asked DESC, failures, in_flight, place, next_attempt_at
    LIMIT ${room}`)
  return rows
}

// Each of what follows reads an index of an endpoint's deliveries from its beginning. Joined or counted together,
// Postgres may choose to read the whole table, since its statistics of what is due or leased are never up to date.

function underWay(now: Date): SQL {
  return sql`
    SELECT count(*)::int AS in_flight, (count(*) FILTER (WHERE is_retry))::int AS retries,
      min(lease_until) <= ${after(now, attemptLeaseMs - slowMs)} AS is_slow
    FROM deliveries WHERE endpoint_id = endpoint.id AND lease_until IS NOT NULL`
}

interface Lane {
  /** Which endpoints it serves. */
  endpoints: SQL
  /** What of each, besides what somebody asked for. */
  due: SQL
  takesAsked: boolean
}

const answers = sql`(failures = 0 AND last_success_at IS NOT NULL)`

const lanes: Record<DeliveryLane, (now: Date) => Lane> = {
  deliver: (now) => ({
    endpoints: answers,
    due: dueOf(sql`NOT is_retry`, now, sql`most - in_flight - ${placeForRetry(now)}`),
    takesAsked: true,
  }),
  // One of each endpoint at a look: there may be thousands of them, and their attempts take long.
  trial: (now) => ({
    endpoints: sql`NOT ${answers}`,
    due: dueOf(sql`NOT is_retry`, now, sql`least(most - in_flight - ${placeForRetry(now)}, 1)`),
    takesAsked: true,
  }),
  retry: (now) => ({
    endpoints: sql`retries < ${maxRetriesInFlight}`,
    due: dueOf(sql`is_retry`, now, sql`1`),
    takesAsked: false,
  }),
}

/** What has been due for the longest to an endpoint. */
function dueOf(kind: SQL, now: Date, limit: SQL): SQL {
  return sql`
    SELECT id, endpoint_id, is_retry, next_attempt_at, row_number() OVER (ORDER BY next_attempt_at) AS place
    FROM deliveries
    WHERE endpoint_id = open.id AND lease_until IS NULL AND next_attempt_at <= ${now} AND NOT manual_requested AND ${kind}
    ORDER BY next_attempt_at LIMIT ${limit}`
}

/** 1 where a retry is due and none under way, so that first attempts leave it a place. */
function placeForRetry(now: Date): SQL {
  return sql`CASE WHEN retries > 0 OR most = 1 THEN 0 ELSE coalesce((
    SELECT 1 FROM deliveries
    WHERE endpoint_id = open.id AND is_retry AND lease_until IS NULL AND next_attempt_at <= ${now}
      AND NOT manual_requested LIMIT 1), 0) END`
}

function asked(now: Date): SQL {
  return sql`
    UNION ALL
    SELECT delivery.id, endpoint_id, is_retry, next_attempt_at, 1, ${maxInFlight}::int, failures, in_flight, true
    FROM deliveries delivery JOIN open ON open.id = delivery.endpoint_id
    WHERE manual_requested AND lease_until IS NULL AND next_attempt_at <= ${now} AND in_flight < ${maxInFlight}`
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
    .filter(({ endpointId, isRetry, most }) => {
      const { inFlight, retries } = busy.get(endpointId) ?? { inFlight: 0, retries: 0 }
      if (inFlight >= most || (isRetry && retries >= maxRetriesInFlight)) return false
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
