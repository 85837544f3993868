// Owns an id's place among the others, in SQL: `phase` of base/ids.ts.
import { type SQL, sql } from 'drizzle-orm'

/** Returns SQL for a number from 0 to 1 that is always the same for an id. */
export function phaseOf(id: SQL): SQL {
  return sql`(('x' || right(${id}::text, 8))::bit(32)::bigint / 4294967296.0)`
}
