// Owns a client of the API that checks every answer against the OpenAPI document that the server itself gives.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'vitest'
import { unique } from './ground.ts'

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

export interface Client {
  url: string
  /** Calls an operation, such as `GET /v1/imports/{id}`, and checks its answer against the document. */
  call(operation: string, path: Record<string, string>, options?: CallOptions): Promise<Answer>
  /** Sends anything anywhere, unchecked. */
  send(path: string, init?: RequestInit): Promise<Answer>
  /** Puts a connection by the API, and says its name. */
  putConnection(input?: Record<string, unknown>): Promise<string>
  /** Registers an import by the API; of a connection of its own, unless the fields name one. */
  register(fields?: Record<string, unknown>): Promise<{ id: string; connection: string; jobId: string }>
}

export const cdqConnection = { provider: 'cdq', credentials: { apiKey: 'key-of-the-tests' } }

/** A client of a server that runs; calls are made with the token unless they name another one. */
export async function connectApi(url: string, ownToken: string): Promise<Client> {
  const send = (path: string, init?: RequestInit) => fetch(`${url}${path}`, init).then(read)
  const call = checkedCalls(send, (await send('/openapi.json')).body, ownToken)
  const putConnection = async (body: Record<string, unknown> = cdqConnection) => {
    const name = unique('connection')
    await call('PUT /v1/connections/{name}', { name }, { body })
    return name
  }
  return {
    url,
    send,
    call,
    putConnection,
    async register(fields = {}) {
      const connection = fields.connection ?? (await putConnection())
      return (await call('POST /v1/imports', {}, { body: { connection, jobId: unique('job'), ...fields } })).body
    },
  }
}

function checkedCalls(send: Client['send'], document: OpenApi, ownToken: string): Client['call'] {
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
