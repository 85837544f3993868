// Owns writing down what a round of attempts says about their endpoints, and telling others when that changes.
import { sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import type { Transaction } from '../db/client.ts'
import { disableEndpoint } from '../webhooks/endpoints/disable.ts'
import { writeEndpointEvent } from '../webhooks/endpoints/events.ts'
import { afterFailure, healthy } from '../webhooks/endpoints/health.ts'
import type { EndpointRow } from '../webhooks/endpoints/present.ts'
import type { Verdict } from './judge.ts'
import { failureOf, isNewSuccess, isSuccess, lockNews, reasonToDisable } from './news.ts'
import type { Judged } from './record.ts'
import type { Delivered } from './work.ts'

/** What an attempt changed about its endpoint. Null: nothing. */
export type EndpointChange = 'failing' | 'recovered' | 'disabled' | null

export interface NotedHealth {
  delivered: Delivered
  /**
   * The verdict without the endpoint's part, if the endpoint changed since the attempt began: the answer came from its
   * old place.
   */
  verdict: Verdict
  /** The locked endpoint after this attempt. Null: the attempt is a success that changes nothing. */
  endpoint: EndpointRow | null
  /** Disables the endpoint if that follows, and writes the event. Call it once the deliveries are written. */
  tell(encryption: Encryption): Promise<EndpointChange>
}

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

/** An attempt that is noted, and its endpoint as the next one finds it. */
interface Folded extends NotedHealth {
  endpoint: EndpointRow
  left: EndpointRow
}

/** True: the endpoint changed after the attempt began, so the answer may have come from its old place. */
function isOutdated({ item }: Judged['delivered'], { updatedAt }: EndpointRow): boolean {
  return updatedAt > item.startedAt
}

/** Notes a success, unless it is outdated. */
function noteSuccess(tx: Transaction, { delivered, verdict }: Judged, old: EndpointRow): Folded {
  const { endedAt } = delivered
  const isNews = !isOutdated(delivered, old) && isNewSuccess(old, endedAt)
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

/** Counts a failure, which may open the breaker, and makes the whole endpoint wait if it said so. */
function noteFailure(
  tx: Transaction,
  { delivered, verdict, ordinary }: Judged,
  old: EndpointRow,
  mayDisable: boolean,
): Folded {
  const { endedAt } = delivered
  if (isOutdated(delivered, old))
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

function waiting({ blockedUntil }: EndpointRow, waitMs: number, now: Date): Partial<EndpointRow> {
  const until = after(now, waitMs)
  return blockedUntil !== null && blockedUntil > until ? {} : { blockedUntil: until }
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
