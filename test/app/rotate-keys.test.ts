import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rotateKeys } from '../../src/app/rotate-keys.ts'
import { createEncryption } from '../../src/base/encryption.ts'
import { newId } from '../../src/base/ids.ts'
import { connections, webhookEndpoints } from '../../src/db/schema/index.ts'
import { manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const [oldKey, newKey, strangeKey] = [randomBytes(32), randomBytes(32), randomBytes(32)]
const before = createEncryption([oldKey])
const after = createEncryption([newKey])
const both = createEncryption([newKey, oldKey])
const now = manualClock().now()

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.db.delete(connections)
  await database.db.delete(webhookEndpoints)
})

test('every secret can be read with the new key alone, and nothing else has changed', async () => {
  const id = await addConnection(before)
  const endpoint = await addEndpoint()
  const [connectionBefore] = await database.db.select().from(connections)

  expect(await rotate()).toEqual({
    connections: { rotated: 1, unreadable: [] },
    webhookEndpoints: { rotated: 1, unreadable: [] },
  })

  const [connection] = await database.db.select().from(connections)
  expect(after.decrypt(connection?.credentials ?? '', `connection:${id}`)).toBe('{"apiKey":"k"}')
  expect({ ...connection, credentials: '' }).toEqual({ ...connectionBefore, credentials: '' })
  const [stored] = await database.db.select().from(webhookEndpoints)
  const secrets = [stored?.secret, stored?.headers, stored?.previousSecrets[0]?.secret]
  expect(secrets.map((secret) => after.decrypt(secret ?? '', `endpoint:${endpoint}`))).toEqual(['s', '{}', 'p'])
  expect(stored?.previousSecrets[0]?.expiresAt).toBe(now.toISOString())
})

test('a second run has nothing to do', async () => {
  await addConnection(before)
  await addEndpoint()
  await rotate()
  expect(await rotate()).toEqual({
    connections: { rotated: 0, unreadable: [] },
    webhookEndpoints: { rotated: 0, unreadable: [] },
  })
})

test('more rows than a batch has are all gone through', async () => {
  await Promise.all(Array.from({ length: 510 }, () => addConnection(before)))
  expect((await rotate()).connections.rotated).toBe(510)
})

test('what no key can read is named and stays, and the rest is done', async () => {
  const strange = await addConnection(createEncryption([strangeKey]))
  await addConnection(before)
  const [row] = await database.db.select().from(connections).where(eq(connections.id, strange))
  expect((await rotate()).connections).toEqual({ rotated: 1, unreadable: [strange] })
  expect(await database.db.select().from(connections).where(eq(connections.id, strange))).toEqual([row])
})

test('what is left of a deleted connection is passed over', async () => {
  await addConnection({ encrypt: () => '' })
  expect((await rotate()).connections).toEqual({ rotated: 0, unreadable: [] })
})

function rotate() {
  return rotateKeys({ db: database.db, encryption: both })
}

async function addConnection(encryption: { encrypt(text: string, context: string): string }): Promise<string> {
  const id = newId()
  const credentials = encryption.encrypt('{"apiKey":"k"}', `connection:${id}`)
  const values = { id, name: id, provider: 'cdq', credentials, settings: {}, limits: {} }
  await database.db.insert(connections).values({ ...values, createdAt: now, updatedAt: now })
  return id
}

async function addEndpoint(): Promise<string> {
  const id = newId()
  const encrypt = (text: string) => before.encrypt(text, `endpoint:${id}`)
  await database.db.insert(webhookEndpoints).values({
    id,
    url: 'https://example.com/hook',
    types: [],
    headers: encrypt('{}'),
    secret: encrypt('s'),
    previousSecrets: [{ secret: encrypt('p'), expiresAt: now.toISOString() }],
    createdAt: now,
    updatedAt: now,
  })
  return id
}
