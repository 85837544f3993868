// Owns checking that connections to Postgres suit the queue. It sets a search path and listens, so it needs sessions.
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseError, type Pool, type PoolClient } from 'pg'
import { ConfigError } from '../config/config.ts'
import { demanding, reasonOf } from '../config/requirement.ts'
import { queueSchema } from './migrate.ts'

/**
 * Refuses a pooler that gives each transaction another session, such as PgBouncer in transaction mode.
 * @throws {ConfigError}
 */
export async function requireSessions(pool: Pool, heardWithinMs = 10_000): Promise<void> {
  const listener = await connect(pool)
  try {
    const { rows } = await listener.query<{ path: string }>(`SELECT current_setting('search_path') AS path`)
    if (rows[0]?.path !== queueSchema) throw refused('it drops the options of a connection')
    if (!(await hears(listener, pool, heardWithinMs))) throw refused('a connection that listens is told nothing')
  } finally {
    listener.release(true) // closed, because the next user hasn't asked to listen
  }
}

function connect(pool: Pool): Promise<PoolClient> {
  return demanding('DATABASE_URL must lead to a database that lets this service in', async () => {
    try {
      return await pool.connect()
    } catch (error) {
      if (error instanceof DatabaseError && error.code === protocolViolation) throw refused(reasonOf(error))
      throw error
    }
  })
}

/** PgBouncer's answer to a startup parameter that it doesn't know. */
const protocolViolation = '08P01'

/** Returns true if one connection hears another one's notification. */
async function hears(listener: PoolClient, pool: Pool, withinMs: number): Promise<boolean> {
  const channel = `try_out_${randomBytes(8).toString('hex')}`
  const heard = new Promise<true>((resolve) => {
    listener.once('notification', () => resolve(true))
  })
  await listener.query(`LISTEN ${channel}`)
  await pool.query('SELECT pg_notify($1, $2)', [channel, ''])
  const patience = new AbortController()
  const late = delay(withinMs, false, { signal: patience.signal }).catch(() => false)
  return Promise.race([heard, late]).finally(() => patience.abort())
}

function refused(reason: string): ConfigError {
  return new ConfigError(
    `DATABASE_URL must lead to PostgreSQL itself or through a pooler in session mode, because the queue is kept there (PgBouncer in transaction mode serves only with REDIS_URL): ${reason.replace(/\.$/, '')}.`,
  )
}
