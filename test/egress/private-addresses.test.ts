// No address of a listed range is ever connected to, however it is written down and whoever asks.
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type Agents, createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { addressIn, hostOf, listedIpv4, listedIpv6, translationsOf } from './addresses.ts'
import { senders } from './senders.ts'

const guard = createGuard({ allowedCidrs: [] })
const opened: Agents[] = []

afterAll(async () => {
  await Promise.all(opened.map((agents) => agents.destroy()))
})

describe('the URL of a private address', () => {
  it.each(listedIpv4)('of %s is refused in every notation', (cidr) => {
    fc.assert(
      fc.property(addressIn(cidr).chain(hostOf), (host) => guard.checkUrl(`https://${host}/hooks`) !== null),
      { numRuns: 300 },
    )
  })

  it('is refused for what it means, not for not being a URL', () => {
    const understood = (host: string) => URL.canParse(`https://${host}/`)
    fc.assert(fc.property(addressIn('10.0.0.0/8').chain(hostOf), understood), { numRuns: 300 })
  })
})

describe.each(senders)('$name', ({ through }) => {
  const ask = through(agentsWith({}))

  it.each(listedIpv4)('goes to no address of %s in any notation', async (cidr) => {
    const isRefused = async (host: string) => (await ask(`http://${host}:9/`)) === 'blocked_address'
    await fc.assert(fc.asyncProperty(addressIn(cidr).chain(hostOf), isRefused))
  })

  it.each([...listedIpv6, 'fc00::/7', 'fe80::/10', 'ff00::/8', '::1/128', '::/128'])(
    'goes to no address of %s',
    async (cidr) => {
      const isRefused = async (address: string) => (await ask(`http://[${address}]:9/`)) === 'blocked_address'
      await fc.assert(fc.asyncProperty(addressIn(cidr), isRefused))
    },
  )

  it.each([...listedIpv4, ...listedIpv6])(
    'goes to no name with an address of %s, however DNS says it',
    async (cidr) => {
      let answer: string[] = []
      const ask = through(agentsWith({ resolve: async () => answer }))
      const isRefused = async (address: string) => {
        const forms = address.includes(':') ? [address] : [address, ...translationsOf(address)]
        for (const form of forms)
          for (answer of [[form], ['93.184.215.14', form], [form, '2606:2800:21f::1']])
            expect(await ask('http://hooks.example.com:9/')).toBe('blocked_address')
      }
      await fc.assert(fc.asyncProperty(addressIn(cidr), isRefused), { numRuns: 20 })
    },
  )
})

function agentsWith(options: { resolve?: () => Promise<string[]> }): Agents {
  const timeouts = { dnsMs: 1_000, connectMs: 1_000, headersMs: 1_000, bodyMs: 1_000 }
  const agents = createAgents({ guard, timeouts, ...options })
  opened.push(agents)
  return agents
}
