// The ways that a database can be away, each made with a real one.
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { isDatabaseAway } from '../../src/db/unreachable.ts'
import { startCable } from '../support/cable.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

test('nobody listens', async () => {
  const opened = openDatabase('postgres://localhost:1/none', { maxConnections: 1, onError: () => {} })
  expect(isDatabaseAway(await failureOf(opened.db.execute(sql`SELECT 1`)))).toBe(true)
  await opened.close()
})

test('every connection of the pool stays taken', async () => {
  const pool = new Pool({ connectionString: database.url, max: 1 })
  const taken = await pool.connect()
  // Only now: opening a connection takes longer than this on a busy machine.
  pool.options.connectionTimeoutMillis = 50
  expect(isDatabaseAway(await failureOf(drizzle(pool).execute(sql`SELECT 1`)))).toBe(true)
  taken.release()
  await pool.end()
})

test('it takes no writes, as after a failover', async () => {
  const failure = await failureOf(
    database.db.transaction(async (tx) => {
      await tx.execute(sql`SET LOCAL transaction_read_only = on`)
      await tx.execute(sql`CREATE TABLE never (n int)`)
    }),
  )
  expect(isDatabaseAway(failure)).toBe(true)
})

test('it shuts down while it works', async () => {
  const failure = failureOf(database.db.execute(sql`SELECT pg_sleep(60)`))
  await expect
    .poll(async () => {
      const ended = await database.pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
      )
      return ended.rowCount
    })
    .toBeGreaterThan(0)
  expect(isDatabaseAway(await failure)).toBe(true)
})

test('the network breaks between two statements, and in the middle of one', async () => {
  const cable = await startCable(database.url)
  const opened = openDatabase(cable.url, { maxConnections: 2, onError: () => {} })
  const transaction = opened.db.transaction(async (tx) => {
    const sleeping = failureOf(opened.db.execute(sql`SELECT pg_sleep(60)`))
    await tx.execute(sql`SELECT 1`)
    await cable.cut()
    expect(isDatabaseAway(await sleeping)).toBe(true)
    await tx.execute(sql`SELECT 1`)
  })
  expect(isDatabaseAway(await failureOf(transaction))).toBe(true)
  await opened.close()
})

test('a wrong statement and a bug are something else', async () => {
  expect(isDatabaseAway(await failureOf(database.db.execute(sql`SELECT nothing`)))).toBe(false)
  expect(isDatabaseAway(await failureOf(database.db.execute(sql`SELECT 1 / 0`)))).toBe(false)
  expect(isDatabaseAway(new TypeError('undefined is not a function'))).toBe(false)
  expect(isDatabaseAway('text')).toBe(false)
})
