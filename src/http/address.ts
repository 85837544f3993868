// Owns whose address a request is counted for.
import type { Request } from 'express'
import ipaddr from 'ipaddr.js'

/**
 * The client's address: the connection's, or what TRUSTED_PROXIES forwarded. Of IPv6, the network of 64 bits, in which
 * one client has as many addresses as it likes.
 */
export function clientOf(request: Request): string {
  const text = request.ip ?? ''
  if (!ipaddr.isValid(text)) return text.slice(0, 64)
  const address = ipaddr.process(text) // an IPv4 address that is mapped into IPv6 is itself
  if (address.kind() === 'ipv4') return address.toString()
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
