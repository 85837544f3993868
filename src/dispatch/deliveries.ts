// Owns which webhook deliveries are due now: by endpoint, so that a slow or dead one holds up nobody else.
//
// An endpoint has five requests under way at the most. First attempts go first and have two of the five for themselves;
// one is for retries, so that these aren't starved. While its breaker is open, there is one probe at a time; what
// somebody asked for goes nevertheless. Endpoints share three lanes, a queue each with slots of its own:
//
// | `deliver` | first attempts to endpoints whose last attempt succeeded: no dead one is here for long |
// | `trial` | first attempts to the others; those that failed least go first |
// | `retry` | retries, and what is recovered or replayed |
import { type SQL, sql } from 'drizzle-orm'
import { after } from '../clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import type { DeliveryLane } from '../queue/jobs.ts'

/** How long a claimed delivery may take before it is due again: longer than an attempt (20 s) and its place in the queue. */
export const deliveryLeaseMs = 60_000
/** Requests under way to one endpoint at the most, and how many of them may be retries. */
const maxInFlight = 5
const maxRetriesInFlight = 3

export interface DueDelivery {
  id: string
  lane: DeliveryLane
  /** Which attempt it is, from 1, those that somebody asked for counted too. */
  number: number
  /** Somebody asked for this attempt; it is counted apart from the retry schedule. */
  manual: boolean
}

export interface DeliveryClaim {
  deliveries: DueDelivery[]
  saturated: boolean
}

/** How many deliveries each lane takes now. */
export type LaneRoom = Readonly<Record<DeliveryLane, number>>

const roomy: LaneRoom = { deliver: 1_000, trial: 1_000, retry: 1_000 }

export function claimDeliveries(db: Database, now: Date, room: LaneRoom = roomy): Promise<DeliveryClaim> {
  return db.transaction(async (tx) => {
    const [lock] = (await tx.execute(sql`SELECT pg_try_advisory_xact_lock(${0x64656c69}) AS taken`)).rows // "deli"
    if (lock?.taken !== true) return { deliveries: [], saturated: false }
    await tx.execute(sql`
      UPDATE deliveries SET lease_until = NULL
      WHERE id IN (SELECT id FROM deliveries WHERE lease_until <= ${now} FOR UPDATE SKIP LOCKED)`)
    const deliveries = await lease(tx, now, await due(tx, now, room))
    return { deliveries, saturated: deliveries.length > 0 }
  })
}

/** Gives back deliveries that could not be enqueued. */
export async function releaseDeliveries(db: Database, ids: readonly string[]): Promise<void> {
  await db.execute(sql`UPDATE deliveries SET lease_until = NULL WHERE id = ANY(${sql.param(ids)}::uuid[])`)
}

interface Due extends Record<string, unknown> {
  id: string
  lane: DeliveryLane
}

async function due(tx: Transaction, now: Date, room: LaneRoom): Promise<Due[]> {
  const { rows } = await tx.execute<Due>(sql`
    WITH ${openEndpoints(now, room)},
    due AS (${candidates(now)}),
    placed AS (SELECT due.*, row_number() OVER (PARTITION BY endpoint_id ORDER BY ${orderOfEndpoint}) AS place FROM due),
    ranked AS (
      SELECT id, lane, row_number() OVER (PARTITION BY lane ORDER BY ${orderOfLane}) AS turn
      FROM placed WHERE place <= room
    )
    SELECT id, lane FROM ranked WHERE turn <= ${laneRoom(sql`lane`, room)}`)
  return rows
}

/** In statements of their own, by id: joined, Postgres may choose to read the whole table. */
async function lease(tx: Transaction, now: Date, chosen: readonly Due[]): Promise<DueDelivery[]> {
  if (chosen.length === 0) return []
  const lanes = new Map(chosen.map(({ id, lane }) => [id, lane]))
  const { rows } = await tx.execute<{ id: string; number: number; manual: boolean }>(sql`
    SELECT id, manual_requested AS manual, attempts + manual_attempts + earlier_attempts + 1 AS number
    FROM deliveries WHERE id = ANY(${sql.param([...lanes.keys()])}::uuid[])
      AND lease_until IS NULL AND next_attempt_at <= ${now}
    FOR UPDATE SKIP LOCKED`)
  await tx.execute(sql`
    UPDATE deliveries SET lease_until = ${after(now, deliveryLeaseMs)}
    WHERE id = ANY(${sql.param(rows.map(({ id }) => id))}::uuid[])`)
  return rows.map(({ id, number, manual }) => ({ id, lane: lanes.get(id) ?? 'retry', number, manual }))
}

/**
 * The endpoints that take something now, and how much of each kind: of those that have something due, no more than the
 * lanes have room for, so that a thousand dead ones cost no more than a few.
 */
