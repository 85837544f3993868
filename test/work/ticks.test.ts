import { eq, inArray } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createChores } from '../../src/app/chores.ts'
import { createLooks } from '../../src/app/looks.ts'
import { createLog } from '../../src/base/log.ts'
import { oldestDue as oldestCollection } from '../../src/collecting/work.ts'
import { type ConnectionWork, connectionsToServe } from '../../src/connections/rooms.ts'
import { dailyOutcomes, deliveries, leases } from '../../src/db/schema/index.ts'
import { endpointsToServe, troubledToServe } from '../../src/delivering/due.ts'
import { registerImport } from '../../src/imports/register.ts'
import { oldestDue as oldestPoll } from '../../src/polling/work.ts'
import { queueNames } from '../../src/queue/jobs.ts'
import { openQueues, type Queues } from '../../src/queue/queues.ts'
import type { Claimable } from '../../src/work/claim.ts'
import type { WorkName } from '../../src/work/kind.ts'
import { leaseMs } from '../../src/work/leases.ts'
import { pausedQueues, startScheduler, tickKinds, troubledTicks } from '../../src/work/schedule.ts'
import { createTick, type TickKind } from '../../src/work/ticks.ts'
import { startCable } from '../support/cable.ts'
import { deleteQueueData } from '../support/queue-data.ts'
import { describeEachStore } from '../support/stores.ts'
import { useWorld } from '../support/worlds/world.ts'

const log = createLog('silent')
/** They are looked at every three seconds; a busy machine may take several times as long. */
const secondsMs = 20_000
const noSignal = new AbortController().signal

