// Owns a vendor for the tests: a real local HTTP server that answers as it is told and remembers what it was asked.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { createProviderClient } from '../../src/providers/client.ts'
import type { LargeBodies } from '../../src/providers/large-bodies.ts'

export interface Seen {
  method: string | undefined
  /** The request's target, exactly as it was sent. */
  target: string
  headers: IncomingMessage['headers']
}

export interface Vendor {
  baseUrl: string
  seen: Seen[]
  /** What it does from now on. */
  answer(listener: RequestListener): void
  /** The same JSON to every request. */
  answerJson(body: unknown, status?: number, headers?: Record<string, string>): void
  close(): Promise<void>
}

export async function startVendor(): Promise<Vendor> {
  const seen: Seen[] = []
  let listener: RequestListener = (_request, response) => void response.writeHead(500).end()
  const server = createServer((request, response) => {
    seen.push({ method: request.method, target: request.url ?? '', headers: request.headers })
    listener(request, response)
  })
  // A property test may keep this process busy for longer than a server keeps an idle connection.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    seen,
    answer(next) {
      listener = next
    },
    answerJson(body, status = 200, headers = {}) {
      listener = (_request, response) => sendJson(response, body, status, headers)
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

export function sendJson(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export const testNow = new Date('2026-11-22T12:00:00Z')

/** A client as the service has it, but that loopback may be asked, in short times. */
export function startClient(
  options: {
    headersMs?: number
    bodyMs?: number
    totalMs?: number
    bodyLimitBytes?: number
    largeBodies?: LargeBodies
  } = {},
) {
  const { headersMs = 5_000, bodyMs = 5_000, totalMs = 10_000, bodyLimitBytes, largeBodies } = options
  const agents = createAgents({
    guard: createGuard({ allowedCidrs: ['127.0.0.0/8', '::1/128'] }),
    timeouts: { dnsMs: 2_000, connectMs: 2_000, headersMs, bodyMs },
  })
  const clock = { now: () => testNow }
  const client = createProviderClient({
    agents,
    clock,
    totalMs,
    ...(bodyLimitBytes !== undefined && { bodyLimitBytes }),
    ...(largeBodies && { largeBodies }),
  })
  return { client, close: () => agents.destroy() }
}

/** A signal that nobody aborts. */
export const noSignal = () => new AbortController().signal
