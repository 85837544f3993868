import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { mendTimes } from '../../src/app/mend-times.ts'
import { dueOf } from '../../src/app/workers.ts'
import { createLog } from '../../src/base/log.ts'
import { readInstallationId } from '../../src/db/installation.ts'
import { openQueues, type Queues } from '../../src/queue/queues.ts'
import { createTickWatch } from '../../src/work/tick-watch.ts'
import { startWatch } from '../../src/work/watch.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
let queues: Queues
beforeAll(async () => {
  queues = openQueues({
    redisUrl: null,
    databaseUrl: world.database.url,
    installationId: await readInstallationId(world.db),
    works: false,
    onError: () => {},
  })
})
afterAll(() => queues.close())

/** A watch in a process whose ticks have got nowhere for an hour. Ten of its looks take longer than it stays hopeful. */
function watchStuckTicks(tick: () => Promise<void>, ping: () => Promise<void> = queues.ping) {
  let uptime = 0
  const ticks = createTickWatch(() => uptime)
  uptime = 3_600_000
  const looks = vi.fn(ping)
  const pace = { tickEveryMs: 5, lookEveryMs: 20, hopelessAfterMs: 100 }
  const { db, clock } = world
  const watch = startWatch({
    clock,
    log: createLog('silent'),
    queues: { ...queues, ping: looks },
    ticks,
    tick,
    mendTimes: (now, how) => mendTimes(db, now, how),
    dueOf: dueOf(db),
    pace,
  })
  onTestFinished(() => watch.stop())
  return { watch, afterTenLooks: () => vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(10)) }
}

test('a process whose ticks get nowhere, though both stores answer, is past help after a while', async () => {
  const { watch } = watchStuckTicks(async () => {})
  expect(watch.canRecover()).toBe(true)
  await vi.waitFor(() => expect(watch.canRecover()).toBe(false))
  expect(() => watch.checkTicks()).toThrow('poll, collect, deliver, roll-up')
})

test('a process whose queue is away can recover', async () => {
  const { watch, afterTenLooks } = watchStuckTicks(
    async () => {},
    () => Promise.reject(new Error('away')),
  )
  await afterTenLooks()
  expect(watch.canRecover()).toBe(true)
})

test('a process whose database takes no writes can recover', async () => {
  const { watch, afterTenLooks } = watchStuckTicks(async () => {
    const client = await world.database.pool.connect()
    try {
      await client.query('BEGIN READ ONLY')
      await client.query('UPDATE imports SET polls = polls')
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  })
  await afterTenLooks()
  expect(watch.canRecover()).toBe(true)
})
