// Owns which addresses are public: no outgoing request may reach the ranges of the IANA special-purpose registries (RFC
// 6890 and its successors). guard.ts owns which of them an operator opens.
import ipaddr from 'ipaddr.js'

export type Address = ipaddr.IPv4 | ipaddr.IPv6
export type Range = [Address, number]

/** The ranges that no request over IPv4 may reach. */
const deniedIpv4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, and the clouds' metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // IETF protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
  '168.63.129.16/32', // Azure's host
] as const

/**
 * The only IPv6 range in use for global unicast. All other IPv6 is refused, unique local addresses too, except NAT64.
 */
export const globalIpv6 = '2000::/3'

/** The ranges within {@link globalIpv6} that no request may reach. */
const deniedIpv6 = [
  '2001::/23', // IETF protocol assignments, Teredo
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
] as const

const denied = [...deniedIpv4, ...deniedIpv6].map(parseRange)
const global = parseRange(globalIpv6)
/**
 * The well-known prefix of NAT64 (RFC 6052), by which networks with IPv6 alone reach IPv4. No other prefix stands for
 * IPv4.
 */
const nat64 = parseRange('64:ff9b::/96')

/** Returns true if the address is public. A NAT64 address is as public as the IPv4 address inside. */
export function isPublic(address: Address): boolean {
  const inner = translatedIpv4(address)
  if (inner !== null) return isPublic(inner)
  if (address.kind() === 'ipv6' && !isWithin(address, [global])) return false
  return !isWithin(address, denied)
}

/** Returns the IPv4 address that a NAT64 gateway would translate to. Returns null for any other address. */
export function translatedIpv4(address: Address): Address | null {
  return isWithin(address, [nat64]) ? ipaddr.fromByteArray(address.toByteArray().slice(-4)) : null
}

export function isWithin(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some((range) => address.kind() === range[0].kind() && address.match(range))
}

export function parseRange(cidr: string): Range {
  return ipaddr.parseCIDR(cidr)
}

/** Reads an address in any notation, an IPv4-mapped one as IPv4. Returns null if the text is no address. */
export function parseAddress(text: string): Address | null {
  return ipaddr.isValid(text) ? ipaddr.process(text) : null
}
