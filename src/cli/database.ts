// Owns a command's database: the one of DATABASE_URL, or the embedded one for the length of the command.
import type { Config } from '../config/config.ts'
import { checkDatabase, type OpenDatabase, openDatabase } from '../db/client.ts'
import { patienceMs } from '../db/silence.ts'
import { startEmbeddedPostgres } from '../embedded/postgres.ts'

/** Opens the database, does the work, and closes the database in any case. */
export async function withDatabase<Result>(
  config: Pick<Config, 'databaseUrl' | 'dataDir'>,
  work: (database: OpenDatabase) => Promise<Result>,
): Promise<Result> {
  if (config.databaseUrl !== null)
    return onDatabase(config.databaseUrl, async (database) => {
      await checkDatabase(database)
      return work(database)
    })
  const embedded = await startEmbeddedPostgres({ directory: config.dataDir })
  try {
    return await onDatabase(embedded.url, work)
  } finally {
    await embedded.stop()
  }
}

async function onDatabase<Result>(url: string, work: (database: OpenDatabase) => Promise<Result>): Promise<Result> {
  const database = openDatabase(url, { maxConnections: 2, onError: () => {}, silentForMs: patienceMs })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}
