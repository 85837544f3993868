import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { brotliCompressSync, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { type SendResult, send, webhookTimeouts } from '../../src/delivering/send.ts'
import { createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { type Answer, startReceiver, status } from '../webhooks/receiver.ts'

const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

describe('an answer of 2xx', () => {
  it('is a delivery though its body drips until the time is over', async () => {
    // The headers come within that time on any machine.
    const result = await answered(drip(200), { totalMs: 4_000, bodyMs: 60_000 })
    expect(result).toMatchObject({ outcome: 'delivered', status: 200 })
    expect(result.responseSnippet).toMatch(/^z+$/)
  })

  it('is a delivery whose dripping body is left soon after the headers', async () => {
    const before = performance.now()
    expect(await answered(drip(200), { bodyMs: 50 })).toMatchObject({ outcome: 'delivered', status: 200 })
    expect(performance.now() - before).toBeLessThan(15_000) // the whole attempt may take 20 s
  })

  it('is a delivery though its connection is reset in the middle of the body', async () => {
    const result = await answered((response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half of i', () => response.socket?.resetAndDestroy())
    })
    expect(result).toMatchObject({ outcome: 'delivered', status: 200 })
  })

  it('is a delivery though its body never ends; at most 16 KiB of it are read and 4 KiB kept', async () => {
    let written = 0
    const result = await answered((response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) written += 65_536
      }
      response
        .writeHead(200)
        .on('drain', more)
        .on('error', () => {})
      more()
    })
    expect(result).toMatchObject({ outcome: 'delivered', responseSnippet: 'x'.repeat(4_096) })
    expect(written).toBeLessThan(8 * 1_024 * 1_024)
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['gzip, zstd', (bytes: Buffer) => zstdCompressSync(gzipSync(bytes))],
  ])('is kept as what it says, in %s', async (encoding, encode) => {
    for (const code of [200, 500]) {
      const sent = encode(Buffer.from(`thank you ${'x'.repeat(100_000)}`))
      const result = await answered((response) => response.writeHead(code, { 'content-encoding': encoding }).end(sent))
      expect(result).toMatchObject({ status: code, responseSnippet: `thank you ${'x'.repeat(4_086)}` })
    }
  })

  it('is a delivery whatever its encoding does', async () => {
    const half = gzipSync(randomBytes(4_000).toString('base64')).subarray(0, 2_000)
    const cut = await answered((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(half))
    expect(cut).toMatchObject({ outcome: 'delivered', responseSnippet: expect.stringMatching(/^[\w+/]{100}/) })
    const none = await answered((response) => response.writeHead(200, { 'content-encoding': 'br' }).end('thanks'))
    expect(none).toMatchObject({ outcome: 'delivered', responseSnippet: null })
    const unknown = await answered((response) => response.writeHead(200, { 'content-encoding': 'lzma' }).end('thanks'))
    expect(unknown).toMatchObject({
      outcome: 'delivered',
      responseSnippet: "The content encoding lzma can't be undone.",
    })
  })

  it('is kept as text that Postgres can store', async () => {
    const bytes = Buffer.concat([Buffer.from('a\0b'), Buffer.from([0xff]), Buffer.from('é')])
    const result = await answered((response) => response.writeHead(200).end(bytes))
    expect(result.responseSnippet).toBe('a\uFFFDb\uFFFDé')
  })

  it('is cut between two characters', async () => {
    const result = await answered(status(200, {}, `${'x'.repeat(4_095)}é`))
    expect(result.responseSnippet).toBe('x'.repeat(4_095))
  })
})

describe('an attempt fails', () => {
  it('on a redirect, which is not followed', async () => {
    const elsewhere = await receive(status(200))
    const result = await answered(status(307, { location: elsewhere.url }))
    expect(result).toMatchObject({ outcome: 'redirect', status: 307 })
    expect(elsewhere.received).toEqual([])
  })

  it.each([400, 404, 410, 429, 500, 503])('on %i', async (code) => {
    expect(await answered(status(code, {}, 'no'))).toMatchObject({
      outcome: 'http_error',
      status: code,
      responseSnippet: 'no',
    })
  })

  it('and says how long Retry-After asks to wait', async () => {
    expect((await answered(status(429))).retryAfterMs).toBeNull()
    expect((await answered(status(429, { 'retry-after': '7' }))).retryAfterMs).toBe(7_000)
    const date = 'Sun, 06 Nov 1994 08:48:37 GMT'
    const later = 'Sun, 06 Nov 1994 08:49:37 GMT'
    expect((await answered(status(503, { date, 'retry-after': later }))).retryAfterMs).toBe(60_000)
    expect((await answered(status(429, { 'retry-after': 'soon' }))).retryAfterMs).toBeNull()
  })

  it('when the headers come too late', async () => {
    expect(await answered(() => {}, { headersMs: 30 })).toMatchObject({ outcome: 'timeout', status: null })
  })

  it('when all of it takes too long, though headers drip', async () => {
    const url = await serveTcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      every(5, () => socket.write('x-drip: 1\r\n'))
    })
    expect(await post(url, { totalMs: 100 })).toMatchObject({ outcome: 'timeout' })
  })

  it('when all of it takes too long, though there is no connection yet', async () => {
    const before = performance.now()
    const resolve = () => new Promise<string[]>(() => {})
    expect(await post('http://hooks.example.com/', { totalMs: 50, resolve })).toMatchObject({ outcome: 'timeout' })
    expect(performance.now() - before).toBeLessThan(15_000) // its name may take 20 s
  })

  it('when 1xx answers never end', async () => {
    const url = await serveTcp((socket) => every(5, () => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n')))
    expect(await post(url, { totalMs: 100 })).toMatchObject({ outcome: 'timeout' })
  })

  it('when the connection is reset before the answer', async () => {
    const url = await serveTcp((socket) => socket.resetAndDestroy())
    expect(await post(url)).toMatchObject({ outcome: 'connect_error' })
  })

  it('when what comes is no HTTP', async () => {
    const url = await serveTcp((socket) => socket.end('220 smtp.example.com ESMTP\r\n'))
    expect(await post(url)).toMatchObject({
      outcome: 'invalid_http',
      status: null,
      errorCode: 'malformed_http',
    })
  })

  it('when nobody listens', async () => {
    const receiver = await receive()
    await receiver.close()
    expect(await post(receiver.url)).toMatchObject({ outcome: 'connect_error' })
  })

  it('when the name does not resolve, or to a private address', async () => {
    const fails = async () => Promise.reject(new Error('ENOTFOUND'))
    expect(await post('http://hooks.example.com/', { resolve: fails })).toMatchObject({ outcome: 'dns_error' })
    const rebound = async () => ['169.254.169.254']
    expect(await post('http://hooks.example.com/', { resolve: rebound })).toMatchObject({ outcome: 'blocked_address' })
  })
})

it('gives a name 3 s, a connection with TLS 5 s and the headers 15 s', () => {
  expect(webhookTimeouts).toMatchObject({ dnsMs: 3_000, connectMs: 5_000, headersMs: 15_000 })
})

describe('being told to stop', () => {
  it('is no outcome before the answer, and changes nothing after it', async () => {
    const stop = new AbortController()
    expect(await answered(() => stop.abort(), {}, stop.signal)).toBe('aborted')
    expect(await answered(status(200), {}, AbortSignal.abort())).toBe('aborted')

    const late = new AbortController()
    const onHeaders = () => setImmediate(() => late.abort()) // the body is being read by then
    expect(await answered(drip(200), { onHeaders }, late.signal)).toMatchObject({ outcome: 'delivered' })
  })
})

interface Options {
  totalMs?: number
  bodyMs?: number
  headersMs?: number
  resolve?: () => Promise<string[]>
  /** Called when the headers of the answer are there. */
  onHeaders?: () => void
}

async function answered(answer: Answer, options: Options = {}, signal?: AbortSignal): Promise<SendResult> {
  const receiver = await receive(answer)
  return post(receiver.url, options, signal)
}

async function post(url: string, options: Options = {}, signal?: AbortSignal): Promise<SendResult> {
  const agents = createAgents({
    guard: createGuard({ allowedCidrs: ['127.0.0.0/8'] }),
    timeouts: { dnsMs: 20_000, connectMs: 20_000, headersMs: options.headersMs ?? 15_000, bodyMs: 15_000 },
    ...(options.resolve && { resolve: options.resolve }),
  })
  closers.push(() => agents.destroy())
  const clock = {
    now() {
      options.onHeaders?.()
      return systemClock.now()
    },
  }
  const deps = { agents, clock, totalMs: options.totalMs ?? 20_000, bodyMs: options.bodyMs ?? 2_000 }
  const request = { url, headers: {}, body: '{}' }
  return (await send(deps, request, signal ?? new AbortController().signal)) as SendResult
}

async function receive(answer?: Answer) {
  const receiver = await startReceiver(answer)
  closers.push(receiver.close)
  return receiver
}

/** Headers at once, then a byte of the body every few milliseconds, without end. */
function drip(code: number): Answer {
  return (response) => {
    response.writeHead(code).flushHeaders()
    every(5, () => response.write('z'))
  }
}

function every(ms: number, work: () => void) {
  const timer = setInterval(work, ms)
  closers.push(async () => clearInterval(timer))
}

async function serveTcp(onRequest: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('data', () => onRequest(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
}
