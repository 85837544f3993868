// Owns databases as older versions have left them.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import type { TestDatabase } from './database.ts'

/** Empties the database, and applies the migrations up to this one. */
export async function migrateUpTo({ db, pool }: TestDatabase, tag: string): Promise<void> {
  await pool.query('DROP SCHEMA public, reporting, drizzle CASCADE; CREATE SCHEMA public')
  const folder = await mkdtemp(join(tmpdir(), 'import-tracker-migrations-'))
  try {
    await cp(new URL('../../migrations', import.meta.url), folder, { recursive: true })
    const file = join(folder, 'meta', '_journal.json')
    const journal = JSON.parse(await readFile(file, 'utf8')) as { entries: { tag: string }[] }
    const entries = journal.entries.slice(0, journal.entries.findIndex((entry) => entry.tag === tag) + 1)
    await writeFile(file, JSON.stringify({ ...journal, entries }))
    await migrate(db, { migrationsFolder: folder })
  } finally {
    await rm(folder, { recursive: true })
  }
}
