import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { createAgents } from '../../src/egress/agents.ts'
import { classifyNetworkError } from '../../src/egress/errors.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { selfSigned } from './self-signed.ts'

const timeouts = { dnsMs: 3_000, connectMs: 5_000, headersMs: 15_000, bodyMs: 5_000 }
const loopback = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

describe('connecting', () => {
  it('goes to the address that was checked, with the host of the URL', async () => {
    const { port } = await serve()
    const asked: string[] = []
    const get = client({
      resolve: async (hostname) => {
        asked.push(hostname)
        return ['127.0.0.1']
      },
    })
    expect(await get(`http://hooks.example.test.:${port}`)).toBe(`hooks.example.test.:${port}`)
    expect(asked).toEqual(['hooks.example.test'])
  })

  it('is refused where any address of the name is not allowed', async () => {
    const { port, requests } = await serve()
    for (const addresses of [['10.0.0.1'], ['127.0.0.1', '169.254.169.254'], ['::ffff:10.0.0.1'], ['nonsense']])
      await expect(
        client({ resolve: async () => addresses })(`http://hooks.example.test:${port}`),
      ).rejects.toMatchObject({
        kind: 'blocked_address',
      })
    expect(requests).toEqual([])
  })

  it('is refused to a literal address that is not allowed, without asking anybody', async () => {
    const { port, requests } = await serve()
    const get = client({ guard: createGuard({ allowedCidrs: [] }), resolve: never })
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]'])
      await expect(get(`http://${host}:${port}`)).rejects.toMatchObject({ kind: 'blocked_address' })
    expect(requests).toEqual([])
  })

  it('resolves again for each new connection, so that a rebinding name is refused', async () => {
    const { port } = await serve({ keepsAlive: false })
    const answers = [['127.0.0.1'], ['10.0.0.1']]
    const get = client({ resolve: async () => answers.shift() ?? [] })
    await get(`http://hooks.example.test:${port}`)
    await expect(get(`http://hooks.example.test:${port}`)).rejects.toMatchObject({ kind: 'blocked_address' })
  })

  it('is made anew after five minutes, however busy the host is, so that a host that moved is found', async () => {
    const { port, connections } = await serve()
    let [uptime, resolved] = [0, 0]
    const get = client({
      connectionsPerOrigin: 1,
      uptime: () => uptime,
      resolve: async () => [['127.0.0.1'], resolved++][0] as string[],
    })
    await get(`http://hooks.example.test:${port}`)
    uptime = 299_999
    await get(`http://hooks.example.test:${port}`)
    expect([connections(), resolved]).toEqual([1, 1])
    uptime = 300_000
    expect(await get(`http://hooks.example.test:${port}`)).toBe(`hooks.example.test:${port}`)
    expect([connections(), resolved]).toEqual([2, 2])
  })

  it('tries the next address when one takes no connection', async () => {
    const { port } = await serve()
    const get = client({ resolve: async () => ['127.0.0.2', '127.0.0.3', '127.0.0.1'] })
    expect(await get(`http://hooks.example.test:${port}`)).toBe(`hooks.example.test:${port}`)
  })

  it('says connect_error where no address takes the connection', async () => {
    const { port, close } = await serve()
    await close()
    const get = client({ resolve: async () => ['127.0.0.1', '127.0.0.2'] })
    await expect(get(`http://hooks.example.test:${port}`)).rejects.toMatchObject({ kind: 'connect_error' })
  })

  it('says dns_error where the name does not resolve, has no address, or takes too long', async () => {
    const fails = client({ resolve: async () => Promise.reject(new Error('SERVFAIL')) })
    const empty = client({ resolve: async () => [] })
    const slow = client({ resolve: never, timeouts: { ...timeouts, dnsMs: 20 } })
    for (const get of [fails, empty, slow])
      await expect(get('http://hooks.example.test')).rejects.toMatchObject({ kind: 'dns_error' })
  })

  it('never tells an address in its errors', async () => {
    const get = client({ resolve: async () => ['10.1.2.3'] })
    await expect(get('http://hooks.example.test')).rejects.not.toThrow(/10\.1/)
  })
})

describe('TLS', () => {
  it('checks the certificate against the host of the URL', async () => {
    trustSelfSigned()
    const { port } = await serve({ isTls: true })
    const get = client({ resolve: async () => ['127.0.0.1'] })
    expect(await get(`https://hooks.example.test:${port}`)).toBe(`hooks.example.test:${port}`)
    expect(await get(`https://127.0.0.1:${port}`)).toBe(`127.0.0.1:${port}`)
    await expect(get(`https://other.example.test:${port}`)).rejects.toMatchObject({ kind: 'tls_error' })
  })

  it('refuses a certificate that nobody vouches for', async () => {
    const { port } = await serve({ isTls: true })
    const get = client({ resolve: async () => ['127.0.0.1'] })
    await expect(get(`https://hooks.example.test:${port}`)).rejects.toMatchObject({ kind: 'tls_error' })
  })

  it('times out where the handshake never ends', async () => {
    const { port } = await silent()
    const get = client({ timeouts: { ...timeouts, connectMs: 50 } })
    await expect(get(`https://127.0.0.1:${port}`)).rejects.toMatchObject({ kind: 'timeout' })
  })
})

