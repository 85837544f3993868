// Owns the address that a request counts for.
import type { Request } from 'express'
import ipaddr from 'ipaddr.js'

/**
 * Returns the client's address: the connection's, or the one that TRUSTED_PROXIES forwarded. For IPv6 it is the network
 * of 64 bits, in which one client can use any address.
 */
export function clientOf(request: Request): string {
  const text = request.ip ?? ''
  if (!ipaddr.isValid(text)) return text.slice(0, 64)
  const address = ipaddr.process(text) // an IPv4 address mapped into IPv6 counts as IPv4
  if (address.kind() === 'ipv4') return address.toString()
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
