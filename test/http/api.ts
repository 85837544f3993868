// Owns the API as tests use it: a real server on a real socket, and a client that checks every answer against the
// OpenAPI document that the server itself gives.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { pino } from 'pino'
import { afterAll, beforeAll, expect } from 'vitest'
import { createEncryption } from '../../src/base/encryption.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import { type Agents, createAgents } from '../../src/egress/agents.ts'
import { createDestinationCheck } from '../../src/egress/destination.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { createHttpServer, type HttpDeps, type HttpServer } from '../../src/http/server.ts'
import { createProviderClient, providerTimeouts } from '../../src/providers/client.ts'
import { openQueues, type Queues } from '../../src/queue/queues.ts'
import type { WorkName } from '../../src/work/kind.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import type { QueueStore } from '../support/stores.ts'

export const adminToken = 'bootstrap-token-of-the-tests'
export const encryption = createEncryption([Buffer.alloc(32, 1)])

export interface Answer {
  status: number
  headers: Headers
  /** Parsed where it is JSON, else the text. */
  // biome-ignore lint/suspicious/noExplicitAny: what an answer is made of is what the tests check
  body: any
}

export interface CallOptions {
  token?: string | null
  query?: Record<string, string | number>
  body?: unknown
  headers?: Record<string, string>
}

export interface Api {
  url: string
  database: TestDatabase
  clock: ManualClock
  queues: Queues
  server: HttpServer
  /** What providers are asked through. */
  agents: Agents
  /** What was logged, a line each. */
  logLines: string[]
  /** How often each kind of work was woken. */
  wakes: Record<'poll' | 'collect' | 'deliver', number>
  /** Calls an operation, such as `GET /v1/imports/{id}`, and checks its answer against the document. */
  call(operation: string, path: Record<string, string>, options?: CallOptions): Promise<Answer>
  /** Sends anything anywhere, unchecked. */
  send(path: string, init?: RequestInit): Promise<Answer>
}

/** Starts the API for a test file, and stops it afterwards; without a store the queues are kept in Postgres. */
export function useApi(overrides: Partial<HttpDeps> = {}, store?: QueueStore): Api {
  const api = {} as Api
  let opened: Awaited<ReturnType<QueueStore['open']>> | undefined
  beforeAll(async () => {
    opened = await store?.open()
    Object.assign(api, await startApi(overrides, opened?.redisUrl ?? null))
  })
  afterAll(async () => {
    await api.server.close({ graceMs: 1_000 })
    await api.agents.destroy()
    await api.queues.close()
    await api.database.close()
    await opened?.close()
  })
  return api
}

/** As `useApi`, for who closes it by himself: the server, the queues, the database. */
export async function startApi(overrides: Partial<HttpDeps>, redisUrl: string | null): Promise<Api> {
  const database = await createTestDatabase()
  const clock = manualClock()
  const logLines: string[] = []
  const queues = openQueues({ redisUrl, databaseUrl: database.url, installationId: 'test', onError: () => {} })
  const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
  const wakes = { poll: 0, collect: 0, deliver: 0 }
  const log = pino({ level: 'debug' }, { write: (line) => void logLines.push(line) })
  const agents = createAgents({ guard, timeouts: providerTimeouts })
  const server = createHttpServer({
    api: true,
    db: database.db,
    clock,
    encryption,
    log,
    accesses: createConnectionAccesses({ db: database.db, encryption, log }),
    client: createProviderClient({ agents, clock }),
    wake: Object.assign(
      (due: Iterable<WorkName>) => {
        for (const kind of due) wakes[kind]++
      },
      { listen() {} },
    ),
    adminToken,
    providerGuard: guard,
    checkWebhookDestination: createDestinationCheck({ guard, resolve: async () => ['127.0.0.1'], timeoutMs: 1_000 }),
    queues: queues.all,
    checks: { database: async () => void (await database.pool.query('SELECT 1')) },
    metrics: async () => 'up 1\n',
    limits: { requestsPerSecond: 1_000_000, streamsPerToken: 200, streams: 1_000, waiters: 1_000, downloads: 20 },
    trustedProxies: [],
    corsOrigins: [],
    ...overrides,
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const client = await connectApi(`http://127.0.0.1:${port}${overrides.basePath ?? ''}`, adminToken)
  return { ...client, database, clock, queues, server, agents, logLines, wakes }
}

/** A client of a server that runs; calls are made with the token unless they name another one. */
export async function connectApi(url: string, ownToken: string): Promise<Pick<Api, 'url' | 'send' | 'call'>> {
  const send = (path: string, init?: RequestInit) => fetch(`${url}${path}`, init).then(read)
  const document = (await send('/openapi.json')).body
  return { url, send, call: checkedCalls(send, document, ownToken) }
}

function checkedCalls(send: Api['send'], document: OpenApi, ownToken: string): Api['call'] {
  const validators = createValidators(document)
  return async (operation, path, { token = ownToken, query = {}, body, headers = {} } = {}) => {
    const [method = '', template = ''] = operation.split(' ')
    const filled = template.replaceAll(/\{(\w+)\}/g, (_match, name) => encodeURIComponent(path[name] ?? ''))
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    )
    const answer = await send(`${filled}${search.size > 0 ? `?${search}` : ''}`, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    validators.check(method, template, answer)
    return answer
  }
}

export interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, object> }> }>>
}

/** Checks answers: the status, the media type and the body have to be in the document. */
function createValidators(document: OpenApi) {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'openapi')
  const compiled = new Map<string, ValidateFunction>()

  return {
    check(method: string, template: string, { status, headers, body }: Answer) {
      const where = `${method} ${template} → ${status}`
      const responses = document.paths[template]?.[method.toLowerCase()]?.responses
      const response = responses?.[status]
      expect(response, `${where} is in the document: ${JSON.stringify(body)}`).toBeDefined()
      const mediaType = headers.get('content-type')?.split(';')[0] ?? null
      const types = Object.keys(response?.content ?? {})
      if (types.length === 0) return expect(body, where).toBe('')
      expect(types, where).toContain(mediaType)
      // Of what is streamed, the document describes one item.
      if (!/[/+]json$/.test(mediaType ?? '')) return
      const pointer = ['paths', template, method.toLowerCase(), 'responses', status, 'content', mediaType, 'schema']
      const ref = `openapi#/${pointer.map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
      const validate = compiled.get(ref) ?? ajv.compile({ $ref: ref })
      compiled.set(ref, validate)
      for (const piece of piecesOf(mediaType, body)) expect(validate(piece) ? [] : validate.errors, where).toEqual([])
    },
  }
}

/** What the schema describes: the body, or each line of it. */
function piecesOf(mediaType: string | null, body: unknown): unknown[] {
  if (mediaType !== 'application/x-ndjson') return [body]
  return String(body)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = /\bjson\b/.test(response.headers.get('content-type')?.split(';')[0]?.replace('x-ndjson', '') ?? '')
  return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : text }
}