describe('requests', () => {
  it('fail by kind: headers too late, connection reset, no HTTP, given up', async () => {
    const quiet = await silent()
    const rude = await serveTcp((socket) => socket.resetAndDestroy())
    const garbled = await serveTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n\r\n'))
    expect(await failureOf(quiet.port, { headersMs: 20 })).toBe('timeout')
    expect(await failureOf(rude.port)).toBe('reset')
    expect(await failureOf(garbled.port)).toBe('invalid_response')
    expect(await failureOf(quiet.port, {}, AbortSignal.abort())).toBe('aborted')
    expect(await failureOf(quiet.port, {}, AbortSignal.timeout(20))).toBe('timeout')
  })

  it('share the connections of their origin', async () => {
    const { port, connections } = await serve()
    const get = client({ connectionsPerOrigin: 2 })
    await Promise.all(Array.from({ length: 10 }, () => get(`http://127.0.0.1:${port}`)))
    expect(connections()).toBeLessThanOrEqual(2)
  })

  it('are all answered while more origins are used than are kept', async () => {
    const servers = await Promise.all([serve(), serve(), serve()])
    const get = client({ maxOrigins: 1 })
    const hosts = [...servers, ...servers].map(({ port }) => `127.0.0.1:${port}`)
    expect(await Promise.all(hosts.map((host) => get(`http://${host}`)))).toEqual(hosts)
  })

  it('are waited for on close, and refused afterwards', async () => {
    const { port } = await serve()
    const agents = createAgents({ guard: loopback, timeouts })
    const request = () => agents.for(`http://127.0.0.1:${port}`).request({ method: 'GET', path: '/' })
    const answer = request().then(({ body }) => body.text())
    await agents.close()
    expect(await answer).toBe(`127.0.0.1:${port}`)
    await expect(request().catch(classifyNetworkError)).resolves.toBe('aborted')
    await expect(agents.for('http://127.0.0.1:1').request({ method: 'GET', path: '/' })).rejects.toThrow()
    await agents.destroy()
  })

  it('are ended on destroy', async () => {
    const { port } = await silent()
    const agents = createAgents({ guard: loopback, timeouts })
    const answer = agents.for(`http://127.0.0.1:${port}`).request({ method: 'GET', path: '/' })
    const failure = expect(answer.catch(classifyNetworkError)).resolves.toBe('aborted')
    await agents.destroy()
    await failure
  })
})

/** GET / of an origin through new agents; answers with the body. */
function client(options: Partial<Parameters<typeof createAgents>[0]>) {
  const agents = createAgents({ guard: loopback, timeouts, ...options })
  closers.push(() => agents.destroy())
  return async (origin: string) => {
    const { body } = await agents.for(origin).request({ method: 'GET', path: '/' })
    return body.text()
  }
}

async function failureOf(port: number, times: Partial<typeof timeouts> = {}, signal?: AbortSignal) {
  const agents = createAgents({ guard: loopback, timeouts: { ...timeouts, ...times } })
  closers.push(() => agents.destroy())
  return agents
    .for(`http://127.0.0.1:${port}`)
    .request({ method: 'GET', path: '/', ...(signal && { signal }) })
    .then(() => null, classifyNetworkError)
}

/** A server that answers with the Host header it was sent. */
async function serve({ isTls = false, keepsAlive = true } = {}) {
  const requests: string[] = []
  let connections = 0
  const server: Server = isTls ? createTlsServer(selfSigned) : createServer()
  server.on('connection', () => {
    connections += 1
  })
  server.on('request', (request, response) => {
    requests.push(request.url ?? '')
    if (!keepsAlive) response.setHeader('connection', 'close')
    response.end(request.headers.host)
  })
  return { ...(await listen(server)), requests, connections: () => connections }
}

const silent = () => serveTcp(() => {})

async function serveTcp(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('data', () => onSocket(socket))
  })
  closers.push(async () => {
    for (const socket of sockets) socket.destroy()
  })
  return listen(server)
}

async function listen(server: ReturnType<typeof createTcpServer>) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve)
      if ('closeAllConnections' in server) (server as Server).closeAllConnections()
    })
  closers.push(close)
  return { port: (server.address() as AddressInfo).port, close }
}

function never(): Promise<never> {
  return new Promise(() => {})
}

function trustSelfSigned() {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, selfSigned.cert])
  closers.push(async () => setDefaultCACertificates(before))
}
