// Owns the connections to Postgres: one pool a process, and Drizzle on it.
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { Pool, types } from 'pg'
import { parseJson } from '../base/json.ts'
import { demanding } from '../config/requirement.ts'
import * as schema from './schema/index.ts'
import { connectWithinMs, endPool, endSilentConnections, keepAlive, silenceMs } from './silence.ts'
import { withPlainSslMode } from './ssl-mode.ts'

/** `$client` is the pool, for work that needs a connection to itself. */
export type Database = NodePgDatabase<typeof schema> & { $client: Pool }
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0]

export interface OpenDatabase {
  db: Database
  pool: Pool
  close(): Promise<void>
}

/** @throws {ConfigError} if the database of DATABASE_URL refuses us. */
export async function checkDatabase({ pool }: Pick<OpenDatabase, 'pool'>): Promise<void> {
  await demanding('DATABASE_URL must lead to a database that lets this service in', () => pool.query('SELECT 1'))
}

/**
 * Reads `json` and `jsonb` with their digits. Drizzle takes these parsers from the types of the whole process alone.
 */
for (const type of [types.builtins.JSON, types.builtins.JSONB]) types.setTypeParser(type, parseJson)

export interface DatabaseOptions {
  maxConnections: number
  onError: (error: Error) => void
  /** How long the server may stay silent during a statement before the connection is closed. */
  silentForMs?: number
}

export function openDatabase(
  url: string,
  { maxConnections, onError, silentForMs = silenceMs }: DatabaseOptions,
): OpenDatabase {
  const pool = new Pool({
    connectionString: withPlainSslMode(url),
    max: maxConnections,
    connectionTimeoutMillis: connectWithinMs,
    ...keepAlive,
    application_name: 'import-tracker',
  })
  pool.on('error', onError) // the pool replaces an idle connection that broke
  // A connection may break while it is in use, such as between two statements of a transaction. The next statement
  // reports it, but an error without a listener would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  const connections = endSilentConnections(pool, silentForMs)
  return { db: drizzle(pool, { schema }), pool, close: () => endPool(pool, connections) }
}
