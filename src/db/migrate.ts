// Owns migrating the schema, and knowing whether it is up to date. Both ours (migrations/) and the queue's.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import type { PoolClient } from 'pg'
import type { OpenDatabase } from './client.ts'
import { installation } from './schema/index.ts'

const folder = fileURLToPath(new URL('../../migrations', import.meta.url))
const lockKey = 0x696d7074 // "impt"
/** The code of notices that a migration raises on purpose. Postgres' own notices have other codes. */
const raisedNotice = '00000'

/**
 * Applies the missing migrations. Several processes may run it at once, also on an up-to-date schema.
 * @param onNotice receives what a migration has to say, such as that a role couldn't be made.
 */
export async function migrate(
  { db, pool }: Pick<OpenDatabase, 'db' | 'pool'>,
  onNotice: (text: string) => void = () => {},
): Promise<void> {
  const listen = (client: PoolClient) =>
    client.on('notice', ({ code, message = '' }) => {
      if (code === raisedNotice) onNotice(message)
    })
  pool.on('connect', listen)
  const lock = await pool.connect()
  try {
    // The lock belongs to a transaction: behind a pooler, the next statement may run in another session, which couldn't
    // release a session's lock.
    await lock.query('BEGIN')
    await lock.query('SELECT pg_advisory_xact_lock($1)', [lockKey])
    await migrateWithDrizzle(db, { migrationsFolder: folder })
  } finally {
    await lock.query('COMMIT')
    lock.release()
    pool.off('connect', listen)
  }
}

/**
 * How the database's schema fits this version. `ahead`: newer versions have migrated it, and this one may run on it.
 * `forbidden`: one of their migrations says that it may not.
 */
export type SchemaState = 'current' | 'behind' | 'ahead' | 'forbidden'

export async function readSchemaState({ db }: Pick<OpenDatabase, 'db'>): Promise<SchemaState> {
  const known = (await readJournal()).at(-1)
  if (!known) throw new Error('This version has no migrations.')
  const [ledger] = (
    await db.execute(sql`/* migration.ledger */ SELECT to_regclass('drizzle.__drizzle_migrations') AS name`)
  ).rows
  if (!ledger?.name) return 'behind'
  const [applied] = (
    await db.execute(
      sql`/* migration.newest */ SELECT max(created_at)::float8 AS newest FROM drizzle.__drizzle_migrations`,
    )
  ).rows
  const newest = Number(applied?.newest ?? 0)
  if (newest < known.when) return 'behind'
  if (newest === known.when) return 'current'
  const [{ needed } = { needed: 0 }] = await db.select({ needed: installation.neededMigration }).from(installation)
  return needed > known.idx ? 'forbidden' : 'ahead'
}

/** Returns true if every migration of this build has been applied. */
export async function isMigrated(database: Pick<OpenDatabase, 'db'>): Promise<boolean> {
  return (await readSchemaState(database)) !== 'behind'
}

/** Returns this version's migrations, the oldest first. `when` is also their time in the database's ledger. */
async function readJournal(): Promise<{ idx: number; when: number }[]> {
  const journal = JSON.parse(await readFile(`${folder}/meta/_journal.json`, 'utf8')) as {
    entries: { idx: number; when: number }[]
  }
  return journal.entries.toSorted((a, b) => a.when - b.when)
}
