import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { createLog } from '../../src/base/log.ts'
import { type DatabaseClock, startDatabaseClock } from '../../src/db/clock.ts'
import { manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const log = createLog('silent')
const dayMs = 86_400_000
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

async function start(machine = manualClock(new Date()), db: Pick<TestDatabase['db'], 'execute'> = database.db) {
  let uptimeMs = 0
  const clock: DatabaseClock = await startDatabaseClock({ db, clock: machine, log, uptime: () => uptimeMs })
  onTestFinished(() => clock.stop())
  const pass = (ms: number) => {
    uptimeMs += ms
  }
  return { clock, machine, pass }
}

/** Both are of this machine, as far as a busy one gets on meanwhile. */
const isAboutNow = (time: Date) => expect(Math.abs(time.getTime() - Date.now())).toBeLessThan(30_000)

test('where the machine is right, its own time is told, and goes on with the uptime', async () => {
  const machine = manualClock(new Date())
  const { clock, pass } = await start(machine)
  expect(clock.aheadMs()).toBe(0)
  expect(clock.now()).toEqual(machine.now())
  pass(2_500)
  expect(clock.now()).toEqual(after(machine.now(), 2_500))
})

test('where the machine is days ahead or behind, the database’s time is told', async () => {
  for (const days of [2, -2]) {
    const { clock } = await start(manualClock(new Date(Date.now() + days * dayMs)))
    isAboutNow(clock.now())
    expect(Math.round(clock.aheadMs() / dayMs)).toBe(days)
  }
})

test('a machine whose clock is set meanwhile changes nothing, and is measured again', async () => {
  const { clock, machine } = await start()
  machine.advance(2 * dayMs)
  isAboutNow(clock.now())
  await clock.measure()
  isAboutNow(clock.now())
  expect(Math.round(clock.aheadMs() / dayMs)).toBe(2)
  machine.advance(-2 * dayMs)
  await clock.measure()
  expect(clock.aheadMs()).toBe(0)
})
