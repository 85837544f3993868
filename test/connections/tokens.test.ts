// Owns access tokens that expire: got once for all workers, kept encrypted, replaced when refused, and the refresh token
// that each refresh replaces used once.
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createEncryption } from '../../src/base/encryption.ts'
import { createLog } from '../../src/base/log.ts'
import { putProvider } from '../../src/catalog/put.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import { patchConnection, putConnection } from '../../src/connections/put.ts'
import { contextOf } from '../../src/connections/tokens.ts'
import { connectionTokens } from '../../src/db/schema/index.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { storedError } from '../../src/imports/stored-error.ts'
import { askStatus } from '../../src/providers/ask.ts'
import { createDocumentProvider } from '../../src/providers/document/provider.ts'
import { documentSchema } from '../../src/providers/document/read-document.ts'
import { ProviderError } from '../../src/providers/error.ts'
import { noSignal, startClient } from '../providers/vendor.ts'
import { manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { somebody } from '../support/worlds/ground.ts'

let database: TestDatabase
let asker: ReturnType<typeof startClient>
let vendor: Server
let baseUrl: string
const encryption = createEncryption([Buffer.alloc(32, 7)])
const clock = manualClock()
const log = createLog('silent')

/** What the vendor was asked for tokens, and what it takes. */
let tokenForms: URLSearchParams[]
let valid: Set<string>
let refreshTokens: Set<string>
let lifetimeS: number | undefined
let hold: Promise<void>
/** What the token answer says besides. */
let more: Record<string, unknown>
/** The token answer as it is sent, of the number of its request. Null: as JSON. */
let raw: ((number: number, given: string | null) => { status: number; text: string }) | null
/** What is asked for besides tokens, by path and host. */
let asked: { url: string; host: string | undefined }[]
/** The tokens that came with them. */
let used: string[]
/** The query of each request for a token. */
let tokenQueries: URLSearchParams[]

beforeAll(async () => {
  database = await createTestDatabase()
  asker = startClient()
  vendor = createServer((request, response) => {
    const send = (status: number, body: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const [path = '', query = ''] = (request.url ?? '').split('?')
    if (request.method !== 'POST') {
      asked.push({ url: request.url ?? '', host: request.headers.host })
      const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
      used.push(token)
      if (path.startsWith('/bulk/'))
        return valid.has(token)
          ? send(200, { requestId: 'a', success: true, result: [{ batchId: 7, status: 'Importing' }] })
          : send(200, { success: false, errors: [{ code: '602', message: `Access token expired: ${token}` }] })
      return valid.has(token)
        ? send(200, { state: 'InProgress', numberRecordsProcessed: 1 })
        : send(401, [{ errorCode: 'INVALID_SESSION_ID', message: `Session expired: ${token}` }])
    }
    let text = ''
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', async () => {
      const form = new URLSearchParams(text)
      tokenForms.push(form)
      tokenQueries.push(new URLSearchParams(query))
      await hold
      const assertion = form.get('assertion')
      if (assertion === null && path.startsWith('/identity'))
        for (const [name, value] of new URLSearchParams(query)) form.set(name, value)
      if (assertion !== null) form.set('client_secret', 'right')
      const given = form.get('refresh_token')
      if (form.get('client_secret') !== 'right' || (given !== null && !refreshTokens.delete(given)))
        return send(400, { error: 'invalid_grant', error_description: `no: ${form.get('client_secret')}` })
      const number = tokenForms.length
      valid.add(`access-token-${number}`)
      if (given !== null) refreshTokens.add(`refresh-token-${number}`)
      if (raw !== null) {
        const { status, text } = raw(number, given)
        return void response.writeHead(status, { 'content-type': 'text/plain' }).end(text)
      }
      send(200, {
        access_token: `access-token-${number}`,
        ...(given !== null && { refresh_token: `refresh-token-${number}` }),
        ...(lifetimeS !== undefined && { expires_in: lifetimeS }),
        ...more,
      })
    })
  })
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`
})
beforeEach(() => {
  tokenForms = []
  valid = new Set()
  refreshTokens = new Set(['refresh-token-0'])
  lifetimeS = 3_600
  hold = Promise.resolve()
  more = {}
  raw = null
  asked = []
  used = []
  tokenQueries = []
})
afterAll(async () => {
  await asker.close()
  await database.close()
  vendor.close()
  vendor.closeAllConnections()
})

let number = 0
async function aConnection(
  credentials: Record<string, string>,
  { provider = 'salesforce', ...more }: { provider?: string; settings?: Record<string, unknown>; limits?: object } = {},
): Promise<string> {
  const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
  const name = `salesforce-${number++}`
  await putConnection({ db: database.db, clock, encryption, guard, by: somebody }, name, {
    provider,
    baseUrl,
    credentials,
    ...more,
  })
  const { rows } = await database.pool.query('SELECT id FROM connections WHERE name = $1', [name])
  return rows[0].id
}

/** A process that knows nothing but what the database has. */
function aProcess() {
  const accesses = createConnectionAccesses({ db: database.db, encryption, log, clock })
  return async (id: string, signal = noSignal()) => {
    const access = (await accesses.load([id])).get(id)
    if (!access) throw new Error(`no connection ${id}`)
    return askStatus(asker.client, access.provider, access, '750000000000001', { signal })
  }
}

async function databaseNow(): Promise<number> {
  return (await database.pool.query('SELECT now() AS at')).rows[0].at.getTime()
}

const client = { clientId: 'the-client', clientSecret: 'right' }

describe('client credentials', () => {
  test('get one token for all calls of all processes', async () => {
    const id = await aConnection(client)
    const gate = Promise.withResolvers<void>()
    hold = gate.promise
    const processes = [aProcess(), aProcess(), aProcess()]
    const asked = processes.flatMap((ask) => [ask(id), ask(id), ask(id)])
    await expect.poll(() => tokenForms.length).toBe(1)
    gate.resolve()
    for (const { report } of await Promise.all(asked)) expect(report.state).toBe('running')
    expect(tokenForms.map((form) => Object.fromEntries(form))).toEqual([
      { grant_type: 'client_credentials', client_id: 'the-client', client_secret: 'right' },
    ])
    const [row] = await database.db.select().from(connectionTokens)
    expect(row).toMatchObject({ connectionId: id, claim: null })
    expect(JSON.stringify(row)).not.toMatch(/access-token|right/)
  })

  test('get a new token where the kept one is refused, once', async () => {
    const id = await aConnection(client)
    const ask = aProcess()
    await ask(id)
    valid.clear()
    expect((await ask(id)).report.state).toBe('running')
    expect(tokenForms).toHaveLength(2)
  })

  test('get a new token where its time is nearly over', async () => {
    const id = await aConnection(client)
    await aProcess()(id)
    await database.pool.query('UPDATE connection_tokens SET expires_at = now()')
    await aProcess()(id)
    expect(tokenForms).toHaveLength(2)
  })

  test.each([
    [3_600, 3_570],
    [29, 26.1],
    [1, 5],
  ])('use a token of %i s for %d s', async (given, usable) => {
    lifetimeS = given
    const id = await aConnection(client)
    const before = await databaseNow()
    await aProcess()(id)
    const [early, late] = [before + usable * 1_000, (await databaseNow()) + usable * 1_000]
    const { rows } = await database.pool.query('SELECT expires_at FROM connection_tokens WHERE connection_id = $1', [
      id,
    ])
    const end = rows[0].expires_at.getTime()
    expect(end).toBeGreaterThanOrEqual(early - 1)
    expect(end).toBeLessThanOrEqual(late + 1)
  })

  test('that are refused say so, without the secret', async () => {
    const id = await aConnection({ clientId: 'the-client', clientSecret: 'wrong-secret' })
    const error = await aProcess()(id).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      kind: 'unauthorized',
      code: 'invalid_grant',
      message: expect.stringContaining('no: ***'),
    })
    expect(JSON.stringify(error)).not.toContain('wrong-secret')
  })

  test('of a token that even fresh is refused are unauthorized, after two tries, without the token', async () => {
    const id = await aConnection(client)
    valid = Object.assign(new Set<string>(), { add: () => valid })
    const error = await aProcess()(id).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ kind: 'unauthorized', message: expect.stringContaining('Session expired: ***') })
    expect(tokenForms).toHaveLength(2)
  })
})

/** Another worker takes over: the claim is over, as if its worker had been stopped for a minute. */
async function endClaim() {
  await database.pool.query("UPDATE connection_tokens SET claimed_until = now() - interval '1 s'")
}

describe('a token request that outlasts its claim', () => {
  test('gives way to the token that another worker stored meanwhile', async () => {
    const id = await aConnection(client)
    const gate = Promise.withResolvers<void>()
    hold = gate.promise
    const slow = aProcess()(id)
    await expect.poll(() => tokenForms.length).toBe(1)
    hold = Promise.resolve()
    await endClaim()
    await aProcess()(id)
    gate.resolve()
    expect((await slow).report.state).toBe('running')
    expect(asked).toHaveLength(2)
    valid.delete('access-token-1')
    // A third process finds the token of the second one.
    await aProcess()(id)
    expect(tokenForms).toHaveLength(2)
  })

  test('keeps the refresh token that it got, if the other worker got nothing', async () => {
    const id = await aConnection({ ...client, refreshToken: 'refresh-token-0' })
    await aProcess()(id)
    valid.clear()
    // The vendor replaces the refresh token at once, and then takes its time.
    const gate = Promise.withResolvers<void>()
    refreshTokens = new Set(['refresh-token-1'])
    hold = gate.promise
    const slow = aProcess()(id)
    await expect.poll(() => tokenForms.length).toBe(2)
    refreshTokens.clear()
    hold = Promise.resolve()
    await endClaim()
    await expect(aProcess()(id)).rejects.toMatchObject({ kind: 'unauthorized', code: 'invalid_grant' })
    refreshTokens.add('refresh-token-1')
    gate.resolve()
    expect((await slow).report.state).toBe('running')
    valid.clear()
    await aProcess()(id)
    expect(tokenForms.at(-1)?.get('refresh_token')).toBe('refresh-token-3')
  })

  test('is seen to its end where its caller leaves, because it may have replaced the refresh token', async () => {
    const id = await aConnection({ ...client, refreshToken: 'refresh-token-0' })
    const gate = Promise.withResolvers<void>()
    hold = gate.promise
    const leaving = new AbortController()
    const left = aProcess()(id, leaving.signal)
    await expect.poll(() => tokenForms.length).toBe(1)
    leaving.abort()
    gate.resolve()
    await expect(left).rejects.toMatchObject({ kind: 'aborted' })
    await aProcess()(id)
    expect(tokenForms.map((form) => form.get('refresh_token'))).toEqual(['refresh-token-0'])
  })
})

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
const serviceAccount = (more: Record<string, unknown> = {}) => ({
  serviceAccountJson: JSON.stringify({
    type: 'service_account',
    client_email: 'tracker@p.iam.gserviceaccount.com',
    private_key: pem,
    private_key_id: 'key-7',
    token_uri: `${baseUrl}/token`,
    ...more,
  }),
})

describe('a service account', () => {
  const bigquery = { provider: 'bigquery', settings: { projectId: 'p' } }

  test('signs an assertion for the token URL, and asks with the token that it is given', async () => {
    const id = await aConnection(serviceAccount(), bigquery)
    await Promise.all([aProcess()(id), aProcess()(id)])
    expect(tokenForms).toHaveLength(1)
    const [form] = tokenForms
    expect(form?.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const { payload, protectedHeader } = await jwtVerify(form?.get('assertion') ?? '', publicKey, {
      currentDate: clock.now(),
    })
    const iat = Math.floor(asker.client.clock.now().getTime() / 1_000)
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-7' })
    expect(payload).toEqual({
      iss: 'tracker@p.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/bigquery.readonly',
      aud: `${baseUrl}/token`,
      iat,
      exp: iat + 3_600,
    })
    expect(asked[0]?.url).toBe('/bigquery/v2/projects/p/jobs/750000000000001')
  })

  test.each([
    [
      'another key',
      { private_key: 'no key' },
      'must have an RSA private key (PEM) of at least 2048 bits at /private_key',
    ],
    ['no key', { private_key: undefined }, 'must have an RSA private key (PEM) of at least 2048 bits at /private_key'],
    ['no email', { client_email: undefined }, 'must have text at /client_email'],
  ])('with %s is refused when the connection is put', async (_what, more, message) => {
    const put = aConnection(serviceAccount(more), bigquery)
    await expect(put).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ field: 'credentials.serviceAccountJson', message }],
    })
  })
})

describe('parameters in the URL', () => {
  test('are where Marketo wants them, and an answer of 200 says that the token has ended', async () => {
    const id = await aConnection({ clientId: 'the-client', clientSecret: 'right' }, { provider: 'marketo' })
    const ask = aProcess()
    expect((await ask(id)).report.state).toBe('running')
    expect(tokenQueries.map((query) => Object.fromEntries(query))).toEqual([
      { grant_type: 'client_credentials', client_id: 'the-client', client_secret: 'right' },
    ])
    valid.clear()
    expect((await ask(id)).report.state).toBe('running')
    expect(tokenQueries).toHaveLength(2)
    expect(asked.map(({ url }) => url)).toEqual(Array(3).fill('/bulk/v1/leads/batch/750000000000001.json'))
  })
})

describe('a token answer that says where to ask', () => {
  test('is followed to another address of the same host, by all workers', async () => {
    const other = createServer((request, response) => {
      asked.push({ url: request.url ?? '', host: request.headers.host })
      response.end(JSON.stringify({ state: 'InProgress' }))
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(other.address() as AddressInfo).port}`
    more = { instance_url: `http://${host}` }
    const id = await aConnection(client)
    await aProcess()(id)
    await aProcess()(id)
    other.close()
    other.closeAllConnections()
    expect(asked.map((request) => request.host)).toEqual([host, host])
    expect(tokenForms).toHaveLength(1)
  })

  test.each(['https://elsewhere.example', 'https://evil-salesforce.com', 'ftp://127.0.0.1', 'no URL'])(
    'of %s is refused, so that the token stays with the vendor',
    async (url) => {
      more = { instance_url: url }
      const id = await aConnection(client)
      await expect(aProcess()(id)).rejects.toMatchObject({
        kind: 'invalid_response',
        message: expect.stringContaining('instance_url'),
      })
      expect(asked).toEqual([])
    },
  )
})

