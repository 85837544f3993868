// Owns writing down what a round of attempts says about their endpoints, and telling others when that changes.
import { inArray, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import { textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import { webhookEndpoints } from '../db/schema/index.ts'
import { disableEndpoint, oneDisablesAtOnce } from '../webhooks/endpoints/disable.ts'
import { writeEndpointEvent } from '../webhooks/endpoints/events.ts'
import { afterFailure, type Failure, type Health, healthy, isGivenUp } from '../webhooks/endpoints/health.ts'
import type { DisabledReason, EndpointRow } from '../webhooks/endpoints/present.ts'
import type { Verdict } from './judge.ts'
import type { Judged } from './record.ts'
import type { Delivered } from './work.ts'

/** What an attempt made of its endpoint; null: nothing new. */
export type EndpointChange = 'failing' | 'recovered' | 'disabled' | null

export interface NotedHealth {
  delivered: Delivered
  /** An ordinary one, where the endpoint was changed since the attempt began: the answer isn't of where it is now. */
  verdict: Verdict
  /** Locked, and as this attempt leaves it; null: a success that is no news. */
  endpoint: EndpointRow | null
  /** Disables the endpoint if that follows, and writes the event; to be called when the deliveries are written. */
  tell(encryption: Encryption): Promise<EndpointChange>
}

/** How old the time of an endpoint's last success may be before a success is worth writing down. */
const lastSuccessPrecisionMs = 60_000

/** Counts the attempts in the order in which they ended. Endpoints of which nothing is news stay untouched. */
export async function noteHealth(
  tx: Transaction,
  round: readonly Judged[],
  lastFailures?: Map<string, Date>,
): Promise<NotedHealth[]> {
  const ordered = round.toSorted((a, b) => a.delivered.endedAt.getTime() - b.delivered.endedAt.getTime())
  const { rows, mayDisable } = await lockNews(tx, ordered, lastFailures)
  const folded = ordered.map((one) => {
    const row = rows.get(one.delivered.item.ownerId)
    if (!row) return { delivered: one.delivered, verdict: one.verdict, endpoint: null, tell: async () => null }
    const noted = isSuccess(one) ? noteSuccess(tx, one, row) : noteFailure(tx, one, row, mayDisable)
    rows.set(row.id, noted.left)
    return noted
  })
  await write(tx, [...rows.values()])
  return folded
}

function isSuccess({ verdict }: Judged): boolean {
  return verdict.delivery.state === 'delivered'
}

/** An attempt that is noted, and its endpoint as the next one finds it. */
interface Folded extends NotedHealth {
  endpoint: EndpointRow
  left: EndpointRow
}

function noteSuccess(tx: Transaction, { delivered, verdict }: Judged, old: EndpointRow): Folded {
  const { endedAt } = delivered
  const isNews = isNewSuccess(old, endedAt)
  const endpoint = isNews ? { ...old, ...healthy, lastSuccessAt: endedAt } : old
  const isBack = isNews && old.failingSince !== null && !old.disabledAt && !old.deletedAt
  return {
    delivered,
    verdict,
    endpoint,
    left: endpoint,
    async tell(encryption) {
      if (!isBack) return null
      await writeEndpointEvent(tx, encryption, 'endpoint.recovered', endpoint, endedAt)
      return 'recovered'
    },
  }
}

function isNewSuccess(
  { failures, lastSuccessAt }: Pick<EndpointRow, 'failures' | 'lastSuccessAt'>,
  now: Date,
): boolean {
  return failures > 0 || lastSuccessAt === null || lastSuccessAt <= after(now, -lastSuccessPrecisionMs)
}

/** Counts a failure, which may open the breaker, and makes the whole endpoint wait if it said so. */
function noteFailure(
  tx: Transaction,
  { delivered, verdict, ordinary }: Judged,
  old: EndpointRow,
  mayDisable: boolean,
): Folded {
  const { item, endedAt } = delivered
  if (old.updatedAt > item.startedAt)
    return { delivered, verdict: ordinary(), endpoint: old, left: old, tell: async () => null }
  const health = afterFailure(old, failureOf(delivered, verdict))
  const waits = verdict.endpoint.kind === 'wait' ? waiting(old, verdict.endpoint.waitMs, endedAt) : {}
  const endpoint = { ...old, ...health, ...waits }
  const isOpen = !endpoint.disabledAt && !endpoint.deletedAt
  const reason = isOpen && mayDisable ? reasonToDisable(verdict, health, endedAt) : null
  const isFailing = isOpen && old.failingSince === null && health.failingSince !== null
  return {
    delivered,
    verdict,
    endpoint,
    left: reason === null ? endpoint : { ...endpoint, disabledAt: endedAt, updatedAt: endedAt },
    async tell(encryption) {
      if (reason !== null) {
        await disableEndpoint(tx, encryption, endpoint, { reason, now: endedAt })
        return 'disabled'
      }
      if (!isFailing) return null
      await writeEndpointEvent(tx, encryption, 'endpoint.failing', endpoint, endedAt)
      return 'failing'
    },
  }
}

function failureOf({ item, endedAt }: Delivered, { endpoint }: Verdict): Failure {
  return { startedAt: item.startedAt, endedAt, asksToWait: endpoint.kind === 'wait' && !endpoint.mayBeDead }
}

function reasonToDisable({ endpoint }: Verdict, health: Health, now: Date): DisabledReason | null {
  if (endpoint.kind === 'gone') return 'gone'
  return isGivenUp(health, now) ? 'failing' : null
}

function waiting({ blockedUntil }: EndpointRow, waitMs: number, now: Date): Partial<EndpointRow> {
  const until = after(now, waitMs)
  return blockedUntil !== null && blockedUntil > until ? {} : { blockedUntil: until }
}

interface News {
  rows: Map<string, EndpointRow>
  /** The locks allow it. */
  mayDisable: boolean
}

/**
 * Locks the endpoints of which something may be news, and returns them. Where an event may follow, the others are
 * locked against being disabled, too: whoever disables one waits for deliveries that this round is about to write.
 */
async function lockNews(
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

/** Kept for as long as an attempt may take that began before. */
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

/** By what was known when the attempt began, and what whoever serves the endpoint has recorded since then. */
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

/** By their health as it was when the attempts began: it has to be known before the endpoints are locked. */
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

async function write(tx: Transaction, rows: readonly EndpointRow[]): Promise<void> {
  if (rows.length === 0) return
  const changed = rows.map((row) => ({
    id: row.id,
    failures: row.failures,
    first_failure_at: row.firstFailureAt,
    failing_since: row.failingSince,
    next_probe_at: row.nextProbeAt,
    failed_probes: row.failedProbes,
    blocked_until: row.blockedUntil,
    last_success_at: row.lastSuccessAt,
  }))
  await tx.execute(sql`
    /* deliver.health */
    UPDATE webhook_endpoints e SET
      failures = c.failures, first_failure_at = c.first_failure_at, failing_since = c.failing_since,
      next_probe_at = c.next_probe_at, failed_probes = c.failed_probes, blocked_until = c.blocked_until,
      last_success_at = c.last_success_at
    FROM json_to_recordset(${JSON.stringify(changed)}::json) AS c (
      id uuid, failures int, first_failure_at timestamptz, failing_since timestamptz, next_probe_at timestamptz,
      failed_probes int, blocked_until timestamptz, last_success_at timestamptz
    ) WHERE e.id = c.id`)
}
