import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startService } from '../../src/app/service.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createEncryption } from '../../src/base/encryption.ts'
import { newId } from '../../src/base/ids.ts'
import { createLog } from '../../src/base/log.ts'
import { readConfig } from '../../src/config/config.ts'
import { putConnection } from '../../src/connections/put.ts'
import { webhookEndpoints } from '../../src/db/schema/index.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { testEnvironment } from '../support/service.ts'
import { somebody } from '../support/worlds/ground.ts'

const [stored, other, lost] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3)]
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  const deps = {
    db: database.db,
    clock: systemClock,
    encryption: createEncryption([stored]),
    guard: createGuard({ allowedCidrs: [] }),
    by: somebody,
  }
  await putConnection(deps, 'cdq', { provider: 'cdq', credentials: { apiKey: 'key' }, settings: {}, limits: {} })
})
afterAll(() => database.close())

function seal(): string {
  return createEncryption([lost]).encrypt('a secret', 'endpoint')
}

function inHours(hours: number): string {
  return new Date(Date.now() + hours * 3_600_000).toISOString()
}

function start(keys: Buffer[]) {
  const environment = {
    ...testEnvironment({ database }),
    ENCRYPTION_KEYS: keys.map((key) => key.toString('base64')).join(','),
  }
  return startService(readConfig(environment), { clock: systemClock, log: createLog('silent') })
}

test('a start without a key that stored secrets need is refused, naming the variable', async () => {
  await expect(start([other])).rejects.toThrow('ENCRYPTION_KEYS must hold every key')
})

/** What an endpoint has beside the secret of now, sealed by a key that only this needs. */
test.each<[string, object, boolean]>([
  ['the headers of an endpoint', { headers: seal() }, true],
  ['a secret that still signs', { previousSecrets: [{ secret: seal(), expiresAt: inHours(1) }] }, true],
  ['a secret whose overlap is over', { previousSecrets: [{ secret: seal(), expiresAt: inHours(-1) }] }, false],
  ['a deleted endpoint', { headers: seal(), deletedAt: new Date() }, false],
])('a start without the key of %s', async (_what, columns, isRefused) => {
  const [id, now] = [newId(), new Date()]
  const secret = createEncryption([stored]).encrypt('whsec_', `endpoint:${id}`)
  const required = { id, url: 'https://example.com/', types: [], secret, createdAt: now, updatedAt: now }
  await database.db.insert(webhookEndpoints).values({ ...required, ...columns })
  const starting = start([stored]).then((service) => service.stop())
  if (isRefused) await expect(starting).rejects.toThrow('ENCRYPTION_KEYS must hold every key')
  else await starting
  await database.db.delete(webhookEndpoints).where(eq(webhookEndpoints.id, id))
})

test('a start with it among others is fine', async () => {
  const service = await start([other, stored])
  await service.stop()
})