function openEndpoints(now: Date, room: LaneRoom): SQL {
  return sql`
    busy AS (
      SELECT endpoint_id, count(*)::int AS in_flight, (count(*) FILTER (WHERE is_retry))::int AS retries
      FROM deliveries WHERE lease_until IS NOT NULL GROUP BY endpoint_id
    ),
    open AS (
      SELECT endpoint.id, endpoint.failures, coalesce(busy.retries, 0) AS retries,
        ${maxInFlight} - coalesce(busy.in_flight, 0) AS room_asked,
        CASE WHEN endpoint.failing_since IS NULL THEN ${maxInFlight}
          WHEN endpoint.next_probe_at <= ${now} THEN 1 ELSE 0 END - coalesce(busy.in_flight, 0) AS room,
        CASE WHEN endpoint.failures = 0 AND endpoint.last_success_at IS NOT NULL THEN 'deliver' ELSE 'trial' END AS lane
      FROM webhook_endpoints endpoint LEFT JOIN busy ON busy.endpoint_id = endpoint.id
      WHERE endpoint.deleted_at IS NULL AND endpoint.disabled_at IS NULL
        AND (endpoint.blocked_until IS NULL OR endpoint.blocked_until <= ${now})
    ),
    waiting AS (
      SELECT open.*, row_number() OVER (ORDER BY failures, room DESC, id) AS turn,
        row_number() OVER (PARTITION BY lane ORDER BY failures, room DESC, id) AS turn_in_lane
      FROM open
      WHERE room_asked > 0 AND (
        (${laneRoom(sql`lane`, room)} > 0 AND room > 0 AND ${anyDue(sql`NOT is_retry`, now)})
        OR (${room.retry} > 0 AND room > 0 AND ${anyDue(sql`is_retry`, now)})
        OR (${laneRoom(sql`lane`, room)} > 0 AND ${anyDue(sql`manual_requested`, now)}))
    ),
    taking AS (
      SELECT id, failures, retries, lane, room, room_asked,
        CASE WHEN ${laneRoom(sql`lane`, room)} > 0 THEN greatest(room_asked, 0) ELSE 0 END AS asked,
        CASE WHEN ${laneRoom(sql`lane`, room)} > 0 THEN greatest(room, 0) ELSE 0 END AS firsts,
        CASE WHEN ${room.retry} > 0 THEN greatest(least(room, ${maxRetriesInFlight} - retries), 0) ELSE 0 END AS retries_more
      FROM waiting
      WHERE turn_in_lane <= ${laneRoom(sql`lane`, room)} OR turn <= ${room.retry}
    )`
}

/** By LIMIT rather than EXISTS, which Postgres may answer by reading the whole table once. */
function anyDue(kind: SQL, now: Date): SQL {
  return sql`coalesce((SELECT true FROM deliveries
    WHERE endpoint_id = open.id AND ${kind} AND lease_until IS NULL AND next_attempt_at <= ${now} LIMIT 1), false)`
}

/** What each of them has due, up to what it takes of the kind. Each arm reads an index from its beginning. */
function candidates(now: Date): SQL {
  const dueNow = sql`endpoint_id = taking.id AND lease_until IS NULL AND next_attempt_at <= ${now}`
  const arm = (kind: 'asked' | 'first' | 'retry', where: SQL, limit: SQL) => sql`
    (SELECT id, ${sql.raw(`'${kind}'`)} AS kind, next_attempt_at FROM deliveries
      WHERE ${dueNow} AND ${where} ORDER BY next_attempt_at LIMIT ${limit})`
  return sql`
    SELECT arm.id, arm.kind, arm.next_attempt_at, taking.id AS endpoint_id, taking.failures, taking.room_asked AS free,
      CASE arm.kind WHEN 'retry' THEN 'retry' ELSE taking.lane END AS lane,
      CASE arm.kind WHEN 'asked' THEN taking.room_asked ELSE taking.room END AS room,
      arm.kind = 'retry' AND taking.retries = 0
        AND row_number() OVER (PARTITION BY taking.id, arm.kind ORDER BY arm.next_attempt_at) = 1 AS reserved
    FROM taking CROSS JOIN LATERAL (
      ${arm('asked', sql`manual_requested`, sql`taking.asked`)}
      UNION ALL ${arm('first', sql`NOT manual_requested AND NOT is_retry`, sql`taking.firsts`)}
      UNION ALL ${arm('retry', sql`NOT manual_requested AND is_retry`, sql`taking.retries_more`)}
    ) arm`
}

/** Of one endpoint: what somebody asked for, the retry that has a place kept, first attempts, other retries. */
const orderOfEndpoint = sql`kind = 'asked' DESC, reserved DESC, kind = 'first' DESC, next_attempt_at`

/** Of all endpoints in a lane: those that failed least, then those with the least under way, the longest due first. */
const orderOfLane = sql`kind = 'asked' DESC, failures, place - free, next_attempt_at`

function laneRoom(lane: SQL, { deliver, trial, retry }: LaneRoom): SQL {
  return sql`CASE ${lane} WHEN 'deliver' THEN ${deliver}::int WHEN 'trial' THEN ${trial}::int ELSE ${retry}::int END`
}
