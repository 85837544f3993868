// Owns the shares of a connection's imports in its budget, when they want more calls than it leaves.
//
// Derivation. The policy asks an import with the hazard h once in √(2k / h), because a call is worth k of delay: so the
// import wants √(h / 2k) calls a second. If all want R a second and the budget allows B, the least total delay within B
// is that of a dearer call, k' for all alike (the multiplier of Lagrange for the budget): the gaps are √(2k' / h), which
// is s = √(k' / k) times the wanted ones. The sum of R / s has to be B, so s = R / B, and
//     1 / Δⱼ = √(hⱼ / 2k) / s = B · √hⱼ / Σ√hᵢ.
// Each import slows down by one factor, the stretch, so none starves. Of a day or a month, what is limited is a number
// of calls, not a rate: the live imports want W until they end, or until the window does, and s = W / left.
import { sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database, Transaction } from '../db/client.ts'
import type { connections } from '../db/schema/index.ts'
import { type DefaultLimits, effectiveLimits } from '../model/limits.ts'
import { defaultsOf } from '../providers/facts.ts'
import { type Budget, isCounted, isMetered, leftOf, pacePerSecond, type Spending } from './budget.ts'
import { spendingOf } from './spending.ts'

type ConnectionRow = typeof connections.$inferSelect

/** What the live imports of a connection want. */
export interface Wanted {
  /** How many of them there are. */
  imports: number
  /** Calls a second, now. */
  perSecond: number
  /** Calls until they end. */
  calls: number
}

/** Returns by which factor each gap is longer than wanted. 1: the budget leaves what the imports want. */
export function stretchOf(budget: Budget, spending: Spending, wanted: Wanted, now: number): number {
  const byWindow = leftOf(budget, spending, now).map(({ requests, ms }) => {
    const calls = Math.min(wanted.calls, Math.max(wanted.imports, (wanted.perSecond * ms) / 1_000))
    return calls / Math.max(requests, 1)
  })
  return Math.max(1, wanted.perSecond / pacePerSecond(budget), ...byWindow)
}

/**
 * Returns the ids of connections whose day or month leaves too few calls to follow all live imports to their ends. For
 * connections without such a limit, there is no statement.
 */
export async function scarceOf(tx: Transaction, rows: readonly ConnectionRow[], now: Date): Promise<Set<string>> {
  const counted = rows.filter((row) => isCounted(limitsOf(row)))
  if (counted.length === 0) return new Set()
  const wanted = await readWanted(tx, counted, now)
  const scarce = counted.filter((row) => {
    const wants = wanted.get(row.id)
    const budget = { ...limitsOf(row), requestsPerSecond: null, requestsPerMinute: null }
    return wants !== undefined && stretchOf(budget, spendingOf(row), wants, now.getTime()) > 1
  })
  return new Set(scarce.map(({ id }) => id))
}

/**
 * How long a stretch is believed: at least, with each live import for longer, so that working it out stays cheap, and at
 * the most.
 */
const believedMs = { least: 10_000, each: 1, most: 3_600_000 }
/** How many calls an import takes whose connection hasn't finished any: those of five minutes without history. */
const usualCalls = 20
const usualDays = 30
/** If a stretch falls to this share of what it was, due times that it set are taken back. */
const fallsTo = 0.7

/**
 * Returns the rows of connections with their stretches up to date. The caller has locked the connections. For those
 * without a limit, or whose stretch is still believed, there is no statement.
 */
export async function withStretch(
  tx: Transaction,
  rows: readonly ConnectionRow[],
  now: Date,
): Promise<Map<string, number>> {
  const stretches = new Map(rows.map(({ id, stretch }) => [id, stretch]))
  // Limits that are gone may have left a stretch behind.
  const outdated = rows.filter(
    (row) => (isMetered(limitsOf(row)) || row.stretch > 1) && (row.stretchUntil === null || row.stretchUntil <= now),
  )
  if (outdated.length === 0) return stretches
  const wanted = await readWanted(tx, outdated, now)
  const updates = outdated.flatMap((row) => {
    const wants = wanted.get(row.id)
    if (!wants) return []
    const stretch = stretchOf(limitsOf(row), spendingOf(row), wants, now.getTime())
    const until = after(now, Math.min(Math.max(believedMs.least, believedMs.each * wants.imports), believedMs.most))
    return [{ id: row.id, before: row.stretch, stretch, until }]
  })
  await tx.execute(sql`
    /* connection.stretch */
    UPDATE connections SET stretch = given.stretch, stretch_until = given.until
    FROM unnest(
      ${sql.param(updates.map(({ id }) => id))}::uuid[], ${sql.param(updates.map(({ stretch }) => stretch))}::float8[],
      ${sql.param(updates.map(({ until }) => until))}::timestamptz[]
    ) AS given (id, stretch, until)
    WHERE connections.id = given.id`)
  for (const { id, stretch } of updates) stretches.set(id, stretch)
  await hasten(
    tx,
    updates.filter(({ before, stretch }) => stretch < fallsTo * before),
  )
  return stretches
}

/** Takes due times back that a larger stretch has set. */
async function hasten(tx: Transaction, fallen: readonly { id: string; stretch: number }[]): Promise<void> {
  if (fallen.length === 0) return
  const dueAt = sql`p.last_polled_at + p.wanted_ms * given.stretch * interval '1 millisecond'`
  await tx.execute(sql`
    /* polling.hasten */
    UPDATE polling SET due_at = sooner.due_at FROM (
      SELECT p.import_id, ${dueAt} AS due_at
      FROM unnest(
        ${sql.param(fallen.map(({ id }) => id))}::uuid[], ${sql.param(fallen.map(({ stretch }) => stretch))}::float8[]
      ) AS given (id, stretch)
      JOIN polling p ON p.connection_id = given.id
      WHERE p.failures = 0 AND p.due_at > ${dueAt}
      FOR NO KEY UPDATE OF p SKIP LOCKED
    ) sooner WHERE polling.import_id = sooner.import_id`)
}

/** Returns what the live imports of these connections want, by connection. */
export async function readWanted(
  db: Database | Transaction,
  rows: readonly ConnectionRow[],
  now: Date,
): Promise<Map<string, Wanted>> {
  const { rows: found } = await db.execute<Wanted & { id: string } & Record<string, unknown>>(sql`
    /* connection.wanted */
    SELECT c.id, live.*
    FROM unnest(
      ${sql.param(rows.map(({ id }) => id))}::uuid[], ${sql.param(rows.map((row) => limitsOf(row).minIntervalMs))}::float8[]
    ) AS c (id, min_interval_ms)
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(polls)::float8 / nullif(sum(succeeded + partial + failed + canceled), 0), ${usualCalls}) AS calls
      FROM daily_outcomes WHERE connection_id = c.id AND day > ${after(now, -usualDays * 24 * 3_600_000)}::date
    ) usual
    CROSS JOIN LATERAL (
      SELECT
        count(*)::float8 AS imports,
        coalesce(sum(1000 / greatest(coalesce(p.wanted_ms, c.min_interval_ms), 1)), 0)::float8 AS "perSecond",
        coalesce(sum(greatest(usual.calls - p.polls, 1)), 0)::float8 AS calls
      FROM polling p WHERE p.connection_id = c.id
    ) live`)
  return new Map(found.map(({ id, ...wanted }) => [id, wanted]))
}

function limitsOf(row: ConnectionRow): DefaultLimits {
  return effectiveLimits(defaultsOf(row), row.limits)
}
