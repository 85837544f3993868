// Owns bringing the schema up to date, and knowing whether it is: ours (migrations/) and the queue's.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import type { PoolClient } from 'pg'
import type { OpenDatabase } from './client.ts'

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
    await lock.query('SELECT pg_advisory_lock($1)', [lockKey])
    await migrateWithDrizzle(db, { migrationsFolder: folder })
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [lockKey])
    lock.release()
    pool.off('connect', listen)
  }
}

/** Whether every migration that this build knows has been applied. */
export async function isMigrated({ db }: Pick<OpenDatabase, 'db'>): Promise<boolean> {
  const journal = JSON.parse(await readFile(`${folder}/meta/_journal.json`, 'utf8')) as { entries: { when: number }[] }
  const newest = Math.max(...journal.entries.map((entry) => entry.when))
  const [ledger] = (await db.execute(sql`SELECT to_regclass('drizzle.__drizzle_migrations') AS name`)).rows
  if (!ledger?.name) return false
  const [applied] = (await db.execute(sql`SELECT max(created_at)::float8 AS newest FROM drizzle.__drizzle_migrations`))
    .rows
  return Number(applied?.newest ?? 0) >= newest
}
