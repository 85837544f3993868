// Names that mean one address when they are looked at and another when they are connected to, on a DNS server of the
// tests. A loopback address that the guard allows stands for the public host, another for what must not be reached.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Agents, createAgents } from '../../src/egress/agents.ts'
import { createDestinationCheck } from '../../src/egress/destination.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { createResolve, type Resolve } from '../../src/egress/resolve.ts'
import { startNameServer, type Zone } from './name-server.ts'
import { type Ask, senders } from './senders.ts'

const publicHost = '127.0.0.2'
const internalHost = '127.0.0.3'
const guard = createGuard({ allowedCidrs: [`${publicHost}/32`] })
const url = (port: number) => `http://hooks.example.com:${port}/`

let port: number
let servers: Server[] = []
let internalRequests = 0
let zone: Zone
let resolve: Resolve
let nameServer: Awaited<ReturnType<typeof startNameServer>>

beforeAll(async () => {
  const outside = createServer((_request, response) => response.setHeader('connection', 'close').end('{}'))
  const inside = createServer((_request, response) => response.end('{}'))
  inside.on('connection', () => internalRequests++)
  port = await listen(outside, publicHost, 0)
  await listen(inside, internalHost, port)
  servers = [outside, inside]
  nameServer = await startNameServer((name, kind) => zone(name, kind))
  resolve = createResolve([nameServer.server])
})
beforeEach(() => {
  internalRequests = 0
})
afterAll(async () => {
  for (const server of servers) server.close()
  await nameServer.close()
})

describe.each(senders)('$name', ({ through }) => {
  let agents: Agents
  let ask: Ask
  beforeAll(() => {
    agents = createAgents({
      guard,
      resolve,
      timeouts: { dnsMs: 2_000, connectMs: 1_000, headersMs: 1_000, bodyMs: 500 },
    })
    ask = through(agents)
  })
  afterAll(() => agents.destroy())

  it('reaches a name whose addresses are public', async () => {
    zone = () => [publicHost]
    expect(await ask(url(port))).toBe('answered')
  })

  it('does not follow a name that was public when its URL was given', async () => {
    zone = () => [publicHost]
    const check = createDestinationCheck({ guard, resolve, timeoutMs: 2_000 })
    expect(await check(url(port))).toBeNull()
    zone = () => [internalHost]
    expect(await ask(url(port))).toBe('blocked_address')
    expect(internalRequests).toBe(0)
  })

  it('does not follow a name from one request to the next, and reaches it again when it is mended', async () => {
    for (const address of [publicHost, internalHost, internalHost, publicHost]) {
      zone = () => [address]
      expect(await ask(url(port))).toBe(address === publicHost ? 'answered' : 'blocked_address')
    }
    expect(internalRequests).toBe(0)
  })

  it('refuses a name that is public over IPv4 and private over IPv6', async () => {
    zone = () => [publicHost, 'fd00::1']
    expect(await ask(url(port))).toBe('blocked_address')
  })

  it.each(['private.internal', 'metadata.google.internal', 'localhost'])(
    'refuses a name that is another for %s',
    async (alias) => {
      zone = () => ({ alias, addresses: [internalHost] })
      expect(await ask(url(port))).toBe('blocked_address')
      expect(internalRequests).toBe(0)
    },
  )

  it('reaches a name that is another for a public host', async () => {
    zone = () => ({ alias: 'edge.example.net', addresses: [publicHost] })
    expect(await ask(url(port))).toBe('answered')
  })

  it('never reaches what is inside, whatever DNS answers each time', async () => {
    const address = fc.constantFrom(publicHost, internalHost, '169.254.169.254', '10.0.0.1', 'fd00::1', '::ffff:7f00:3')
    const answer = fc.uniqueArray(address, { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 4 }), async (answers) => {
        for (const addresses of answers) {
          zone = () => addresses
          const isPublic = addresses.every((address) => address === publicHost)
          expect(await ask(url(port))).toBe(isPublic ? 'answered' : 'blocked_address')
        }
      }),
      { numRuns: 50 },
    )
    expect(internalRequests).toBe(0)
  })
})

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((done, failed) => {
    server.once('error', failed)
    server.listen(port, host, () => done((server.address() as AddressInfo).port))
  })
}
