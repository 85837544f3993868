// Owns mending stored times that a fast clock set: no time that keeps work waiting may be later than its rule allows. A
// later time means nothing, so its work is due now.
//
// | stored time | its rule sets it at most to now and |
// |---|---|
// | `connections.blocked_until`, `webhook_endpoints.blocked_until` | the longest `Retry-After`: 24 h |
// | `connections.next_probe_at`, `webhook_endpoints.next_probe_at` | 3 min, 30 min |
// | `connections.next_request_at` | how far the requests under way are ahead of the connection's pace |
// | `connections.stretch_until` | how long a stretch is believed |
// | `connections.used_up_until` | the longest month |
// | `polling.due_at`, `imports.next_collect_at` | the longest interval, as far as the budget stretches it; after a failure, the longest `Retry-After` |
// | `imports.deadline_at` | `deadline_ms` |
// | leases | their length |
// | `polling`: no row | a live import has one |
// | `deliveries.next_attempt_at` | the next delay of the schedule |
// | `webhook_endpoints.failing_since`, `first_failure_at`, `updated_at` | nothing: they are past |
import { type SQL, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import { maxAheadMs } from '../budget/budget.ts'
import { probeIntervalMs } from '../connections/pause.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { unnest } from '../db/unnest.ts'
import { retryDelaysMs } from '../delivering/judge.ts'
import { mendPolling } from '../imports/polling-row.ts'
import { effectiveLimits } from '../model/limits.ts'
import { defaultsOf, isKnown } from '../providers/facts.ts'
import { maxProbeMs } from '../webhooks/endpoints/health.ts'
import { leaseMs } from '../work/leases.ts'

const minute = 60_000
/** How much clocks may differ, and statements may take. */
const slackMs = minute
/** The longest `Retry-After` with its jitter. */
const longestWaitMs = 27 * 60 * minute
/** How long a stretch is believed at the longest: that of a connection with some millions of live imports. */
const longestBelievedMs = 2 * 60 * minute
const longestMonthMs = 32 * 24 * 60 * minute
/** The longest jitter of retries, as a factor. */
const jitter = 1.2
const mendLock = 0x6d656e64 // "mend"

/**
 * Mends the times beyond their rules. `thorough` also reads all pending work, as at a start. Several processes may run
 * it at once: one works, the others return.
 */
export async function mendTimes(db: Database, now: Date, { thorough }: { thorough: boolean }): Promise<void> {
  await db.transaction(async (tx) => {
    const { rows } = await tx.execute<{ isMine: boolean }>(
      sql`/* time.mend_lock */ SELECT pg_try_advisory_xact_lock(${mendLock}) AS "isMine"`,
    )
    if (!rows[0]?.isMine) return
    const bounds = await readBounds(tx)
    await mendConnections(tx, now, bounds)
    await mendImports(tx, now, bounds, thorough)
    await mendEndpoints(tx, now)
    if (thorough) await mendDeliveries(tx, now)
  })
}

/** The bounds that follow from a connection's own limits. */
interface Bounds {
  id: string
  maxIntervalMs: number
  aheadMs: number
}

async function readBounds(tx: Transaction): Promise<Bounds[]> {
  const { id, provider, providerFacts, limits, stretch } = connections
  const rows = await tx.select({ id, provider, providerFacts, limits, stretch }).from(connections)
  return rows.flatMap((row) => {
    if (!isKnown(row)) return []
    const own = effectiveLimits(defaultsOf(row), row.limits)
    return [{ id: row.id, maxIntervalMs: own.maxIntervalMs * row.stretch, aheadMs: maxAheadMs(own) }]
  })
}

function unnested(bounds: readonly Bounds[]): SQL {
  return unnest('bound', bounds, { id: 'uuid', maxIntervalMs: 'float8', aheadMs: 'float8' })
}

async function mendConnections(tx: Transaction, now: Date, bounds: readonly Bounds[]): Promise<void> {
  const isPaceOff = sql`next_request_at > ${later(now, sql`ahead_ms`)}`
  await tx.execute(sql`
    /* time.mend_connections */
    UPDATE connections SET
      blocked_until = ${unless(sql`blocked_until > ${after(now, longestWaitMs)}`, sql`blocked_until`)},
      next_probe_at = ${unless(sql`next_probe_at > ${after(now, probeIntervalMs + slackMs)}`, sql`next_probe_at`, now)},
      next_request_at = ${unless(isPaceOff, sql`next_request_at`)},
      stretch_until = ${unless(sql`stretch_until > ${after(now, longestBelievedMs)}`, sql`stretch_until`)},
      used_up_until = ${unless(sql`used_up_until > ${after(now, longestMonthMs)}`, sql`used_up_until`)}
    FROM ${unnested(bounds)}
    WHERE connections.id = bound.id AND (
      blocked_until > ${after(now, longestWaitMs)} OR next_probe_at > ${after(now, probeIntervalMs + slackMs)}
      OR ${isPaceOff} OR stretch_until > ${after(now, longestBelievedMs)} OR used_up_until > ${after(now, longestMonthMs)})`)
}

async function mendImports(tx: Transaction, now: Date, bounds: readonly Bounds[], thorough: boolean): Promise<void> {
  const kinds = [
    {
      table: sql`polling`,
      id: sql`import_id`,
      due: sql`due_at`,
      failed: sql`failures > 0 OR EXISTS (SELECT FROM imports WHERE id = import_id AND last_error IS NOT NULL)`,
    },
    { table: sql`imports`, id: sql`id`, due: sql`next_collect_at`, failed: sql`collect_failures > 0` },
  ]
  for (const { table, id, due, failed } of kinds) {
    const latest = later(now, sql`CASE WHEN ${failed} THEN ${longestWaitMs}::float8 ELSE 2 * max_interval_ms END`)
    await tx.execute(sql`
      /* time.mend_due */
      UPDATE ${table} SET ${due} = ${now} WHERE ${id} IN (
        SELECT late.id FROM ${unnested(bounds)} CROSS JOIN LATERAL (
          SELECT ${id} AS id FROM ${table}
          WHERE connection_id = bound.id AND ${due} > ${later(now, sql`2 * max_interval_ms`)} AND ${due} > ${latest}
        ) late)`)
  }
  await tx.execute(sql`/* time.mend_leases */ DELETE FROM leases WHERE until > ${after(now, leaseMs + slackMs)}`)
  if (!thorough) return
  await mendPolling(tx, now)
  await tx.execute(sql`
    /* time.mend_polled */
    UPDATE polling SET due_at = ${now} WHERE last_polled_at > ${after(now, slackMs)} AND due_at > ${now}`)
  await tx.execute(sql`
    /* time.mend_deadlines */
    UPDATE imports SET deadline_at = ${now}::timestamptz + deadline_ms * interval '1 millisecond'
    WHERE state IN ('pending', 'queued', 'running') AND deadline_at > ${later(now, sql`deadline_ms`)}`)
}

async function mendEndpoints(tx: Transaction, now: Date): Promise<void> {
  const passed = ['failing_since', 'first_failure_at', 'updated_at'].map((name) => sql.raw(name))
  await tx.execute(sql`
    /* time.mend_endpoints */
    UPDATE webhook_endpoints SET
      blocked_until = ${unless(sql`blocked_until > ${after(now, longestWaitMs)}`, sql`blocked_until`)},
      next_probe_at = ${unless(sql`next_probe_at > ${after(now, maxProbeMs + slackMs)}`, sql`next_probe_at`, now)},
      ${sql.join(
        passed.map((name) => sql`${name} = ${unless(sql`${name} > ${after(now, slackMs)}`, name, now)}`),
        sql`, `,
      )}
    WHERE blocked_until > ${after(now, longestWaitMs)} OR next_probe_at > ${after(now, maxProbeMs + slackMs)}
      OR ${sql.join(
        passed.map((name) => sql`${name} > ${after(now, slackMs)}`),
        sql` OR `,
      )}`)
}

async function mendDeliveries(tx: Transaction, now: Date): Promise<void> {
  // A receiver's Retry-After makes its endpoint wait, too.
  await tx.execute(sql`
    /* time.mend_deliveries */
    UPDATE deliveries SET next_attempt_at = ${now} FROM webhook_endpoints endpoint
    WHERE endpoint.id = endpoint_id
      AND next_attempt_at > ${later(now, sql`(${sql.param(retryDelaysMs.map((ms) => ms * jitter))}::float8[])[attempts + 1]`)}
      AND next_attempt_at > coalesce(endpoint.blocked_until, ${now}::timestamptz) + interval '1 minute'`)
}

/** Returns `ms` from now, with some slack. */
function later(now: Date, ms: SQL): SQL {
  return sql`(${after(now, slackMs)}::timestamptz + ${ms} * interval '1 millisecond')`
}

function unless(isOff: SQL, time: SQL, instead: Date | null = null): SQL {
  return sql`CASE WHEN ${isOff} THEN ${instead}::timestamptz ELSE ${time} END`
}
