// Owns the ids of deliveries, which Postgres makes: only the statement knows how many there are.
import { type SQL, sql } from 'drizzle-orm'

/** Returns SQL for a UUIDv7 (RFC 9562) of a moment. */
export function timeOrderedId(moment: SQL): SQL {
  const time = sql`lpad(to_hex((extract(epoch FROM ${moment}) * 1000)::bigint), 12, '0')`
  return sql`(left(${time}, 8) || '-' || right(${time}, 4) || '-7' || substr(gen_random_uuid()::text, 16))::uuid`
}
