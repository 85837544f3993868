// Owns the calls after an outage of ours: polls that nobody made for long are due at once, and begin one by one.
import { sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { unnest } from '../db/unnest.ts'
import { effectiveLimits } from '../model/limits.ts'
import { defaultsOf, isKnown } from '../providers/facts.ts'
import { spreadMs } from './spread.ts'

/** A shorter time without polls is no outage. */
export const outageMs = 60_000

/**
 * If no import has been polled for long although polls are due, spreads the imports of each connection, by how late its
 * own are. Returns how many connections that concerns.
 */
export async function spreadAfterOutage(db: Database, now: Date): Promise<number> {
  const lastPolledAt = await lastPoll(db)
  if (now.getTime() - lastPolledAt.getTime() < outageMs) return 0
  const waited = await longestWaits(db, now)
  const spread = waited.flatMap(({ id, limits, dueAt, ...pinned }) => {
    if (!isKnown(pinned)) return []
    // Before the outage a pause, a block or a budget may have held the connection up, which isn't ours to spread.
    const waitMs = now.getTime() - Math.max(dueAt.getTime(), lastPolledAt.getTime())
    const until = after(now, spreadMs(waitMs, effectiveLimits(defaultsOf(pinned), limits)))
    return waitMs < outageMs ? [] : [{ id, until }]
  })
  if (spread.length === 0) return 0
  await db.execute(sql`
    /* connection.spread */
    UPDATE connections SET spread_from = ${now}, spread_until = given.until
    FROM ${unnest('given', spread, { id: 'uuid', until: 'timestamptz' })}
    WHERE connections.id = given.id AND (spread_until IS NULL OR spread_until < given.until)`)
  return spread.length
}

/** Returns the epoch if no live import has been polled yet. */
async function lastPoll(db: Database): Promise<Date> {
  const { rows } = await db.execute<{ ms: number | null }>(
    sql`/* polling.last */ SELECT date_part('epoch', max(last_polled_at)) * 1000 AS ms FROM polling`,
  )
  return new Date(rows[0]?.ms ?? 0)
}

/** Returns the connections that may be asked now, with the longest due poll of each. */
async function longestWaits(db: Database, now: Date) {
  const { id, provider, providerFacts, limits } = connections
  const found = await db
    .select({ id, provider, providerFacts, limits, dueMs: sql<number>`due.ms` })
    .from(connections)
    .innerJoin(
      sql`LATERAL (
        SELECT date_part('epoch', due_at) * 1000 AS ms FROM polling
        WHERE connection_id = connections.id AND due_at <= ${after(now, -outageMs)} ORDER BY due_at LIMIT 1) due`,
      sql`true`,
    )
    .where(sql`deleted_at IS NULL AND paused_at IS NULL AND (blocked_until IS NULL OR blocked_until <= ${now})`)
  return found.map(({ dueMs, ...one }) => ({ ...one, dueAt: new Date(dueMs) }))
}
