import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { isDatabaseAway } from '../../src/db/unreachable.ts'
import { type Cable, startCable } from '../support/cable.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

async function openThroughCable(silentForMs: number) {
  const cable: Cable = await startCable(database.url)
  const opened = openDatabase(cable.url, { maxConnections: 4, onError: () => {}, silentForMs })
  onTestFinished(async () => {
    await opened.close()
    await cable.cut()
  })
  return { cable, ...opened }
}

test('statements on connections that went silent fail as of a database that is away, and new ones are made', async () => {
  const { cable, db } = await openThroughCable(300)
  const four = () => Promise.allSettled([1, 2, 3, 4].map((n) => db.execute(sql`SELECT ${n}::int, pg_sleep(0.01)`)))
  expect((await four()).map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
  cable.freeze()
  const lost = await db.execute(sql`SELECT 1`).catch((error: unknown) => error)
  expect(isDatabaseAway(lost)).toBe(true)
  // With it went those that nobody used: four connections are to be had at once.
  expect((await four()).map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
})

test('a transaction that goes silent leaves its place in the pool', async () => {
  const { cable, db, pool } = await openThroughCable(300)
  const lost = db.transaction(async (tx) => {
    await tx.execute(sql`SELECT 1`)
    cable.freeze()
    await tx.execute(sql`SELECT 2`)
  })
  await expect(lost).rejects.toThrow()
  expect(pool.idleCount).toBe(0)
  expect((await db.execute(sql`SELECT 3 AS n`)).rows).toEqual([{ n: 3 }])
})

test('a connection that nobody uses is left alone, and a statement has its whole time on it', async () => {
  const { pool } = await openThroughCable(800)
  const client = await pool.connect()
  await client.query('LISTEN nothing')
  await pool.query('SELECT pg_sleep(0.6)')
  await pool.query('SELECT pg_sleep(0.6)')
  await client.query('SELECT pg_sleep(0.2)')
  client.release()
  await expect(pool.query('SELECT pg_sleep(30)')).rejects.toThrow('said nothing')
})
