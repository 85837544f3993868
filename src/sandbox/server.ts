// Owns the running sandbox: the vendors, each under a path of its own, and the control calls beside them.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../base/clock.ts'
import {
  type Credentials,
  isProviderName,
  type RateLimits,
  rotateCredentials,
  type Settings,
  shownCredentials,
} from './accounts.ts'
import { control } from './control.ts'
import { type FaultInput, faultSchema } from './faults.ts'
import { respond } from './respond.ts'
import { type ScriptInput, scriptSchema, type VendorName } from './script.ts'
import { send, sentStatus } from './send.ts'
import { answerToken } from './tokens.ts'
import { documentVendors } from './vendors/all.ts'
import { createWorld, type RequestRecord, vendors, type World } from './world.ts'

export interface SandboxOptions {
  clock: Clock
  host?: string
  /** Absent: a free one. */
  port?: number
  /** Absent: none. micro.so's own are 10 a second and 1,000 a month. */
  rateLimits?: RateLimits
  /** How many requests the sandbox remembers. Absent: 10,000. */
  keepRequests?: number
}

/** An import that was added to the sandbox. */
export interface SandboxJob {
  provider: VendorName
  jobId: string
  baseUrl: string
  createdAt: Date
}

export interface Sandbox {
  url: string
  /** Returns the base URL for a connection to the vendor. */
  baseUrl(provider: VendorName): string
  credentials<P extends VendorName>(provider: P): Credentials[P]
  settings<P extends VendorName>(provider: P): Settings[P]
  /** @throws {z.ZodError} if the script is wrong, {Error} if its job id is taken. */
  add(script: ScriptInput): SandboxJob
  /** Returns the last requests at the vendors, the oldest first. */
  requests(): RequestRecord[]
  /** Makes every request of a vendor fail. Null ends that. */
  setOutage(provider: VendorName, fault: FaultInput | null): void
  /** Makes new credentials. The old ones are refused from now on. */
  rotateCredentials<P extends VendorName>(provider: P): Credentials[P]
  /** Cuts every connection, including those of scripted time-outs. */
  close(): Promise<void>
}

/** Starts a sandbox. Rejects if the port isn't available. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { host = '127.0.0.1', port = 0 } = options
  const world = createWorld(options)
  const server = createServer((request, response) => {
    // A client that leaves in the middle of an answer is no error.
    handle(world, request, response).catch(() => response.destroy())
  })
  // Longer than clients keep idle connections, so that the sandbox never closes one under a request.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
  const url = `http://${reachable(host)}:${(server.address() as AddressInfo).port}`
  const baseUrl = (provider: VendorName) => `${url}/${provider}`
  return {
    url,
    baseUrl,
    credentials: (provider) => shownCredentials(world.accounts[provider].credentials, url),
    settings: (provider) => world.accounts[provider].settings,
    add(input) {
      const job = world.add(scriptSchema.parse(input))
      if (job === null) throw new Error(`The sandbox has a job ${input.jobId} at ${input.provider} already.`)
      const { provider, createdAt } = job
      const jobId = vendors[provider].shownJobId?.(job.jobId, baseUrl(provider)) ?? job.jobId
      return { provider, jobId, createdAt, baseUrl: baseUrl(provider) }
    },
    requests: () => world.requests(),
    setOutage(provider, fault) {
      world.accounts[provider].outage = fault === null ? null : faultSchema.parse(fault)
    },
    rotateCredentials: (provider) => shownCredentials(rotateCredentials(world.accounts, provider), url),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function handle(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', headers, url = '/' } = request
  const [path = '/', query = ''] = splitOnce(url, '?')
  // `new URL` would resolve dots that are part of a job id.
  const [, prefix = '', ...encoded] = path.split('/')
  const origin = `http://${headers.host ?? 'localhost'}`
  if (isProviderName(prefix)) {
    const segments = decodeAll(encoded)
    const below = url.slice(prefix.length + 1)
    const body = method === 'POST' ? ((await readText(request)) ?? '') : ''
    const { call, answer, transport, writing } = respond(world, prefix, {
      method,
      segments,
      query: new URLSearchParams(query),
      url: below,
      headers,
      body,
      origin,
    })
    const { jobId = null, kind = null, cursor = null } = call ?? {}
    const status = sentStatus(answer, transport)
    const at = world.clock.now()
    world.record({ provider: prefix, jobId, kind, cursor, url: below, at, status })
    // The date comes from the sandbox's clock, like all its other times.
    return send(response, { ...answer, headers: { date: at.toUTCString(), ...answer.headers } }, transport, writing)
  }
  const token = await readTokenCall(world, request, path, new URLSearchParams(query), origin)
  if (token !== null) {
    const at = world.clock.now()
    const { provider, answer } = token
    // Its query may have a secret.
    world.record({ provider, jobId: null, kind: null, cursor: null, url: path, at, status: answer.status })
    return send(response, { ...answer, headers: { date: at.toUTCString() } })
  }
  const segments = [prefix, ...(decodeAll(encoded) ?? [])]
  const { status, body } = await control(world, { method, segments, origin, readBody: () => readText(request) })
  if (body === null) {
    response.writeHead(status).end()
    return
  }
  return send(response, { status, headers: {}, body: JSON.parse(JSON.stringify(body)) })
}

const tokenPaths = new Set(Object.values(documentVendors).flatMap(({ tokens }) => tokens?.path ?? []))

async function readTokenCall(
  world: World,
  request: IncomingMessage,
  path: string,
  query: URLSearchParams,
  origin: string,
) {
  if (!tokenPaths.has(path)) return null
  const { method = 'GET', headers } = request
  const body = (await readText(request)) ?? ''
  return answerToken(world, { method, path, query, headers, body, origin })
}

const bodyLimitBytes = 1_048_576

/** Returns null for more than 1 MiB. It reads the rest anyway, so that the client sees the answer. */
async function readText(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length <= bodyLimitBytes) chunks.push(chunk)
  }
  return length > bodyLimitBytes ? null : Buffer.concat(chunks).toString()
}

function decodeAll(segments: readonly string[]): string[] | null {
  try {
    return segments.map(decodeURIComponent)
  } catch {
    return null
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}

/** Returns an address to call for an address to listen on. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
