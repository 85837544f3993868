// Owns the connections that outgoing requests share: one pool an origin, each connecting through the guard.
import { type Dispatcher, Pool } from 'undici'
import { createConnector } from './connector.ts'
import type { Guard } from './guard.ts'
import { createResolve, type Resolve } from './resolve.ts'

export interface EgressTimeouts {
  dnsMs: number
  /** TCP and TLS together. */
  connectMs: number
  /** From the request to the end of the answer's headers. */
  headersMs: number
  /** Between two pieces of the answer's body. */
  bodyMs: number
}

export interface Agents {
  /** Returns the dispatcher of an origin (`https://api.example.com`). Use it at once: a later call may replace it. */
  for(origin: string): Dispatcher
  /** Refuses new requests and waits for the ones under way. */
  close(): Promise<void>
  /** Ends the requests under way. */
  destroy(): Promise<void>
}

/** The limit on an answer's headers, names and values together. Longer headers fail as `headers_too_large`. */
export const maxHeaderBytes = 64 * 1_024

/** How many origins keep a pool, to bound memory. Sockets close by themselves a few seconds after use. */
const defaultMaxOrigins = 1_000
/**
 * A pool is replaced after this time, however busy it is, so that the name of a host that moved is resolved again. The
 * pool's own limit for each socket would look at the clock for each socket under way with each request.
 */
const poolMs = 300_000

interface OpenPool {
  pool: Pool
  /** In the process's uptime. */
  until: number
}

export function createAgents(options: {
  guard: Guard
  timeouts: EgressTimeouts
  connectionsPerOrigin?: number
  maxOrigins?: number
  resolve?: Resolve
  /** The process's uptime in milliseconds, by a clock that nobody sets. */
  uptime?: () => number
}): Agents {
  const { guard, timeouts, connectionsPerOrigin = 64, maxOrigins = defaultMaxOrigins } = options
  const { uptime = () => performance.now() } = options
  const check = { guard, resolve: options.resolve ?? createResolve(), timeoutMs: timeouts.dnsMs }
  const pools = new Map<string, OpenPool>() // least recently used first
  const retired = new Set<Pool>() // finishing their last requests
  let isClosed = false

  return {
    for(origin) {
      const at = uptime()
      const known = pools.get(origin)
      if (known && at >= known.until) retire(origin, known.pool)
      const one = known && at < known.until ? known : { pool: open(origin), until: at + poolMs }
      pools.delete(origin)
      pools.set(origin, one)
      const [oldest] = pools
      if (oldest && pools.size > maxOrigins) retire(oldest[0], oldest[1].pool)
      return one.pool
    },
    async close() {
      isClosed = true
      await Promise.all(live().map((pool) => pool.close()))
    },
    async destroy() {
      isClosed = true
      await Promise.all(live().map((pool) => pool.destroy()))
    },
  }

  function live(): Pool[] {
    return [...[...pools.values()].map(({ pool }) => pool), ...retired].filter((pool) => !pool.destroyed)
  }

  function open(origin: string): Pool {
    const pool = new Pool(origin, {
      connect: createConnector(check, timeouts.connectMs),
      connections: connectionsPerOrigin,
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: maxHeaderBytes + 1, // undici refuses headers that reach its limit
      headersTimeout: timeouts.headersMs,
      bodyTimeout: timeouts.bodyMs,
      keepAliveMaxTimeout: 60_000,
    })
    if (isClosed) void pool.close()
    return pool
  }

  function retire(origin: string, pool: Pool) {
    pools.delete(origin)
    retired.add(pool)
    void pool.close().then(() => retired.delete(pool))
  }
}
