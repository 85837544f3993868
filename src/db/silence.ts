// Owns closing connections to Postgres that have gone silent: the host is gone, a firewall has forgotten the
// connection, or the server hangs. Nothing else closes such a connection. A statement on it would wait for ever, and
// its pool with it.
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'

/** How long connecting may take, in milliseconds, and waiting for a connection of a pool. */
export const connectWithinMs = 5_000
/** How long the server may stay silent during a statement. */
export const silenceMs = 10_000
/** The same for statements on much history at once: migrations, partitions, days, deleting. */
export const patienceMs = 30 * 60_000
/** When the system first probes the other side of an idle connection. */
export const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const

/** The server stayed silent for too long. The statement fails as if the connection had broken. */
export class SilentConnectionError extends Error {
  override name = 'SilentConnectionError'
  readonly code = 'ETIMEDOUT'

  constructor(ms: number) {
    super(`Postgres said nothing for ${ms / 1_000} s: the connection is given up.`)
  }
}

/**
 * Closes each of the pool's connections on which a statement has waited for `ms` without a byte. Also closes all others
 * that have been silent for as long: the same cause has likely silenced them. `cut` closes all of them.
 */
export function endSilentConnections(pool: Pool, ms: number): { cut(): void } {
  const heardAt = new Map<Socket, number>()
  pool.on('connect', (client) => {
    const socket = socketOf(client)
    const hear = () => heardAt.set(socket, performance.now())
    hear()
    socket.on('data', hear).once('close', () => heardAt.delete(socket))
    // Sending counts as well as receiving, so a statement on an idle connection has the full time.
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

/** Ends a pool. Running statements may take a few seconds; then their connections are cut. */
export async function endPool(pool: Pool, connections: { cut(): void }): Promise<void> {
  const ended = pool.end()
  await Promise.race([ended, delay(endWithinMs, undefined, { ref: false })])
  connections.cut()
}

const endWithinMs = 2_000

/**
 * Returns true if a statement is running. pg documents neither this field nor the socket, but has had both under these
 * names for years.
 */
function isWaiting(client: PoolClient): boolean {
  return (client as unknown as { readyForQuery: boolean | null }).readyForQuery !== true
}

function socketOf(client: PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream
}
