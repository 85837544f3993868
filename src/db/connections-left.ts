// Owns comparing the connections that the database has left with those that a process may open. With too few,
// statements fail at the worst time, under load.
import { sql } from 'drizzle-orm'
import type { Log } from '../base/log.ts'
import type { Database } from './client.ts'

/** @param needed how many connections this process may open, besides the one in use here. */
export async function warnOfFewConnections({ db, log }: { db: Database; log: Log }, needed: number): Promise<void> {
  const { limit, inUse } = await readConnections(db)
  const left = limit - inUse
  if (left >= needed) return
  log.warn(
    { left, needed, limit, inUse },
    'DATABASE_URL leads to a PostgreSQL with fewer connections left than this process may need: raise max_connections or the limit of the user, or run fewer processes',
  )
}

/** Returns the narrowest limit that holds for this user, and how much of it is in use. */
async function readConnections(db: Database): Promise<{ limit: number; inUse: number }> {
  const { rows } = await db.execute<{ limit: number; inUse: number }>(sql`
    /* database.connections_left */
    WITH used AS (
      SELECT count(*)::int AS all_in_use,
        count(*) FILTER (WHERE usename = session_user)::int AS of_user,
        count(*) FILTER (WHERE datname = current_database())::int AS of_database
      FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    ), limits AS (
      SELECT current_setting('max_connections')::int
        - CASE WHEN rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int
          + coalesce(current_setting('reserved_connections', true)::int, 0) END AS "limit", all_in_use AS "inUse"
      FROM pg_roles, used WHERE rolname = session_user
      UNION ALL SELECT rolconnlimit, of_user FROM pg_roles, used WHERE rolname = session_user AND rolconnlimit >= 0
      UNION ALL SELECT datconnlimit, of_database FROM pg_database, used
      WHERE datname = current_database() AND datconnlimit >= 0
    )
    SELECT * FROM limits ORDER BY "limit" - "inUse" LIMIT 1`)
  return rows[0] ?? { limit: Number.POSITIVE_INFINITY, inUse: 0 }
}
