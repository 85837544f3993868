// Owns counting the requests of connections without limits, so that their usage can be shown. Nothing waits for these
// counts: they gather in the process and are written now and then, so that a poll costs no statement more.
import { sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import { unnest } from '../db/unnest.ts'

export interface Tally {
  /** Counts one request. */
  count(connectionId: string): void
  /** Writes what has gathered. A connection that another transaction has locked is left for the next time. */
  flush(): Promise<void>
}

export function createTally({ db, clock }: { db: Database; clock: Clock }): Tally {
  let gathered = new Map<string, number>()

  const add = (id: string, requests: number) => {
    gathered.set(id, (gathered.get(id) ?? 0) + requests)
  }

  return {
    count: (connectionId) => add(connectionId, 1),
    async flush() {
      if (gathered.size === 0) return
      const writing = gathered
      gathered = new Map()
      const written = await write(db, writing, clock.now()).catch((error: unknown) => {
        for (const [id, requests] of writing) add(id, requests)
        throw error
      })
      for (const [id, requests] of writing) if (!written.has(id)) add(id, requests)
    },
  }
}

/** Returns the connections that were written. */
async function write(db: Database, counts: ReadonlyMap<string, number>, now: Date): Promise<Set<string>> {
  const day = now.toISOString().slice(0, 10)
  const month = day.slice(0, 7)
  const given = [...counts].map(([id, requests]) => ({ id, requests }))
  const { rows } = await db.execute<{ id: string }>(sql`
    /* connection.tally */
    WITH locked AS MATERIALIZED (
      SELECT c.id, given.requests FROM ${unnest('given', given, { id: 'uuid', requests: 'int' })}
      JOIN connections c ON c.id = given.id ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED
    )
    UPDATE connections c SET
      month_requests = locked.requests + CASE WHEN c.budget_month >= ${month} THEN c.month_requests ELSE 0 END,
      budget_month = greatest(c.budget_month, ${month}),
      day_requests = locked.requests + CASE WHEN c.budget_day >= ${day} THEN c.day_requests ELSE 0 END,
      budget_day = greatest(c.budget_day, ${day})
    FROM locked WHERE c.id = locked.id
    RETURNING c.id`)
  return new Set(rows.map(({ id }) => id))
}
