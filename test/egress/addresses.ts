// Owns addresses as fast-check makes them: any of a range, and every way to write one down.
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'

/** What may not be reached over IPv4. Written down here once more, so that a range that the guard loses is missed. */
export const listedIpv4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4', '168.63.129.16/32'],
]

/** What may not be reached within 2000::/3; of the rest of IPv6, nothing may. */
export const listedIpv6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']

/** Any address of the range, in its usual notation. */
export function addressIn(cidr: string): fc.Arbitrary<string> {
  const [network, bits] = ipaddr.parseCIDR(cidr)
  const bytes = network.toByteArray()
  return fc.uint8Array({ minLength: bytes.length, maxLength: bytes.length }).map((random) => {
    const mixed = bytes.map((byte, at) => {
      const mask = 0xff >> Math.max(0, Math.min(8, bits - at * 8))
      return (byte & ~mask) | ((random[at] ?? 0) & mask)
    })
    return ipaddr.fromByteArray(mixed).toString()
  })
}

/** The IPv6 addresses that stand for an IPv4 one: mapped, compatible, translated, NAT64, 6to4 and Teredo. */
export function translationsOf(ipv4: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.parse(ipv4).toByteArray()
  const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)]
  const [notHigh, notLow] = [(0xffff ^ ((a << 8) | b)).toString(16), (0xffff ^ ((c << 8) | d)).toString(16)]
  return [
    `::ffff:${ipv4}`,
    `::ffff:${high}:${low}`,
    `0:0:0:0:0:FFFF:${high}:${low}`,
    `::${ipv4}`,
    `::ffff:0:${high}:${low}`,
    `64:ff9b::${ipv4}`,
    `64:ff9b::${high}:${low}`,
    `64:ff9b:1::${high}:${low}`,
    `2002:${high}:${low}::1`,
    `2001:0:${high}:${low}::1`,
    `2001:0:4136:e378:8000:63bf:${notHigh}:${notLow}`,
  ]
}

/** A URL's host that means this IPv4 address: any mixture of what WHATWG's parser, or a program before it, understands. */
export function hostOf(ipv4: string): fc.Arbitrary<string> {
  const octets = ipaddr.parse(ipv4).toByteArray()
  const translated = fc.constantFrom(...translationsOf(ipv4)).map((ipv6) => `[${ipv6}]`)
  const numbers = fc.integer({ min: 1, max: 4 }).map((parts) => joined(octets, parts))
  const written = numbers.chain((parts) => fc.tuple(...parts.map(numeral))).chain((parts) => dotted(parts))
  return fc.oneof({ weight: 1, arbitrary: translated }, { weight: 5, arbitrary: written })
}

/** The last of fewer than four numbers has the rest of the bytes: 10.1 is 10.0.0.1. */
function joined(octets: readonly number[], parts: number): number[] {
  const last = octets.slice(parts - 1).reduce((number, octet) => number * 256 + octet, 0)
  return [...octets.slice(0, parts - 1), last]
}

function numeral(number: number): fc.Arbitrary<string> {
  const hex = number.toString(16)
  const octal = number.toString(8)
  return fc.constantFrom(`${number}`, `0x${hex}`, `0X${hex.toUpperCase()}`, `0x000${hex}`, `0${octal}`, `000${octal}`)
}

function dotted(parts: readonly string[]): fc.Arbitrary<string> {
  const dots = fc.constantFrom('.', '\u3002', '\uff0e', '\uff61', '%2e', '%E3%80%82')
  const ends = fc.constantFrom('', '.')
  const digits = fc.constantFrom(plain, fullWidth, mathematical, percentEncoded)
  return fc.tuple(dots, ends, digits).map(([dot, end, rewrite]) => parts.map(rewrite).join(dot) + end)
}

const plain = (text: string) => text
const fullWidth = (text: string) => text.replace(/\w/g, (letter) => String.fromCodePoint(codeOf(letter) + 0xfee0))
const mathematical = (text: string) => text.replace(/\d/g, (digit) => String.fromCodePoint(0x1d7ce + Number(digit)))
const percentEncoded = (text: string) => text.replace(/\w/g, (letter) => `%${codeOf(letter).toString(16)}`)

function codeOf(letter: string): number {
  return letter.codePointAt(0) ?? 0
}
