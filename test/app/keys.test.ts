import { afterAll, beforeAll, expect, test } from 'vitest'
import { startService } from '../../src/app/service.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createEncryption } from '../../src/base/encryption.ts'
import { createLog } from '../../src/base/log.ts'
import { readConfig } from '../../src/config/config.ts'
import { putConnection } from '../../src/connections/put.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { testEnvironment } from '../support/service.ts'
import { somebody } from '../support/worlds/ground.ts'

const [stored, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
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

test('a start with it among others is fine', async () => {
  const service = await start([other, stored])
  await service.stop()
})
