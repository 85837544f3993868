import { sql } from 'drizzle-orm'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isMigrated } from '../../src/db/migrate.ts'
import { apiTokens } from '../../src/db/schema/index.ts'
import { isQueueMigrated } from '../../src/queue/migrate.ts'
import { manualClock } from './clock.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { describeEachStore } from './stores.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

test('a test database is migrated, the queue too', async () => {
  expect(await isMigrated(database)).toBe(true)
  expect(await isQueueMigrated(database.pool)).toBe(true)
})

test('two test databases have nothing in common', async () => {
  const other = await createTestDatabase()
  const clock = manualClock()
  await other.db.insert(apiTokens).values({ name: 'a', scope: 'read', hash: 'a', createdAt: clock.now() })
  expect(await database.db.select().from(apiTokens)).toEqual([])
  await other.close()
  const { rows } = await database.db.execute(sql`SELECT 1 FROM pg_database WHERE ${other.url} LIKE '%/' || datname`)
  expect(rows).toEqual([])
})

test('time passes when the test says so', () => {
  const clock = manualClock('2026-01-01T00:00:00Z')
  clock.advance(1_500)
  expect(clock.now().toISOString()).toBe('2026-01-01T00:00:01.500Z')
})

describeEachStore('a queue store', (store) => {
  test('is empty when it is opened', async () => {
    const { redisUrl, close } = await store.open()
    expect(redisUrl === null).toBe(store.name === 'postgres')
    if (redisUrl !== null) {
      const redis = new Redis(redisUrl)
      expect(await redis.dbsize()).toBe(0)
      redis.disconnect()
    }
    await close()
  })
})
