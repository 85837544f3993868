// Owns access tokens that expire: got once for all workers, kept encrypted, replaced when refused, and the refresh token
// that each refresh replaces used once.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createEncryption } from '../../src/base/encryption.ts'
import { createLog } from '../../src/base/log.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import { putConnection } from '../../src/connections/put.ts'
import { connectionTokens } from '../../src/db/schema/index.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { askStatus } from '../../src/providers/ask.ts'
import { noSignal, startClient } from '../providers/vendor.ts'
import { manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

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

beforeAll(async () => {
  database = await createTestDatabase()
  asker = startClient()
  vendor = createServer((request, response) => {
    const send = (status: number, body: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.method !== 'POST') {
      const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
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
      await hold
      const given = form.get('refresh_token')
      if (form.get('client_secret') !== 'right' || (given !== null && !refreshTokens.delete(given)))
        return send(400, { error: 'invalid_grant', error_description: `no: ${form.get('client_secret')}` })
      const number = tokenForms.length
      valid.add(`access-token-${number}`)
      if (given !== null) refreshTokens.add(`refresh-token-${number}`)
      send(200, {
        access_token: `access-token-${number}`,
        ...(given !== null && { refresh_token: `refresh-token-${number}` }),
        ...(lifetimeS !== undefined && { expires_in: lifetimeS }),
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
})
afterAll(async () => {
  await asker.close()
  await database.close()
  vendor.close()
  vendor.closeAllConnections()
})

let number = 0
async function aConnection(credentials: Record<string, string>): Promise<string> {
  const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
  const name = `salesforce-${number++}`
  await putConnection({ db: database.db, clock, encryption, guard }, name, {
    provider: 'salesforce',
    baseUrl,
    credentials,
  })
  const { rows } = await database.pool.query('SELECT id FROM connections WHERE name = $1', [name])
  return rows[0].id
}

/** A process that knows nothing but what the database has. */
function aProcess() {
  const accesses = createConnectionAccesses({ db: database.db, encryption, log })
  return async (id: string) => {
    const access = (await accesses.load([id])).get(id)
    if (!access) throw new Error(`no connection ${id}`)
    return askStatus(asker.client, access.provider, access, '750000000000001', { signal: noSignal() })
  }
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
    lifetimeS = 20
    const id = await aConnection(client)
    await aProcess()(id)
    await aProcess()(id)
    expect(tokenForms).toHaveLength(2)
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

  test('begin again with other credentials', async () => {
    const id = await aConnection({ ...client, refreshToken: 'refresh-token-0' })
    await aProcess()(id)
    const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
    refreshTokens.add('another')
    const credentials = { ...client, refreshToken: 'another' }
    await putConnection({ db: database.db, clock, encryption, guard }, `salesforce-${number - 1}`, {
      provider: 'salesforce',
      baseUrl,
      credentials,
    })
    await aProcess()(id)
    expect(tokenForms.map((form) => form.get('refresh_token'))).toEqual(['refresh-token-0', 'another'])
  })
})
