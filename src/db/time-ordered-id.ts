// Owns how deliveries get their ids where Postgres makes them: it is only there that their number is known.
import { type SQL, sql } from 'drizzle-orm'

/** A UUIDv7 (RFC 9562) of a moment. */
export function timeOrderedId(moment: SQL): SQL {
  const time = sql`lpad(to_hex((extract(epoch FROM ${moment}) * 1000)::bigint), 12, '0')`
  return sql`(left(${time}, 8) || '-' || right(${time}, 4) || '-7' || substr(gen_random_uuid()::text, 16))::uuid`
}