const tokensOf = (number: number) => ({
  access_token: `access-token-${number}`,
  refresh_token: `refresh-token-${number}`,
})

describe('the error of a token answer that can’t be used holds no part of it', () => {
  test.each<[string, (number: number, given: string | null) => { status: number; text: string }]>([
    [
      'another host',
      (number) => ({
        status: 200,
        text: JSON.stringify({ ...tokensOf(number), instance_url: 'https://elsewhere.example' }),
      }),
    ],
    [
      'another name of the token',
      (number) => ({
        status: 200,
        text: JSON.stringify({ accessToken: `access-token-${number}`, refreshToken: `refresh-token-${number}` }),
      }),
    ],
    ['a form', (number) => ({ status: 200, text: new URLSearchParams(tokensOf(number)).toString() })],
    ['a refusal that echoes', (_number, given) => ({ status: 400, text: `No: refresh_token=${given}` })],
    ['a failure that echoes', (number) => ({ status: 500, text: JSON.stringify({ made: tokensOf(number) }) })],
  ])('%s', async (_what, answer) => {
    raw = answer
    const id = await aConnection({ ...client, refreshToken: 'refresh-token-0' })
    const error = await aProcess()(id).catch((reason: unknown) => reason)
    if (!(error instanceof ProviderError)) throw error
    expect(error.body).toBeNull()
    const stored = storedError(error, clock.now())
    expect(stored.message).toMatch(/^The provider/)
    expect(JSON.stringify(stored)).not.toMatch(/(access|refresh)-token-\d/)
  })
})

