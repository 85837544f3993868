// Owns what has been due for the longest to each endpoint, and the bodies of its events.
import { type SQL, sql } from 'drizzle-orm'
import { arrayLiteral, textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import { most, type Places } from './allot.ts'

/** A delivery that is due. */
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

/** What has been due for the longest of each kind, by endpoint, as far as there are places. */
export async function readDue(
  tx: Transaction,
  places: ReadonlyMap<string, Places>,
  { busy, now }: { busy: readonly string[]; now: Date },
): Promise<DueRow[]> {
  const open = [...places].filter(([, { asked }]) => asked > 0)
  if (open.length === 0) return []
  const others = (of: 'firsts' | 'retries') =>
    arrayLiteral(open.map(([, { together, [of]: places }]) => together > 0 && places > 0))
  const isFree = busy.length === 0 ? sql`true` : sql`id <> ALL(${textArrayLiteral(busy)}::uuid[])`
  // A number as the limit, so that Postgres sees that an index in order is read for a few rows only.
  const arm = (kind: SQL, limit: number) => sql`(
    SELECT id, event_id AS "eventId", state, attempts, manual_attempts AS "manualAttempts",
      earlier_attempts AS "earlierAttempts", is_retry AS "isRetry", manual_requested AS "isAsked",
      date_part('epoch', next_attempt_at) * 1000 AS "dueMs", date_part('epoch', created_at) * 1000 AS "createdMs"
    FROM deliveries WHERE endpoint_id = e.id AND ${kind} AND next_attempt_at <= ${now} AND ${isFree}
    ORDER BY next_attempt_at LIMIT ${limit}::int)`
  const { rows } = await tx.execute<Omit<DueRow, 'dueAt' | 'createdAt'> & { dueMs: number; createdMs: number }>(sql`
    /* deliver.begin */
    SELECT e.id AS "endpointId", due.*
    FROM unnest(
      ${textArrayLiteral(open.map(([id]) => id))}::uuid[], ${others('firsts')}::boolean[], ${others('retries')}::boolean[]
    ) AS e (id, firsts, retries)
    CROSS JOIN LATERAL (
      ${arm(sql`manual_requested`, most.all)}
      UNION ALL ${arm(sql`e.firsts AND NOT manual_requested AND NOT is_retry`, most.all)}
      UNION ALL ${arm(sql`e.retries AND NOT manual_requested AND is_retry`, most.retries)}
    ) due`)
  return rows.map(({ dueMs, createdMs, ...row }) => ({
    ...row,
    dueAt: new Date(Math.round(dueMs)),
    createdAt: new Date(Math.round(createdMs)),
  }))
}

export interface StoredEvent {
  id: string
  type: string
  body: string
}

/** In a statement of its own: joined, all months of events would be planned for. */
export async function readEvents(tx: Transaction, due: readonly DueRow[]): Promise<Map<string, StoredEvent>> {
  if (due.length === 0) return new Map()
  const ids = [...new Set(due.map(({ eventId }) => eventId))].toSorted()
  const { rows } = await tx.execute<StoredEvent & Record<string, unknown>>(sql`
    /* deliver.events */
    SELECT id, type, body FROM events
    WHERE id = ANY(${textArrayLiteral(ids)}::uuid[]) AND id BETWEEN ${ids[0]}::uuid AND ${ids.at(-1)}::uuid`)
  return new Map(rows.map((row) => [row.id, row]))
}
