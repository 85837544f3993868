import { afterEach, describe, expect, it } from 'vitest'
import { createDestinationCheck } from '../../src/egress/destination.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { createResolve, resolveChecked } from '../../src/egress/resolve.ts'
import { startNameServer, type Zone } from './name-server.ts'

const closers: (() => Promise<void>)[] = []
const guard = createGuard({ allowedCidrs: [] })

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

async function resolveWith(zone: Zone) {
  const { server, close } = await startNameServer(zone)
  closers.push(close)
  return createResolve([server])
}

describe('resolving', () => {
  it('asks for IPv4 and IPv6 addresses', async () => {
    const resolve = await resolveWith(() => ['93.184.215.14', '2606:2800:21f::1', '93.184.215.15'])
    expect(await resolve('www.example.com')).toEqual(['93.184.215.14', '93.184.215.15', '2606:2800:21f::1'])
  })

  it('is content with one kind of address', async () => {
    const resolve = await resolveWith((name) => (name.startsWith('six') ? ['2606:2800:21f::1'] : ['93.184.215.14']))
    expect(await resolve('six.example.com')).toEqual(['2606:2800:21f::1'])
    expect(await resolve('four.example.com')).toEqual(['93.184.215.14'])
  })

  it.each(['ipv4', 'ipv6'] as const)('waits only so long for the answer about %s', async (silent) => {
    const resolve = await resolveWith((_, kind) =>
      kind === silent ? 'silence' : ['93.184.215.14', '2606:2800:21f::1'],
    )
    const answered = silent === 'ipv6' ? '93.184.215.14' : '2606:2800:21f::1'
    const check = { guard, resolve, timeoutMs: 3_000 }
    for (let count = 0; count < 2; count++) expect(await resolveChecked(check, 'www.example.com')).toEqual([answered])
  })

  it('fails where the server fails', async () => {
    const resolve = await resolveWith(() => 'SERVFAIL')
    await expect(resolve('www.example.com')).rejects.toMatchObject({ code: 'ESERVFAIL' })
  })

  it('finds local names without DNS', async () => {
    const resolve = await resolveWith(() => ['93.184.215.14'])
    expect(await resolve('localhost')).toContain('127.0.0.1')
  })
})

describe('a destination', () => {
  const check = async (zone: Zone) =>
    createDestinationCheck({ guard, resolve: await resolveWith(zone), timeoutMs: 3_000 })

  it('is fine where all of its addresses are public', async () => {
    const destination = await check(() => ['93.184.215.14', '2606:2800:21f::1'])
    expect(await destination('https://hooks.example.com/')).toBeNull()
  })

  it('is fine where the address that DNS64 adds translates a public one', async () => {
    const destination = await check(() => ['93.184.216.34', '64:ff9b::5db8:d822'])
    expect(await destination('https://hooks.example.com/')).toBeNull()
  })

  it.each([
    ['93.184.215.14', '10.0.0.1'],
    ['93.184.215.14', 'fd00::1'],
    ['93.184.215.14', '::ffff:127.0.0.1'],
    ['64:ff9b::7f00:1'],
  ])('is refused with the addresses %s %s', async (...addresses) => {
    const destination = await check(() => addresses)
    expect(await destination('https://hooks.example.com/')).toBe('must name a public host')
  })

  it('is refused where it does not resolve, or its URL is not fine anyway', async () => {
    const destination = await check(() => 'SERVFAIL')
    expect(await destination('https://hooks.example.com/')).toBe('must name a host that resolves')
    expect(await destination('http://hooks.example.com/')).toBe('must use https')
  })
})