test('a request for a token counts in the budget of its connection', async () => {
  const id = await aConnection(client, { limits: { requestsPerMonth: 100 } })
  const ask = aProcess()
  const used = async () =>
    (await database.pool.query('SELECT month_requests FROM connections WHERE id = $1', [id])).rows[0].month_requests
  await ask(id)
  expect(await used()).toBe(1)
  valid.clear()
  await ask(id)
  // One for the token, and one to ask again.
  expect(await used()).toBe(3)
})

describe('refresh tokens', () => {
  test('that each refresh replaces are each used once, over processes', async () => {
    const id = await aConnection({ ...client, refreshToken: 'refresh-token-0' })
    for (let turn = 0; turn < 3; turn++) {
      await Promise.all([aProcess()(id), aProcess()(id)])
      valid.clear()
    }
    await aProcess()(id)
    expect(tokenForms.map((form) => form.get('refresh_token'))).toEqual([
      'refresh-token-0',
      'refresh-token-1',
      'refresh-token-2',
      'refresh-token-3',
    ])
  })

  test.each<[string, Record<string, unknown>]>([
    ['leads to another host', { instance_url: 'https://elsewhere.example' }],
    ['has no access token', { access_token: null }],
  ])('aren’t lost where their answer %s', async (_what, wrong) => {
    more = wrong
    const id = await aConnection({ ...client, refreshToken: 'refresh-token-0' })
    await expect(aProcess()(id)).rejects.toMatchObject({ kind: 'invalid_response' })
    await expect(aProcess()(id)).rejects.toMatchObject({ kind: 'invalid_response' })
    expect(asked).toEqual([])
    more = {}
    const ask = aProcess()
    expect((await ask(id)).report.state).toBe('running')
    expect((await ask(id)).report.state).toBe('running')
    expect(tokenForms.map((form) => form.get('refresh_token'))).toEqual([
      'refresh-token-0',
      'refresh-token-1',
      'refresh-token-2',
    ])
  })

  test('are those of newer credentials, though a worker still knows the older ones', async () => {
    const id = await aConnection({ ...client, refreshToken: 'refresh-token-0' })
    const late = await aWorker(id)
    refreshTokens.add('another')
    clock.advance(1)
    await patch({ credentials: { ...client, refreshToken: 'another' } })
    await aProcess()(id)
    await expect(late()).rejects.toMatchObject({ kind: 'unauthorized', message: expect.stringContaining('changed') })
    valid.clear()
    await aProcess()(id)
    expect(tokenForms.map((form) => form.get('refresh_token'))).toEqual(['another', 'refresh-token-1'])
  })

  test('begin again with other credentials', async () => {
    const id = await aConnection({ ...client, refreshToken: 'refresh-token-0' })
    await aProcess()(id)
    const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
    refreshTokens.add('another')
    const credentials = { ...client, refreshToken: 'another' }
    await putConnection({ db: database.db, clock, encryption, guard, by: somebody }, `salesforce-${number - 1}`, {
      provider: 'salesforce',
      baseUrl,
      credentials,
    })
    await aProcess()(id)
    expect(tokenForms.map((form) => form.get('refresh_token'))).toEqual(['refresh-token-0', 'another'])
  })
})

