// Owns reading served endpoints, each with its longest due deliveries.
import { type SQL, sql } from 'drizzle-orm'
import { arrayLiteral, textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import type { PreviousSecret } from '../db/schema/index.ts'
import type { Served } from '../work/kind.ts'
import { type Condition, most, type UnderWay } from './allot.ts'

/** An endpoint as attempts need it. */
export interface Endpoint extends Condition {
  id: string
  url: string
  headers: string | null
  secret: string
  previousSecrets: PreviousSecret[]
  /** It is disabled or deleted. */
  isGone: boolean
}

/** A due delivery. */
export interface DueRow {
  id: string
  endpointId: string
  eventId: string
  state: string
  attempts: number
  manualAttempts: number
  earlierAttempts: number
  isRetry: boolean
  isAsked: boolean
  dueAt: Date
  createdAt: Date
}

export interface EndpointWithDue {
  endpoint: Endpoint
  due: DueRow[]
}

/**
 * Returns the endpoints, each with its longest due deliveries of each kind, as far as those under way leave room. It is
 * one statement, because the time between statements makes up most of a pass.
 */
export async function readDue(
  tx: Transaction,
  owners: readonly (Served<{ id: string; ownerId: string }> & { busy: UnderWay })[],
  now: Date,
): Promise<Map<string, EndpointWithDue>> {
  const busyIds = owners.flatMap(({ underWay }) => [...underWay.keys()])
  const isFree = busyIds.length === 0 ? sql`true` : sql`id <> ALL(${textArrayLiteral(busyIds)}::uuid[])`
  const isRoom = (room: (busy: UnderWay) => number) => arrayLiteral(owners.map(({ busy }) => room(busy) > 0))
  const isHeldBack = sql`(e.failing_since IS NOT NULL AND e.next_probe_at > ${now})`
  // The limit is a number, so that Postgres sees that it reads only a few rows of an ordered index.
  const arm = (kind: SQL, limit: number) => sql`(
    SELECT * FROM deliveries WHERE endpoint_id = e.id AND ${kind} AND next_attempt_at <= ${now} AND ${isFree}
    ORDER BY next_attempt_at LIMIT ${limit}::int)`
  const { rows } = await tx.execute<Row>(sql`
    /* deliver.begin */
    SELECT e.id AS "endpointId", e.url, e.headers, e.secret, e.previous_secrets AS "previousSecrets",
      (e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL) AS "isGone",
      ${ms('e.blocked_until')} AS "blockedUntil", ${ms('e.last_success_at')} AS "lastSuccessAt", e.failures,
      ${ms('e.first_failure_at')} AS "firstFailureAt", ${ms('e.failing_since')} AS "failingSince",
      ${ms('e.next_probe_at')} AS "nextProbeAt", e.failed_probes AS "failedProbes",
      due.id, due.event_id AS "eventId", due.state, due.attempts, due.manual_attempts AS "manualAttempts",
      due.earlier_attempts AS "earlierAttempts", due.is_retry AS "isRetry", due.manual_requested AS "isAsked",
      ${ms('due.next_attempt_at')} AS "dueAt", ${ms('due.created_at')} AS "createdAt"
    FROM unnest(
      ${textArrayLiteral(owners.map(({ id }) => id))}::uuid[],
      ${isRoom(({ firsts, retries }) => most.all - firsts - retries)}::boolean[],
      ${isRoom(({ retries }) => most.retries - retries)}::boolean[]
    ) AS owner (id, has_room, has_retry_room)
    JOIN webhook_endpoints e ON e.id = owner.id
    LEFT JOIN LATERAL (
      ${arm(sql`manual_requested`, most.all)}
      UNION ALL ${arm(sql`NOT ${isHeldBack} AND NOT manual_requested AND NOT is_retry`, most.all)}
      UNION ALL ${arm(sql`NOT ${isHeldBack} AND owner.has_retry_room AND NOT manual_requested AND is_retry`, most.retries)}
    ) due ON owner.has_room AND (e.blocked_until IS NULL OR e.blocked_until <= ${now})`)
  const found = new Map<string, EndpointWithDue>()
  for (const row of rows) {
    const one = found.get(row.endpointId) ?? { endpoint: endpointOf(row), due: [] }
    found.set(row.endpointId, one)
    if (row.id !== null) one.due.push(dueOf({ ...row, id: row.id }))
  }
  return found
}

/** Milliseconds since the epoch, which are read at a fraction of what texts cost. */
function ms(column: string): SQL {
  return sql.raw(`date_part('epoch', ${column}) * 1000`)
}

type Times<Of> = { [Key in keyof Of]: Of[Key] extends Date | null ? number | null : Of[Key] }
type Row = Times<Omit<Endpoint, 'id'>> & Times<Omit<DueRow, 'id'>> & { id: string | null } & Record<string, unknown>

function endpointOf(row: Row): Endpoint {
  return {
    id: row.endpointId,
    url: row.url,
    headers: row.headers,
    secret: row.secret,
    previousSecrets: row.previousSecrets,
    isGone: row.isGone,
    blockedUntil: timeOf(row.blockedUntil),
    lastSuccessAt: timeOf(row.lastSuccessAt),
    failures: row.failures,
    firstFailureAt: timeOf(row.firstFailureAt),
    failingSince: timeOf(row.failingSince),
    nextProbeAt: timeOf(row.nextProbeAt),
    failedProbes: row.failedProbes,
  }
}

function dueOf(row: Row & { id: string }): DueRow {
  return {
    id: row.id,
    endpointId: row.endpointId,
    eventId: row.eventId,
    state: row.state,
    attempts: row.attempts,
    manualAttempts: row.manualAttempts,
    earlierAttempts: row.earlierAttempts,
    isRetry: row.isRetry,
    isAsked: row.isAsked,
    dueAt: timeOf(row.dueAt) as Date,
    createdAt: timeOf(row.createdAt) as Date,
  }
}

function timeOf(epochMs: number | null): Date | null {
  return epochMs === null ? null : new Date(Math.round(epochMs))
}
