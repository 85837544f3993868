// Owns reading webhook endpoints as the API shows them.
import { and, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import { idKey, type Page, type PageQuery, pageOf, readCursor } from '../../api/paging.ts'
import { notFound } from '../../api/refusal.ts'
import type { Encryption } from '../../base/encryption.ts'
import { isId } from '../../base/ids.ts'
import type { Database, Transaction } from '../../db/client.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import { type ApiEndpoint, type EndpointRow, presentEndpoint } from './present.ts'

interface ReadDeps {
  db: Database
  encryption: Encryption
}

/** @throws {AppError} not_found */
export async function getEndpoint({ db, encryption }: ReadDeps, id: string): Promise<ApiEndpoint> {
  if (!isId(id)) throw notFound('webhook endpoint')
  const [row] = await db
    .select()
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, id), isNull(webhookEndpoints.deletedAt)))
  if (!row) throw notFound('webhook endpoint')
  return presentEndpoint(encryption, row)
}

/** Returns endpoints in the order of their creation. */
export async function listEndpoints({ db, encryption }: ReadDeps, query: PageQuery): Promise<Page<ApiEndpoint>> {
  const cursor = readCursor(query.after, idKey)
  const rows = await db
    .select()
    .from(webhookEndpoints)
    .where(and(isNull(webhookEndpoints.deletedAt), cursor ? gt(webhookEndpoints.id, cursor[0]) : undefined))
    .orderBy(webhookEndpoints.id)
    .limit(query.limit + 1)
  const endpoints = rows.map((row) => presentEndpoint(encryption, row))
  return pageOf(endpoints, query.limit, (endpoint) => [endpoint.id])
}

/** Returns the URLs of those of these endpoints that aren't deleted. */
export async function readEndpointUrls(
  { db }: { db: Database },
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .select({ id: webhookEndpoints.id, url: webhookEndpoints.url })
    .from(webhookEndpoints)
    .where(and(inArray(webhookEndpoints.id, [...new Set(ids)]), isNull(webhookEndpoints.deletedAt)))
  return new Map(rows.map(({ id, url }) => [id, url]))
}

/**
 * Locks the endpoint. Transactions that write deliveries to it wait for this lock.
 * @throws {AppError} not_found
 */
export async function lockEndpoint(tx: Transaction, id: string): Promise<EndpointRow> {
  if (!isId(id)) throw notFound('webhook endpoint')
  const [row] = await tx
    .select()
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, id), isNull(webhookEndpoints.deletedAt)))
    .for('update')
  if (!row) throw notFound('webhook endpoint')
  return row
}

/** How many due deliveries are counted at most. */
export const countedDue = 10_000

/** Returns how many deliveries each endpoint still has to be sent, at most {@link countedDue} of each. */
export async function countDue(
  { db }: { db: Database },
  endpointIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.execute<{ id: string; count: number }>(sql`
    /* endpoint.count_due */
    SELECT endpoint.id, (
      SELECT count(*)::int FROM (
        SELECT FROM deliveries WHERE endpoint_id = endpoint.id AND next_attempt_at IS NOT NULL AND NOT manual_requested
        UNION ALL
        SELECT FROM deliveries WHERE endpoint_id = endpoint.id AND manual_requested
        LIMIT ${countedDue}
      ) due
    ) AS count
    FROM unnest(${sql.param([...endpointIds])}::uuid[]) AS endpoint (id)`)
  return new Map(rows.map(({ id, count }) => [id, count]))
}