/** A document that differs from that of Salesforce in its name and scope. */
function aDocument(scope: string): Record<string, unknown> {
  const { examples, ...salesforce } = JSON.parse(readFileSync('providers/salesforce.json', 'utf8'))
  const auth = salesforce.auth.map((one: { kind: string }) =>
    one.kind === 'oauth2' ? { ...one, extra: { scope } } : one,
  )
  return { ...salesforce, name: 'likeness', auth, examples }
}

async function aWorker(id: string) {
  const accesses = createConnectionAccesses({ db: database.db, encryption, log, clock })
  const access = (await accesses.load([id])).get(id)
  if (!access) throw new Error(`no connection ${id}`)
  return () => askStatus(asker.client, access.provider, access, '750000000000001', { signal: noSignal() })
}

const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
const patch = (change: Parameters<typeof patchConnection>[2]) =>
  patchConnection({ db: database.db, clock, encryption, guard, by: somebody }, `salesforce-${number - 1}`, change)

describe('a connection that was changed', () => {
  const rotating = { ...client, refreshToken: 'refresh-token-0' }
  const put = (document: Record<string, unknown>) =>
    putProvider({ db: database.db, clock, guard, by: somebody }, 'likeness', document)

  test.each<[string, () => Parameters<typeof patchConnection>[2]]>([
    ['base URL', () => ({ baseUrl: `http://localhost:${new URL(baseUrl).port}` })],
    ['settings', () => ({ settings: { apiVersion: '65.0' } })],
    ['client id', () => ({ credentials: { ...rotating, clientId: 'another-client' } })],
    ['revision', () => ({ provider: 'likeness' })],
  ])('in its %s asks with a new token, got once by the newest refresh token', async (what, change) => {
    await put(aDocument(`of ${what}, before`))
    const id = await aConnection(rotating, { provider: what === 'revision' ? 'likeness' : 'salesforce' })
    const ask = aProcess()
    await ask(id)
    await put(aDocument(`of ${what}, after`))
    clock.advance(1)
    await patch(change())
    used = []
    const gate = Promise.withResolvers<void>()
    hold = gate.promise
    const all = [ask(id), ask(id), aProcess()(id), aProcess()(id)]
    await expect.poll(() => tokenForms.length).toBe(2)
    gate.resolve()
    for (const { report } of await Promise.all(all)) expect(report.state).toBe('running')
    expect(tokenForms.map((form) => form.get('refresh_token'))).toEqual(['refresh-token-0', 'refresh-token-1'])
    expect(new Set(used)).toEqual(new Set(['access-token-2']))
    if (what === 'revision') expect(tokenForms[1]?.get('scope')).toBe('of revision, after')
  })

  test('asks by a document that is tried with a token of that document’s own', async () => {
    const id = await aConnection(rotating)
    const accesses = createConnectionAccesses({ db: database.db, encryption, log, clock })
    const access = (await accesses.load([id])).get(id)
    if (!access) throw new Error('no connection')
    const tried = createDocumentProvider(documentSchema.parse(aDocument('tried'))) as typeof access.provider
    await aProcess()(id)
    used = []
    await askStatus(asker.client, tried, access, '750000000000001', { signal: noSignal() })
    await aProcess()(id)
    expect(used).toEqual(['access-token-2', 'access-token-3'])
    expect(tokenForms.map((form) => form.get('scope'))).toEqual([null, 'tried', null])
    expect(tokenForms.at(-1)?.get('refresh_token')).toBe('refresh-token-2')
  })

  test('goes on with the refresh token that an earlier version kept', async () => {
    const id = await aConnection(rotating)
    await aProcess()(id)
    const context = contextOf(id)
    const { rows } = await database.pool.query('SELECT sealed FROM connection_tokens WHERE connection_id = $1', [id])
    const { of, accessToken, refreshToken, baseUrl: at } = JSON.parse(encryption.decrypt(rows[0].sealed, context))
    const sealed = encryption.encrypt(JSON.stringify({ of, accessToken, refreshToken, baseUrl: at }), context)
    await database.pool.query('UPDATE connection_tokens SET sealed = $2 WHERE connection_id = $1', [id, sealed])
    await aProcess()(id)
    expect(tokenForms.map((form) => form.get('refresh_token'))).toEqual(['refresh-token-0', 'refresh-token-1'])
  })
})
