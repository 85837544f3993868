// Owns who uses an embedded PostgreSQL: one process at a time, which holds a session-level lock as long as it lives.
import { Client, DatabaseError } from 'pg'

const lockKey = 0x656d6264 // "embd"

export interface Ownership {
  /** Runs a statement on the lock's own connection. */
  query(sql: string): Promise<Record<string, unknown>[]>
  /** Gives up the connection, and the lock with it. */
  release(): Promise<void>
  /** Settles when the connection has ended, and the lock with it. */
  lost: Promise<void>
}

export type Owned = { kind: 'owned'; ownership: Ownership } | { kind: 'taken' } | { kind: 'not_ready' }

/**
 * Tries to become the server's owner. `not_ready`: it doesn't accept connections now.
 * @throws whatever else keeps us from connecting, such as a wrong password.
 */
export async function takeOwnership(url: string): Promise<Owned> {
  const client = new Client({
    connectionString: url,
    application_name: 'import-tracker owner',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  })
  client.on('error', () => {}) // the server's end; the service's own pool notices and says so
  try {
    await client.connect()
    const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [lockKey])
    if (rows[0]?.held) return { kind: 'owned', ownership: owner(client) }
    await client.end()
    return { kind: 'taken' }
  } catch (error) {
    await client.end().catch(() => {})
    if (isTransient(error)) return { kind: 'not_ready' }
    throw error
  }
}

function owner(client: Client): Ownership {
  return {
    lost: new Promise((resolve) => client.once('end', resolve)),
    query: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    release: () => client.end().catch(() => {}),
  }
}

/**
 * Starting up, shutting down, or just gone: https://www.postgresql.org/docs/current/errcodes-appendix.html, class 57. What
 * isn't said by the server is of the connection.
 */
function isTransient(error: unknown): boolean {
  return !(error instanceof DatabaseError) || (error.code?.startsWith('57P') ?? false)
}
