// Owns reading the log of deliveries as the API shows it.
import { and, count, desc, eq, getTableColumns, gt, gte, inArray, lt, type SQL } from 'drizzle-orm'
import { idKey, numberKey, type Page, type PageQuery, pageOf, readCursor } from '../../api/paging.ts'
import { notFound } from '../../api/refusal.ts'
import { after } from '../../base/clock.ts'
import { DecryptionError, type Encryption } from '../../base/encryption.ts'
import { firstIdAt, isId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import { deliveries, deliveryAttempts, events, webhookEndpoints } from '../../db/schema/index.ts'
import { maskedValue, openHeaders } from '../endpoints/headers.ts'
import { type StoredSecrets, signingSecrets } from '../endpoints/secrets.ts'
import { constantHeaders, signatureHeaders } from '../signing.ts'
import {
  type ApiAttempt,
  type ApiDelivery,
  type ApiWholeDelivery,
  type DeliveryState,
  presentAttempt,
  presentDelivery,
} from './present.ts'

/** The status of a delivery's last finished attempt. `none`: there was no answer. */
export const statusClasses = ['2xx', '3xx', '4xx', '5xx', 'none'] as const
export type StatusClass = (typeof statusClasses)[number]

export interface DeliveryFilter {
  endpointId?: string | undefined
  eventId?: string | undefined
  importId?: string | undefined
  state?: DeliveryState | undefined
  /** The event's type. */
  type?: string | undefined
  status?: StatusClass | undefined
  /** Inclusive. */
  createdAfter?: Date | undefined
  /** Exclusive. */
  createdBefore?: Date | undefined
}

/** Returns deliveries, the newest first. */
export async function listDeliveries(
  { db }: { db: Database },
  { limit, after, ...filter }: DeliveryFilter & PageQuery,
): Promise<Page<ApiDelivery>> {
  const cursor = readCursor(after, idKey)
  const rows = await db
    .select({ ...getTableColumns(deliveries), type: events.type })
    .from(deliveries)
    .innerJoin(events, eq(events.id, deliveries.eventId))
    .where(and(...(await conditionsOf(db, filter)), cursor ? lt(deliveries.id, cursor[0]) : undefined))
    .orderBy(desc(deliveries.id))
    .limit(limit + 1)
  return pageOf(rows.map(presentDelivery), limit, (delivery) => [delivery.id])
}

/** Ids of deliveries have the time of their creation, to the millisecond, but for those of older versions. */
const idsDifferMs = 60_000

async function conditionsOf(
  db: Database,
  { endpointId, eventId, importId, state, type, status, createdAfter, createdBefore }: DeliveryFilter,
): Promise<(SQL | undefined)[]> {
  return [
    endpointId === undefined ? undefined : eq(deliveries.endpointId, endpointId),
    eventId === undefined ? undefined : eq(deliveries.eventId, eventId),
    importId === undefined ? undefined : inArray(deliveries.eventId, await eventsOf(db, importId)),
    state === undefined ? undefined : eq(deliveries.state, state),
    type === undefined ? undefined : eq(deliveries.type, type),
    status === undefined ? undefined : eq(deliveries.statusClass, status === 'none' ? 0 : Number(status[0])),
    createdAfter && gte(deliveries.id, firstIdAt(after(createdAfter, -idsDifferMs))),
    createdAfter && gte(deliveries.createdAt, createdAfter),
    createdBefore && lt(deliveries.id, firstIdAt(after(createdBefore, idsDifferMs))),
    createdBefore && lt(deliveries.createdAt, createdBefore),
  ]
}

/** An import has a dozen events, whose deliveries an index finds. */
async function eventsOf(db: Database, importId: string): Promise<string[]> {
  const rows = await db.select({ id: events.id }).from(events).where(eq(events.importId, importId))
  return rows.map(({ id }) => id)
}

/** Returns a delivery with its body and headers. @throws {AppError} not_found */
export async function getDelivery(
  { db, encryption }: { db: Database; encryption: Encryption },
  id: string,
): Promise<ApiWholeDelivery> {
  if (!isId(id)) throw notFound('delivery')
  const [found] = await db
    .select({ row: deliveries, type: events.type, payload: events.body, endpoint: webhookEndpoints })
    .from(deliveries)
    .innerJoin(events, eq(events.id, deliveries.eventId))
    .innerJoin(webhookEndpoints, eq(webhookEndpoints.id, deliveries.endpointId))
    .where(eq(deliveries.id, id))
  if (!found) throw notFound('delivery')
  const { row, type, payload, endpoint } = found
  const [last] = await db
    .select({ startedAt: deliveryAttempts.startedAt })
    .from(deliveryAttempts)
    .where(eq(deliveryAttempts.deliveryId, id))
    .orderBy(desc(deliveryAttempts.number))
    .limit(1)
  const headers = headersOf(encryption, endpoint, { id: row.eventId, at: last?.startedAt ?? null, body: payload })
  return { ...presentDelivery({ ...row, type }), payload, headers }
}

/** Without the key of its secrets, an endpoint's headers are those that need none. */
function headersOf(
  encryption: Encryption,
  endpoint: StoredSecrets & { headers: string | null },
  { id, at, body }: { id: string; at: Date | null; body: string },
): Record<string, string> {
  const plain = { ...constantHeaders, 'webhook-id': id }
  try {
    const own = Object.keys(openHeaders(encryption, endpoint)).map((name) => [name, maskedValue])
    const signature = at && signatureHeaders({ id, at, body }, signingSecrets(encryption, endpoint, at))
    return { ...Object.fromEntries(own), ...plain, ...signature }
  } catch (error) {
    if (error instanceof DecryptionError) return plain
    throw error
  }
}

/** Returns the attempts at each of these deliveries, in the order in which they were made. */
export async function attemptsOf(
  { db }: { db: Database },
  deliveryIds: readonly string[],
): Promise<Map<string, ApiAttempt[]>> {
  if (deliveryIds.length === 0) return new Map()
  const rows = await db
    .select()
    .from(deliveryAttempts)
    .where(inArray(deliveryAttempts.deliveryId, [...deliveryIds]))
    .orderBy(deliveryAttempts.deliveryId, deliveryAttempts.number)
  const byDelivery = Map.groupBy(rows, ({ deliveryId }) => deliveryId)
  return new Map([...byDelivery].map(([id, its]) => [id, its.map(presentAttempt)]))
}

/** Returns the attempts at a delivery, in the order in which they were made. @throws {AppError} not_found */
export async function listAttempts(
  { db }: { db: Database },
  deliveryId: string,
  { limit, after }: PageQuery,
): Promise<Page<ApiAttempt>> {
  const cursor = readCursor(after, numberKey)
  if (!isId(deliveryId)) throw notFound('delivery')
  const [delivery] = await db.select({ id: deliveries.id }).from(deliveries).where(eq(deliveries.id, deliveryId))
  if (!delivery) throw notFound('delivery')
  const rows = await db
    .select()
    .from(deliveryAttempts)
    .where(
      and(eq(deliveryAttempts.deliveryId, deliveryId), cursor ? gt(deliveryAttempts.number, cursor[0]) : undefined),
    )
    .orderBy(deliveryAttempts.number)
    .limit(limit + 1)
  return pageOf(rows.map(presentAttempt), limit, (attempt) => [attempt.number])
}

/** Returns how many deliveries to each endpoint have failed for good, of those created since. */
export async function countExhausted({ db }: { db: Database }, since: Date): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .select({ endpointId: deliveries.endpointId, count: count() })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.state, 'exhausted'),
        gte(deliveries.id, firstIdAt(after(since, -idsDifferMs))),
        gte(deliveries.createdAt, since),
      ),
    )
    .groupBy(deliveries.endpointId)
  return new Map(rows.map(({ endpointId, count }) => [endpointId, count]))
}
