// Owns finding and locking the endpoints that a round of attempts may change.
import { inArray, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import { textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import { webhookEndpoints } from '../db/schema/index.ts'
import { oneDisablesAtOnce } from '../webhooks/endpoints/disable.ts'
import { afterFailure, type Failure, type Health, isGivenUp } from '../webhooks/endpoints/health.ts'
import type { DisabledReason, EndpointRow } from '../webhooks/endpoints/present.ts'
import type { Verdict } from './judge.ts'
import type { Judged } from './record.ts'
import type { Delivered } from './work.ts'

/** How old the stored time of the last success may be before a new success is written. */
const lastSuccessPrecisionMs = 60_000

export interface News {
  rows: Map<string, EndpointRow>
  /** True: the locks allow disabling an endpoint. */
  mayDisable: boolean
}

/**
 * Locks the endpoints that may change, and returns them. If an event may follow, the other endpoints are locked against
 * being disabled. A transaction that disables one would wait for the deliveries that this round is about to write.
 */
export async function lockNews(
  tx: Transaction,
  round: readonly Judged[],
  lastFailures: Map<string, Date> | undefined,
): Promise<News> {
  const all = new Set(round.map(({ delivered }) => delivered.item.ownerId))
  const failed = new Set(round.flatMap((one) => (isSuccess(one) ? [] : [one.delivered.item.ownerId])))
  rememberFailures(round, failed, lastFailures)
  const mayDisable = mayAnyBeDisabled(round)
  if (mayDisable) await oneDisablesAtOnce(tx)
  const mayBeNews = new Set(
    round.flatMap((one) => (mayBeNewSuccess(one, lastFailures) ? one.delivered.item.ownerId : [])),
  )
  const news = [...failed, ...(await newlyAnswering(tx, without(mayBeNews, failed), round))]
  if (news.length === 0) return { rows: new Map(), mayDisable }
  const rows = await tx
    .select()
    .from(webhookEndpoints)
    .where(inArray(webhookEndpoints.id, news))
    .orderBy(webhookEndpoints.id)
    .for(mayDisable ? 'update' : 'no key update')
  const others = without(all, new Set(news))
  if (others.length > 0)
    await tx.execute(sql`
      SELECT FROM webhook_endpoints WHERE id = ANY(${textArrayLiteral(others)}::uuid[]) ORDER BY id FOR KEY SHARE`)
  return { rows: new Map(rows.map((row) => [row.id, row])), mayDisable }
}

/** Remembers each failure at least as long as an attempt that began before it may take. */
function rememberFailures(
  round: readonly Judged[],
  failed: ReadonlySet<string>,
  lastFailures: Map<string, Date> | undefined,
): void {
  const now = round.at(-1)?.delivered.endedAt
  if (!now || !lastFailures) return
  for (const id of failed) lastFailures.set(id, now)
  if (lastFailures.size < 5_000) return
  for (const [id, at] of lastFailures) if (at < after(now, -lastSuccessPrecisionMs)) lastFailures.delete(id)
}

/** Decides by the endpoint at the begin of the attempt, and by the failures recorded since. */
function mayBeNewSuccess(
  { delivered: { item, endedAt } }: Judged,
  lastFailures: Map<string, Date> | undefined,
): boolean {
  const lastFailure = lastFailures?.get(item.ownerId)
  if (!lastFailures || (lastFailure && lastFailure >= item.startedAt)) return true
  return isNewSuccess(item.endpoint.health, endedAt)
}

function without(all: ReadonlySet<string>, some: ReadonlySet<string>): string[] {
  return [...all].filter((id) => !some.has(id))
}

/** Decides by the health at the begin of the attempts, because the answer is needed before the endpoints are locked. */
function mayAnyBeDisabled(round: readonly Judged[]): boolean {
  const seen = new Map<string, Health>()
  return round.some((one) => {
    const { delivered, verdict } = one
    const { ownerId, endpoint } = delivered.item
    if (isSuccess(one)) return false
    const health = afterFailure(seen.get(ownerId) ?? endpoint.health, failureOf(delivered, verdict))
    seen.set(ownerId, health)
    return reasonToDisable(verdict, health, delivered.endedAt) !== null
  })
}

async function newlyAnswering(tx: Transaction, ids: readonly string[], round: readonly Judged[]): Promise<string[]> {
  const last = round.at(-1)?.delivered.endedAt
  if (ids.length === 0 || !last) return []
  const { rows } = await tx.execute<{ id: string }>(sql`
    /* deliver.news */
    SELECT id FROM webhook_endpoints WHERE id = ANY(${textArrayLiteral(ids)}::uuid[])
      AND (failures > 0 OR last_success_at IS NULL OR last_success_at <= ${after(last, -lastSuccessPrecisionMs)})`)
  return rows.map(({ id }) => id)
}

export function isSuccess({ verdict }: Judged): boolean {
  return verdict.delivery.state === 'delivered'
}

export function isNewSuccess(
  { failures, lastSuccessAt }: Pick<EndpointRow, 'failures' | 'lastSuccessAt'>,
  now: Date,
): boolean {
  return failures > 0 || lastSuccessAt === null || lastSuccessAt <= after(now, -lastSuccessPrecisionMs)
}

export function failureOf({ item, endedAt }: Delivered, { endpoint }: Verdict): Failure {
  return { startedAt: item.startedAt, endedAt, asksToWait: endpoint.kind === 'wait' && !endpoint.mayBeDead }
}

export function reasonToDisable({ endpoint }: Verdict, health: Health, now: Date): DisabledReason | null {
  if (endpoint.kind === 'gone') return 'gone'
  return isGivenUp(health, now) ? 'failing' : null
}
