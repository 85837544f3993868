import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dueOf } from '../../src/app/workers.ts'
import { after } from '../../src/base/clock.ts'
import { readInstallationId } from '../../src/db/installation.ts'
import { leases } from '../../src/db/schema/index.ts'
import { openQueues, type Queues } from '../../src/queue/queues.ts'
import { createOverdueWatch } from '../../src/work/overdue.ts'
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

async function watchFor(ms: number) {
  const watch = createOverdueWatch({ queues, dueOf: dueOf(world.db) })
  await watch.look(world.clock.now())
  for (let passed = 0; passed < ms; passed += 10_000) {
    world.clock.advance(10_000)
    await watch.look(world.clock.now())
  }
  return watch
}
const clear = () =>
  world.database.pool.query('DELETE FROM polling; DELETE FROM leases; UPDATE imports SET next_collect_at = NULL')
const minuteAgo = () => after(world.clock.now(), -60_000)

test('a poll that may begin and doesn’t is overdue after a minute, and not before', async () => {
  await world.import({ nextPollAt: after(world.clock.now(), -20_000) })
  const watch = await watchFor(30_000)
  expect(watch.overdue()).toEqual([])
  expect(watch.lateness()).toMatchObject({ poll: 50_000, collect: 0, deliver: 0 })
  expect((await watchFor(20_000)).overdue()).toEqual(['poll'])
  await clear()
})

test.each([
  ['is paused', { pausedAt: new Date('2026-03-01T12:00:00.000Z'), nextProbeAt: new Date('2026-03-02T12:00:00.000Z') }],
  ['was told to wait', { blockedUntil: new Date('2026-03-02T00:00:00.000Z') }],
  ['has used up its month', { limits: { requestsPerMonth: 1 }, budgetMonth: '2026-03', monthRequests: 1 }],
])('what a connection holds back that %s isn’t overdue', async (_why, columns) => {
  const { id: connectionId } = await world.connection(columns)
  await world.import({ connectionId, nextPollAt: minuteAgo() })
  const watch = await watchFor(20_000)
  expect([watch.overdue(), watch.lateness().poll]).toEqual([[], 0])
  await clear()
})

test('a collection that is claimed again and again, and never done, is overdue after two minutes', async () => {
  const { connectionId } = await world.import({ state: 'partial', nextCollectAt: minuteAgo() })
  const id = await world.served('collect', connectionId, 1)
  await world.db
    .update(leases)
    .set({ until: after(world.clock.now(), 3_600_000) }) // renewed for as long
    .where(eq(leases.id, id))
  expect((await watchFor(100_000)).overdue()).toEqual([])
  expect((await watchFor(130_000)).overdue()).toEqual(['collect'])
  await clear()
})

test('a delivery to an endpoint that answers and has nothing under way is overdue, too', async () => {
  await world.delivery({ nextAttemptAt: minuteAgo() })
  expect((await watchFor(10_000)).overdue()).toEqual(['deliver'])
})
