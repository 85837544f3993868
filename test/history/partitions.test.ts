import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { startService } from '../../src/app/service.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createLog } from '../../src/base/log.ts'
import { historyTables, readConfig } from '../../src/config/config.ts'
import { monthOf } from '../../src/history/months.ts'
import { makePartitions, nameOfPartition, storedPartitions } from '../../src/history/partitions.ts'
import { runCli } from '../cli/run.ts'
import { monthsBetween, monthsOf } from '../reporting/history.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { testEnvironment } from '../support/service.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

/** As if nothing had run for half a year. */
beforeEach(async () => {
  for (const partition of await storedPartitions(database.db))
    await database.db.execute(sql`DROP TABLE ${nameOfPartition(partition)}`)
})

function start(environment: Record<string, string>) {
  const config = readConfig({ ...testEnvironment({ database }), ...environment })
  return startService(config, { clock: systemClock, log: createLog('silent') })
}

async function expectPartitions(): Promise<void> {
  const expected = monthsBetween(monthOf(new Date(), -1), monthOf(new Date(), 3))
  for (const table of historyTables) expect(await monthsOf(database, table)).toEqual(expected)
}

test.each(['api', 'worker'])('are made when a process starts as %s', async (roles) => {
  const service = await start({ ROLES: roles })
  await expectPartitions()
  await service.stop()
})

test('are made by migrate', async () => {
  expect(await runCli(['migrate'], testEnvironment({ database }))).toMatchObject({ code: 0, stderr: '' })
  await expectPartitions()
})

test('are dropped when a worker starts, where their time is over', async () => {
  const old = monthOf(new Date(), -6)
  await makePartitions(database.db, old)
  const service = await start({ HISTORY_RETENTION_MONTHS: 'skipped_lines=4,events=12' })
  const kept = monthsBetween(monthOf(old, 2), monthOf(old, 3))
  const made = monthsBetween(monthOf(new Date(), -1), monthOf(new Date(), 3))
  await vi.waitFor(async () => expect(await monthsOf(database, 'skipped_lines')).toEqual([...kept, ...made]), 10_000)
  expect(await monthsOf(database, 'events')).toEqual([...monthsBetween(monthOf(old, -1), monthOf(old, 3)), ...made])
  await service.stop()
})
