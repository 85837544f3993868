// Owns receivers that mean harm, or are broken: real servers, each with one way of not answering as it should.
import { createServer as createHttpServer, Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'

export interface HostileReceiver {
  port: number
  /** Requests that came; behind TCP alone: connections. */
  requests(): number
  close(): Promise<void>
}

export type Open = () => Promise<HostileReceiver>

const dripEveryMs = 20
const zeros = Buffer.alloc(64 * 1_024 * 1_024)
const manyHeaders = Buffer.from(`HTTP/1.1 200 OK\r\n${`x-a: ${'a'.repeat(1_000)}\r\n`.repeat(2_000)}`)
const bomb = gzipSync(zeros, { level: 1 })

/** Says nothing at all. */
export const silent = tcp(() => {})

/** A header every few milliseconds, without an end. */
export const drippingHeaders = tcp((socket) => {
  socket.write('HTTP/1.1 200 OK\r\n')
  drip(socket, 'x-drip: 1\r\n')
})

/** 103 Early Hints, without an end. */
export const endlessInformation = tcp((socket) => drip(socket, 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'))

/** Headers at once, then a byte of the body every few milliseconds. */
export const drippingBody = (status: number) =>
  tcp((socket) => {
    socket.write(`HTTP/1.1 ${status} Whatever\r\ncontent-length: 1000000\r\n\r\n`)
    drip(socket, 'z')
  })

/** More headers than anybody reads. */
export const hugeHeaders = tcp((socket) => socket.write(manyHeaders))

/** As many as a proxy with sessions of its own may add. */
export const manyCookies = tcp((socket) =>
  socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 0\r\n${`set-cookie: ${'c'.repeat(4_096)}\r\n`.repeat(15)}\r\n`),
)

export const noHttp = tcp((socket) => socket.end('220 smtp.example.com ESMTP\r\n'))

/** As some small servers do. Strict parsing protects against answers that are smuggled into others. */
export const lenientHttp = tcp((socket) => socket.end('HTTP/1.1 200 OK\nContent-Length: 0\n\n'))

export const resetBeforeHeaders = tcp((socket) => socket.resetAndDestroy())

export const resetInBody = (status: number) =>
  tcp((socket) => {
    const answer = `HTTP/1.1 ${status} Whatever\r\ncontent-length: 100\r\n\r\nhalf of it`
    socket.write(answer, () => setTimeout(() => socket.resetAndDestroy(), dripEveryMs))
  })

/** 200, but later than anybody waits. */
export const late = (ms: number) =>
  tcp((socket) => void setTimeout(() => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), ms))

export const answering = (status: number, headers: Record<string, string> = {}) =>
  http((_request, response) => response.writeHead(status, headers).end('no'))

export const hugeBody = http((_request, response) => response.writeHead(200).end(zeros.subarray(0, 8 * 1_024 * 1_024)))

/** 64 MiB of zeros in a few kilobytes. */
export const gzipBomb = http((_request, response) => response.writeHead(500, { 'content-encoding': 'gzip' }).end(bomb))

export function behindTls(certificate: { key: string; cert: string }): Open {
  return () => listening(createHttpsServer(certificate, (_request, response) => void response.end()))
}

/** Nobody listens: the port was somebody's a moment ago. */
export async function absent(): Promise<HostileReceiver> {
  const receiver = await silent()
  await receiver.close()
  return { ...receiver, close: async () => {} }
}

function http(listener: RequestListener): Open {
  return () => listening(createHttpServer(listener))
}

/** @param onRequest is called when the first bytes of a request have come. */
function tcp(onRequest: (socket: Socket) => void): Open {
  return () => listening(createTcpServer((socket) => socket.once('data', () => onRequest(socket))))
}

function drip(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), dripEveryMs)
  socket.once('close', () => clearInterval(timer))
}

async function listening(server: Server): Promise<HostileReceiver> {
  const sockets = new Set<Socket>()
  let requests = 0
  server.on(server instanceof HttpServer ? 'request' : 'connection', () => requests++)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    requests: () => requests,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
