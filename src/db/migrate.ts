// Owns bringing the schema up to date, and knowing whether it is: ours (migrations/) and the queue's.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import type { PoolClient } from 'pg'
import type { OpenDatabase } from './client.ts'
import { installation } from './schema/index.ts'

const folder = fileURLToPath(new URL('../../migrations', import.meta.url))
const lockKey = 0x696d7074 // "impt"
/** What is raised on purpose; what Postgres itself says, such as that something is there already, has codes of its own. */
const raisedNotice = '00000'

/**
 * Applies what is missing; safe to run by several processes at once and on an up-to-date schema.
 * @param onNotice is told what a migration has to say, such as that a role couldn't be made.
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
    // A transaction's lock: a pooler may give the next statement another session, which couldn't give a session's back.
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
 * How the database's schema fits this version. `ahead`: newer versions have migrated it, and this one may run on it;
 * `forbidden`: one of their migrations says that it may not.
 */
export type SchemaState = 'current' | 'behind' | 'ahead' | 'forbidden'

export async function readSchemaState({ db }: Pick<OpenDatabase, 'db'>): Promise<SchemaState> {
  const known = (await readJournal()).at(-1)
  if (!known) throw new Error('This version has no migrations.')
  const [ledger] = (await db.execute(sql`SELECT to_regclass('drizzle.__drizzle_migrations') AS name`)).rows
  if (!ledger?.name) return 'behind'
  const [applied] = (await db.execute(sql`SELECT max(created_at)::float8 AS newest FROM drizzle.__drizzle_migrations`))
    .rows
  const newest = Number(applied?.newest ?? 0)
  if (newest < known.when) return 'behind'
  if (newest === known.when) return 'current'
  const [{ needed } = { needed: 0 }] = await db.select({ needed: installation.neededMigration }).from(installation)
  return needed > known.idx ? 'forbidden' : 'ahead'
}

/** Whether every migration that this build knows has been applied. */
export async function isMigrated(database: Pick<OpenDatabase, 'db'>): Promise<boolean> {
  return (await readSchemaState(database)) !== 'behind'
}

/** The migrations that this version knows, the oldest first. `when`: also their time in the database's ledger. */
async function readJournal(): Promise<{ idx: number; when: number }[]> {
  const journal = JSON.parse(await readFile(`${folder}/meta/_journal.json`, 'utf8')) as {
    entries: { idx: number; when: number }[]
  }
  return journal.entries.toSorted((a, b) => a.when - b.when)
}
