// Owns giving up connections to Postgres that have gone silent: their host is gone, a firewall has forgotten them, or
// the server hangs. Nothing closes such a connection, so a statement on it would wait for good, and its pool with it.
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'

/** How long a connection may take to be made, in milliseconds, and to be had from a pool. */
export const connectWithinMs = 5_000
/** How long the server may say nothing while a statement runs. */
export const silenceMs = 10_000
/** The same where statements work on much history at once: migrations, partitions, days, deleting. */
export const patienceMs = 30 * 60_000
/** When the system first asks whether the other side is still there, on a connection that nobody uses. */
export const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const

/** The server has said nothing for too long; the statement fails as if the connection had broken. */
export class SilentConnectionError extends Error {
  override name = 'SilentConnectionError'
  readonly code = 'ETIMEDOUT'

  constructor(ms: number) {
    super(`Postgres said nothing for ${ms / 1_000} s: the connection is given up.`)
  }
}

/**
 * Ends each of the pool's connections on which a statement has waited for `ms` without a byte, and with it all others
 * that weren't heard of for as long: what silenced one has silenced them, too. `cut` ends all of them.
 */
export function endSilentConnections(pool: Pool, ms: number): { cut(): void } {
  const heardAt = new Map<Socket, number>()
  pool.on('connect', (client) => {
    const socket = socketOf(client)
    const hear = () => heardAt.set(socket, performance.now())
    hear()
    socket.on('data', hear).once('close', () => heardAt.delete(socket))
    // Sending counts as well as receiving; so a connection that is idle first has its full time with its next statement.
    socket.setTimeout(ms).on('timeout', () => {
      if (!isWaiting(client)) return
      const silentSince = performance.now() - ms
      for (const [other, at] of heardAt)
        if (other === socket || at <= silentSince) other.destroy(new SilentConnectionError(ms))
    })
  })
  return {
    cut() {
      for (const socket of heardAt.keys()) socket.destroy()
    },
  }
}

/** Ends a pool: statements that are under way may take a few seconds, and what is left is cut off. */
export async function endPool(pool: Pool, connections: { cut(): void }): Promise<void> {
  const ended = pool.end()
  await Promise.race([ended, delay(endWithinMs, undefined, { ref: false })])
  connections.cut()
}

const endWithinMs = 2_000

/** Whether a statement is under way. pg keeps this and the socket to itself, but has had both under these names for years. */
function isWaiting(client: PoolClient): boolean {
  return (client as unknown as { readyForQuery: boolean | null }).readyForQuery !== true
}

function socketOf(client: PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream
}