describeEachStore('ticks', (store) => {
  const world = useWorld()
  const opened = new AsyncDisposableStack()
  let redisUrl: string | null

  beforeAll(async () => {
    const queue = await store.open()
    redisUrl = queue.redisUrl
    opened.defer(() => queue.close())
  })
  afterAll(() => opened.disposeAsync())

  /** The queues as one process has them. */
  function open(): Queues {
    const queues = openQueues({ redisUrl, databaseUrl: world.database.url, installationId: 'test', onError: () => {} })
    opened.defer(() => queues.close())
    return queues
  }
  /** The owners whose leases wait for a worker. */
  const waiting = async ({ all }: Queues) => {
    const ids = (await all.poll.getWaiting()).map(({ data }) => data.leaseId as string)
    const rows = await world.db.select().from(leases).where(inArray(leases.id, ids))
    return rows.map(({ ownerId }) => ownerId).toSorted()
  }
  /** So many connections, each with imports that are due. */
  const some = async (count: number) => {
    const rows = await Promise.all(Array.from({ length: count }, () => world.import()))
    for (const { connectionId } of rows) await world.import({ connectionId })
    return rows.map(({ connectionId }) => connectionId).toSorted()
  }
  const leasesOf = (ownerId: string) => world.db.select().from(leases).where(eq(leases.ownerId, ownerId))
  const kindOf = (kind: ConnectionWork): Claimable => ({
    name: kind,
    due: (db, now, limit) => {
      const oldestDue = kind === 'poll' ? oldestPoll(now) : oldestCollection(now)
      return connectionsToServe(db, { kind, oldestDue, limit }, now)
    },
  })
  const deliver: Claimable = { name: 'deliver', due: endpointsToServe, dueInTrouble: troubledToServe }
  const ticking = (queues: Queues) => {
    const deps = { db: world.db, clock: world.clock, queues, log, historyRetention: {} }
    return createTick({
      enqueueDue: createLooks({ ...deps, kinds: { poll: kindOf('poll'), collect: kindOf('collect'), deliver } }),
      chores: createChores(deps),
    })
  }
  const tickOf = (queues: Queues) => {
    const tick = ticking(queues)
    return (kind: WorkName = 'poll') => tick({ kind }, noSignal)
  }

  test('a tick makes a job of each connection that has something due, however many processes tick', async () => {
    const ids = await some(50)
    const processes = [open(), open()]
    const ticks = processes.map(tickOf)
    await Promise.all([...ticks, ...ticks].map((tick) => tick()))
    for (const queues of processes) expect(await waiting(queues)).toEqual(ids)
    await Promise.all(ticks.map((tick) => tick()))
    expect(await waiting(open())).toHaveLength(50)
    await processes[0]?.all.poll.obliterate({ force: true })
  })

  test('a connection whose lease is over gets a job for the next one, beside that of a worker that died', async () => {
    const queues = open()
    const ids = await some(2)
    await tickOf(queues)()
    const dead = open()
    const begun = Promise.withResolvers<void>()
    dead.work('poll', () => new Promise(() => begun.resolve()), { concurrency: 2 })
    await begun.promise
    await vi.waitFor(async () => expect(await waiting(queues)).toEqual([]))
    world.clock.advance(leaseMs)
    await tickOf(queues)()
    expect((await waiting(queues)).filter((id) => ids.includes(id))).toEqual(ids)
    await queues.all.poll.obliterate({ force: true })
  })

  test('what can’t be enqueued is given back', async () => {
    const [id = ''] = await some(1)
    const cable = await startCable(redisUrl ?? world.database.url)
    const place = redisUrl === null ? { redisUrl, databaseUrl: cable.url } : { redisUrl: cable.url, databaseUrl: '' }
    const cutOff = openQueues({ ...place, installationId: 'test', onError: () => {} })
    await cutOff.ping()
    const poll = Object.create(cutOff.all.poll) as typeof cutOff.all.poll
    let leased = 0
    poll.addBulk = async (jobs) => {
      leased = (await leasesOf(id)).length
      await cable.cut() // when they are leased already
      return cutOff.all.poll.addBulk(jobs)
    }
    await expect(tickOf({ ...cutOff, all: { ...cutOff.all, poll } })()).rejects.toThrow()
    expect([leased, await leasesOf(id)]).toEqual([1, []])
    await expect(cutOff.ping()).rejects.toThrow()
    await expect(tickOf(cutOff)()).rejects.toThrow()
    expect(await leasesOf(id)).toEqual([])
    await cutOff.close()

    const queues = open()
    await tickOf(queues)()
    expect(await waiting(queues)).toContain(id)
  })

  test('deliveries that can’t be enqueued are given back', async () => {
    const { id: endpointId } = await world.endpoint({ lastSuccessAt: world.clock.now() })
    await world.delivery({ endpointId })
    const cable = await startCable(redisUrl ?? world.database.url)
    const place = redisUrl === null ? { redisUrl, databaseUrl: cable.url } : { redisUrl: cable.url, databaseUrl: '' }
    const queues = openQueues({ ...place, installationId: 'test', onError: () => {} })
    await queues.ping()
    const queue = Object.create(queues.all.deliver) as typeof queues.all.deliver
    let leased = 0
    queue.addBulk = async (jobs) => {
      leased = (await leasesOf(endpointId)).length
      await cable.cut() // when they are claimed already
      return queues.all.deliver.addBulk(jobs)
    }
    await expect(tickOf({ ...queues, all: { ...queues.all, deliver: queue } })('deliver')).rejects.toThrow()
    await queues.close()
    expect([leased, await leasesOf(endpointId)]).toEqual([1, []])
    await world.db.update(deliveries).set({ nextAttemptAt: null }).where(eq(deliveries.endpointId, endpointId))
  })

  test('the nightly tick deletes what is too old', async () => {
    const previousSecrets = [{ secret: 'old', expiresAt: world.clock.now().toISOString() }]
    const { id } = await world.endpoint({ previousSecrets })
    await ticking(open())({ kind: 'maintain' }, noSignal)
    expect((await world.endpointRow(id)).previousSecrets).toEqual([])
  })

  test('the tick of each minute keeps the days up', async () => {
    const { id: connectionId, name } = await world.connection()
    await registerImport(world, { connection: name, jobId: 'job' })
    await ticking(open())({ kind: 'roll-up' }, noSignal)
    const [day] = await world.db.select().from(dailyOutcomes).where(eq(dailyOutcomes.connectionId, connectionId))
    expect(day).toMatchObject({ day: world.clock.now().toISOString().slice(0, 10), registered: 1 })
  })

  describe('the repeatable ticks', () => {
    test('are there once for all processes, and come back when all queue data is deleted', async () => {
      const ticked: TickKind[] = []
      for (const queues of [open(), open()]) {
        const scheduler = await startScheduler({ queues, log })
        opened.defer(() => scheduler.stop())
        queues.work('dispatch', async ({ kind }) => void ticked.push(kind), { concurrency: 2 })
      }
      const queues = open()
      const allTick = (...others: TickKind[]) =>
        vi.waitFor(
          () => expect(new Set(ticked)).toEqual(new Set(['poll', 'collect', 'deliver', 'roll-up', ...others])),
          10_000,
        )
      await allTick('maintain')
      expect((await queues.all.dispatch.getJobSchedulers()).map(({ key }) => key).toSorted()).toEqual([
        'tick-collect',
        'tick-deliver',
        'tick-maintain',
        'tick-poll',
        'tick-roll-up',
      ])
      expect(await queues.all.dispatch.getJobScheduler('tick-maintain')).toMatchObject({ pattern: '0 17 3 * * *' })

      await deleteQueueData({ redisUrl, pool: world.database.pool })
      ticked.length = 0
      await allTick()
      expect(await queues.all.dispatch.getJobSchedulers()).toHaveLength(5)
    })

    test('come back within seconds, each of them, whatever is done to it', async () => {
      const queues = open()
      const { dispatch } = queues.all
      const scheduler = await startScheduler({ queues, log })
      opened.defer(() => scheduler.stop())
      const worker = open().work('dispatch', async () => {}, { concurrency: 2 })
      opened.defer(() => worker.drain())
      let brokenAt = 0
      const isInPlace = async () => {
        await vi.waitFor(async () => expect(await troubledTicks(queues)).toEqual(new Map()))
        expect(performance.now() - brokenAt).toBeLessThan(secondsMs)
      }

      // The scheduler may put one back before the last is removed.
      await vi.waitFor(async () => {
        brokenAt = performance.now()
        for (const kind of tickKinds) await dispatch.removeJobScheduler(`tick-${kind}`)
        expect([...(await troubledTicks(queues)).values()]).toEqual(tickKinds.map(() => 'absent'))
      })
      for (const name of queueNames) await queues.all[name].pause()
      await dispatch.add('poll', { kind: 'poll' })
      await isInPlace()
      await vi.waitFor(async () => expect(await pausedQueues(queues)).toEqual([]))
      await vi.waitFor(async () => expect((await dispatch.getWaiting()).length).toBe(0))
      expect(performance.now() - brokenAt).toBeLessThan(2 * secondsMs)

      // BullMQ pauses the queue first, and the scheduler may let it go on before it is emptied.
      await vi.waitFor(async () => {
        brokenAt = performance.now()
        await dispatch.obliterate({ force: true })
      })
      await isInPlace()
      brokenAt = performance.now()
      await dispatch.drain(true)
      await isInPlace()
    })

    test('come at once though a process whose clock was ahead has put them off', async () => {
      const queues = open()
      const startDate = Date.now() + 2 * 86_400_000
      await queues.all.dispatch.removeJobScheduler('tick-poll')
      await queues.all.dispatch.upsertJobScheduler('tick-poll', { every: 500, startDate }, { data: { kind: 'poll' } })
      const next = async () => (await queues.all.dispatch.getJobScheduler('tick-poll'))?.next ?? 0
      expect(await next()).toBeGreaterThan(Date.now() + 86_400_000)
      const scheduler = await startScheduler({ queues, log })
      opened.defer(() => scheduler.stop())
      expect(await next()).toBeLessThan(Date.now() + 5_000)
    })
  })
})
