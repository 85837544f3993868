import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import { createGuard } from '../../src/egress/guard.ts'
import { addressIn, listedIpv4, listedIpv6 } from './addresses.ts'

const guard = createGuard({ allowedCidrs: [] })
const open = createGuard({ allowedCidrs: ['127.0.0.0/8', '::1/128'] })

describe('addresses', () => {
  it.each([...listedIpv4, ...listedIpv6])('no address of %s is allowed', (cidr) => {
    fc.assert(fc.property(addressIn(cidr), (address) => !guard.isAllowed(address)))
  })

  it.each(listedIpv4)('no address of %s is allowed as an IPv4-mapped one', (cidr) => {
    fc.assert(fc.property(addressIn(cidr), (address) => !guard.isAllowed(`::ffff:${address}`)))
  })

  it.each(listedIpv4)('no address of %s is allowed through NAT64, 6to4 or an IPv4-compatible address', (cidr) => {
    fc.assert(
      fc.property(addressIn(cidr), (address) => {
        const [a = 0, b = 0, c = 0, d = 0] = ipaddr.parse(address).toByteArray()
        const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)]
        return [`64:ff9b::${high}:${low}`, `2002:${high}:${low}::1`, `::${high}:${low}`].every(
          (notation) => !guard.isAllowed(notation),
        )
      }),
    )
  })

  it.each(['::/3', '4000::/2', '8000::/1'])('nothing of %s is allowed, which is outside global unicast', (cidr) => {
    fc.assert(
      fc.property(addressIn(cidr), (address) => {
        fc.pre(!ipaddr.IPv6.parse(address).isIPv4MappedAddress() && !address.startsWith('64:ff9b::'))
        return !guard.isAllowed(address)
      }),
    )
  })

  it.each(['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '198.20.0.0'])(
    '%s is public',
    (address) => expect(guard.isAllowed(address)).toBe(true),
  )
  it.each(['2606:4700:4700::1111', '2001:200::1', '::ffff:1.1.1.1'])('%s is public', (address) =>
    expect(guard.isAllowed(address)).toBe(true),
  )
  it.each(['', 'localhost', 'example.com', '1.2.3.4.5', '::1::', '300.1.1.1'])('"%s" is no address', (text) =>
    expect(guard.isAllowed(text)).toBe(false),
  )

  describe('that NAT64 translates', () => {
    it('are as public as the IPv4 address inside', () => {
      fc.assert(
        fc.property(fc.ipV4(), (address) =>
          nat64(address).every((form) => guard.isAllowed(form) === guard.isAllowed(address)),
        ),
      )
      for (const address of nat64('1.1.1.1')) expect(guard.isAllowed(address)).toBe(true)
    })

    it.each([
      '64:ff9a::101:101',
      '64:ff9b::1:101:101',
      '64:ff9b:0:1::101:101',
      '64:ff9b:1::101:101',
      '64:ff9c::101:101',
    ])('%s is none of them: its prefix is another', (address) => expect(guard.isAllowed(address)).toBe(false))

    it('are opened by the range of the IPv4 address inside, and by their own', () => {
      const inner = createGuard({ allowedCidrs: ['10.1.0.0/16'] })
      const outer = createGuard({ allowedCidrs: ['64:ff9b::a02:0/112'] })
      for (const address of nat64('10.1.2.3'))
        expect([inner, outer].map((each) => each.isAllowed(address))).toEqual([true, false])
      for (const address of nat64('10.2.2.3'))
        expect([inner, outer].map((each) => each.isAllowed(address))).toEqual([false, true])
      expect(outer.isAllowed('10.2.2.3')).toBe(false)
    })
  })

  it('ranges that the operator opens are allowed, and no others', () => {
    expect(open.isAllowed('127.0.0.1')).toBe(true)
    expect(open.isAllowed('::1')).toBe(true)
    expect(open.isAllowed('::ffff:127.0.0.1')).toBe(true)
    expect(open.isAllowed('1.1.1.1')).toBe(true)
    expect(open.isAllowed('10.0.0.1')).toBe(false)
    expect(open.isAllowed('fe80::1')).toBe(false)
  })
})

