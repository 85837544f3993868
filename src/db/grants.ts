// Owns the grants that the user of DATABASE_URL needs, and naming the missing ones. docs/operating.md lists them for
// people. A user that owns the tables has all of them.
import { is, sql } from 'drizzle-orm'
import { getTableConfig, isPgSequence, PgTable } from 'drizzle-orm/pg-core'
import { ConfigError } from '../config/config.ts'
import type { Database } from './client.ts'
import * as schema from './schema/index.ts'

/** @param queueSchema the schema of the queue's own tables; null: the queue is in Redis. @throws {ConfigError} */
export async function requireGrants(db: Database, queueSchema: string | null): Promise<void> {
  const missing = await missingGrants(db, queueSchema)
  if (missing.length === 0) return
  const more = missing.length > shownGrants ? ` and ${missing.length - shownGrants} more` : ''
  throw new ConfigError(
    `DATABASE_URL must lead to a database where its user has the grants that docs/operating.md lists; missing: ${missing.slice(0, shownGrants).join(', ')}${more}.`,
  )
}

const shownGrants = 10

/**
 * Returns missing grants such as `USAGE on schema bullmq`. Skips what doesn't exist: another check reports a schema
 * that is behind.
 */
async function missingGrants(db: Database, queueSchema: string | null): Promise<string[]> {
  const { rows } = await db.execute<{ missing: string }>(sql`
    /* database.missing_grants */
    WITH relations AS (
      SELECT c.oid, relkind, nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    ), wanted AS (
      SELECT oid, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege FROM relations
      WHERE nspname || '.' || relname = ANY (${sql.param(ownTables)}::text[])
        OR nspname = ${queueSchema} AND relkind = 'r' AND relname <> 'migration'
      UNION ALL
      SELECT oid, 'SELECT' FROM relations
      WHERE nspname = 'drizzle' AND relname = '__drizzle_migrations'
        OR nspname = ${queueSchema} AND relname = 'migration'
        OR nspname = 'reporting' AND relkind = 'v'
    )
    SELECT format('USAGE on schema %I', nspname) AS missing FROM pg_namespace
    WHERE nspname IN ('public', 'drizzle', 'reporting', ${queueSchema}) AND NOT has_schema_privilege(oid, 'USAGE')
    UNION ALL
    SELECT format('CREATE on schema %I', nspname) FROM pg_namespace
    WHERE nspname = ${queueSchema} AND NOT has_schema_privilege(oid, 'CREATE')
    UNION ALL
    SELECT format('%s on table %s', string_agg(privilege, ', '), oid::regclass) FROM wanted
    WHERE NOT has_table_privilege(oid, privilege) GROUP BY oid
    UNION ALL
    SELECT format('USAGE on sequence %s', oid::regclass) FROM relations
    WHERE (nspname = ${queueSchema} OR nspname || '.' || relname = ANY (${sql.param(ownSequences)}::text[])
        OR nspname = 'public' AND oid IN (SELECT objid FROM pg_depend JOIN wanted ON refobjid = wanted.oid WHERE deptype = 'a'))
      -- CASE, because the function fails on anything but a sequence.
      AND CASE WHEN relkind = 'S' THEN NOT has_sequence_privilege(oid, 'USAGE') END
    UNION ALL
    SELECT format('EXECUTE on function %s', p.oid::regprocedure)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    WHERE nspname = ${queueSchema} AND NOT has_function_privilege(p.oid, 'EXECUTE')`)
  return rows.map(({ missing }) => missing)
}

/** The tables that the service itself reads and writes. */
const ownTables = Object.values(schema)
  .filter((value) => is(value, PgTable))
  .map((table) => getTableConfig(table))
  .map((table) => `${table.schema ?? 'public'}.${table.name}`)

/** The sequences that don't come with a column of a table. */
const ownSequences = Object.values(schema)
  .filter(isPgSequence)
  .map((sequence) => `${sequence.schema ?? 'public'}.${sequence.seqName}`)
