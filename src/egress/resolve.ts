// Owns turning a host into checked addresses. connector.ts connects to them.
import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { EgressError } from './errors.ts'
import type { Guard } from './guard.ts'

/** Returns all addresses of a name, IPv4 and IPv6. Rejects if it has none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>

export interface AddressCheck {
  guard: Guard
  resolve: Resolve
  timeoutMs: number
}

/**
 * Returns all addresses of a host. If the guard refuses any of them, none may be used.
 * @param hostname a name or an IP address, without brackets.
 * @throws {EgressError} `dns_error` or `blocked_address`.
 */
export async function resolveChecked(check: AddressCheck, hostname: string): Promise<readonly string[]> {
  const addresses = isIP(hostname) ? [hostname] : await resolveInTime(check, hostname)
  if (!addresses.every((address) => isIP(address) !== 0 && check.guard.isAllowed(address)))
    throw new EgressError('blocked_address', 'The host has an address that requests may not go to.')
  return addresses
}

/**
 * How long the addresses of one family wait for those of the other. Some name servers never answer about IPv6, and the
 * limit on resolving would be over before the resolver gives up on them.
 */
const otherFamilyMs = 500

/**
 * Asks the DNS servers directly: `getaddrinfo` would wait for dead ones on the thread pool that the whole process
 * shares. The system (mostly its hosts file) resolves local names, and names that DNS doesn't know.
 * @param servers `address:port`; the system's servers if absent.
 */
export function createResolve(servers?: readonly string[]): Resolve {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 })
  if (servers) resolver.setServers(servers)
  return async (hostname) => {
    if (!hostname.includes('.') || hostname.endsWith('.localhost')) return lookupLocally(hostname)
    const families = [resolver.resolve4(hostname), resolver.resolve6(hostname)]
    const patience = Promise.any(families).then(() => delay(otherFamilyMs, [], { ref: false }))
    const answers = await Promise.allSettled(families.map((family) => Promise.race([family, patience])))
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    if (addresses.length > 0) return addresses
    const failure = answers.find((answer) => answer.status === 'rejected' && !isAbsence(answer.reason))
    if (failure?.status === 'rejected') throw failure.reason
    return lookupLocally(hostname)
  }
}

async function lookupLocally(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname, { all: true })
  return found.map(({ address }) => address)
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA')
}

async function resolveInTime({ resolve, timeoutMs }: AddressCheck, hostname: string): Promise<readonly string[]> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new EgressError('dns_error', 'The host did not resolve in time.', { code: 'dns_timeout' })),
    timeoutMs,
  )
  try {
    const addresses = await Promise.race([resolve(hostname), late.promise])
    if (addresses.length === 0)
      throw new EgressError('dns_error', 'The host has no address.', { code: 'name_not_found' })
    return addresses
  } catch (error) {
    throw error instanceof EgressError
      ? error
      : new EgressError('dns_error', 'The host does not resolve.', { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
