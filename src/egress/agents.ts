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

export function createAgents(options: {
  guard: Guard
  timeouts: EgressTimeouts
  connectionsPerOrigin?: number
  maxOrigins?: number
  resolve?: Resolve
}): Agents {
  const { guard, timeouts, connectionsPerOrigin = 64, maxOrigins = defaultMaxOrigins } = options
  const check = { guard, resolve: options.resolve ?? createResolve(), timeoutMs: timeouts.dnsMs }
  const pools = new Map<string, Pool>() // least recently used first
  const retired = new Set<Pool>() // finishing their last requests
  let isClosed = false

  return {
    for(origin) {
      const pool = pools.get(origin) ?? open(origin)
      pools.delete(origin)
      pools.set(origin, pool)
      if (pools.size > maxOrigins) retireOldest()
      return pool
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
    return [...pools.values(), ...retired].filter((pool) => !pool.destroyed)
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
      clientTtl: 300_000, // however busy a host is, its name is resolved again, in case the host moved
    })
    if (isClosed) void pool.close()
    return pool
  }

  function retireOldest() {
    const [oldest] = pools
    if (!oldest) return
    const [origin, pool] = oldest
    pools.delete(origin)
    retired.add(pool)
    void pool.close().then(() => retired.delete(pool))
  }
}