/** The ways in which DNS64 and people write it. */
function nat64(ipv4: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.parse(ipv4).toByteArray()
  const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)]
  return [`64:ff9b::${high}:${low}`, `64:ff9b::${ipv4}`, `0064:FF9B:0:0:0:0:${high}:${low}`]
}

describe('URLs', () => {
  it.each([
    'https://example.com',
    'https://hooks.example.com:8443/a?b=c',
    'https://münchen.example/',
    'https://example.com./',
    'HTTPS://EXAMPLE.COM/@me',
  ])('%s is fine', (url) => expect(guard.checkUrl(url)).toBeNull())

  it.each([
    ['http://example.com/', 'must use https'],
    ['ftp://example.com/', 'must use https'],
    ['example.com/hooks', 'must be an absolute URL'],
    ['https:example.com', 'must be an absolute URL'],
    ['https:///example.com', 'must be an absolute URL'],
    ['https:\\\\example.com', 'must be an absolute URL'],
    [' https://example.com', 'must be an absolute URL'],
    ['https://exa\nmple.com', 'must be an absolute URL'],
    ['https://me:secret@example.com/', 'must not contain a user name or password'],
    ['https://@example.com/', 'must not contain a user name or password'],
    ['https://example.com/#top', 'must not contain a fragment'],
    ['https://example.com/#', 'must not contain a fragment'],
    [`https://example.com/${'a'.repeat(2048)}`, 'must have at most 2048 characters'],
    ['https://localhost/', 'must name a public host'],
    ['https://LOCALHOST./', 'must name a public host'],
    ['https://a.localhost/', 'must name a public host'],
    ['https://printer.local/', 'must name a public host'],
    ['https://vault.internal./', 'must name a public host'],
    ['https://intranet/', 'must name a public host'],
  ])('%s %s', (url, message) => expect(guard.checkUrl(url)).toBe(message))

  it('an IPv4 address is refused in every notation that URLs know', () => {
    fc.assert(
      fc.property(fc.ipV4Extended(), (address) => guard.checkUrl(`https://${address}/`)?.includes('must') === true),
    )
    const octets = fc.tuple(...[0, 0, 0, 0].map(() => fc.nat(255)))
    fc.assert(fc.property(octets, (address) => notationsOf(address).every((text) => guard.checkUrl(text) !== null)))
  })

  it('an IPv6 address is refused in every notation', () => {
    fc.assert(fc.property(fc.ipV6(), (address) => guard.checkUrl(`https://[${address}]/`) !== null))
  })

  it('with private ranges opened, http, local names and the addresses in them are fine', () => {
    for (const url of [
      'http://127.0.0.1:4000/x',
      'http://[::1]/',
      'http://localhost/',
      'https://receiver/',
      'http://a.b/',
    ])
      expect(open.checkUrl(url)).toBeNull()
    for (const url of ['http://10.0.0.1/', 'https://1.1.1.1/', 'ftp://localhost/', 'http://u@localhost/'])
      expect(open.checkUrl(url)).not.toBeNull()
  })
})

/** https URLs of one address: decimal, octal, hexadecimal, short, as one number, full-width, with the root's dot. */
function notationsOf(octets: number[]): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = octets
  const number = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  const dotted = octets.join('.')
  const hosts = [
    dotted,
    `${dotted}.`,
    octets.map((octet) => `0${octet.toString(8)}`).join('.'),
    octets.map((octet) => `0x${octet.toString(16)}`).join('.'),
    `${a}.${(b << 16) | (c << 8) | d}`,
    `${a}.${b}.${(c << 8) | d}`,
    String(number),
    `0x${number.toString(16)}`,
    `0${number.toString(8)}`,
    dotted.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    dotted.replaceAll('.', '%2e'),
    `[::ffff:${dotted}]`,
  ]
  return hosts.map((host) => `https://${host}/`)
}
