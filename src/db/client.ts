// Owns the connection to Postgres: one pool a process, and Drizzle on it.
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { Pool, types } from 'pg'
import { parseJson } from '../base/json.ts'
import { demanding } from '../config/requirement.ts'
import * as schema from './schema/index.ts'
import { connectWithinMs, endPool, endSilentConnections, keepAlive, silenceMs } from './silence.ts'
import { withPlainSslMode } from './ssl-mode.ts'

/** `$client`: the pool, for what needs one connection to itself. */
export type Database = NodePgDatabase<typeof schema> & { $client: Pool }
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0]

export interface OpenDatabase {
  db: Database
  pool: Pool
  close(): Promise<void>
}

/** @throws {ConfigError} where the database of DATABASE_URL doesn't let us in. */
export async function checkDatabase({ pool }: Pick<OpenDatabase, 'pool'>): Promise<void> {
  await demanding('DATABASE_URL must lead to a database that lets this service in', () => pool.query('SELECT 1'))
}

/** `json` and `jsonb` are read with their digits. Drizzle asks pg's types of the whole process alone. */
for (const type of [types.builtins.JSON, types.builtins.JSONB]) types.setTypeParser(type, parseJson)

export interface DatabaseOptions {
  maxConnections: number
  onError: (error: Error) => void
  /** How long the server may say nothing while a statement runs, before the connection is given up. */
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
  pool.on('error', onError) // an idle connection that broke; the pool replaces it
  // One that breaks while it is used, such as between two statements of a transaction: whoever uses it is told by the
  // next statement, and an error without a listener would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  const connections = endSilentConnections(pool, silentForMs)
  return { db: drizzle(pool, { schema }), pool, close: () => endPool(pool, connections) }
}
