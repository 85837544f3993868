// Owns which process uses an embedded PostgreSQL: one at a time, holding a session-level lock for its lifetime.
import { Client, DatabaseError } from 'pg'

const lockKey = 0x656d6264 // "embd"

export interface Ownership {
  /** Runs a statement on the lock's own connection. */
  query(sql: string): Promise<Record<string, unknown>[]>
  /** Closes the connection, which releases the lock. */
  release(): Promise<void>
  /** Resolves when the connection, and with it the lock, has ended. */
  lost: Promise<void>
}

export type Owned = { kind: 'owned'; ownership: Ownership } | { kind: 'taken' } | { kind: 'not_ready' }

/**
 * Tries to become the server's owner. `not_ready`: the server accepts no connections now.
 * @throws any other error of connecting, such as a wrong password.
 */
export async function takeOwnership(url: string): Promise<Owned> {
  const client = new Client({
    connectionString: url,
    application_name: 'import-tracker owner',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  })
  client.on('error', () => {}) // the server's end, which the service's own pool reports
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
 * Returns true if the server is starting up, shutting down or gone (class 57 of
 * https://www.postgresql.org/docs/current/errcodes-appendix.html). An error that the server didn't send is one of the
 * connection.
 */
function isTransient(error: unknown): boolean {
  return !(error instanceof DatabaseError) || (error.code?.startsWith('57P') ?? false)
}
