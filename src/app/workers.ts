// Owns composing the background work: the ticks, and a worker for each kind of work.
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { type CollectDeps, collectWork, oldestDue as oldestCollection } from '../collecting/work.ts'
import { longestDue } from '../connections/rooms.ts'
import type { Database } from '../db/client.ts'
import { longestDueDeliveries } from '../delivering/due.ts'
import { type DeliverDeps, deliverWork } from '../delivering/work.ts'
import type { KeepDeps } from '../history/drop-months.ts'
import { oldestDue as oldestPoll, type PollObserver, pollWork } from '../polling/work.ts'
import type { Queues, RunningWorker } from '../queue/queues.ts'
import type { WorkName } from '../work/kind.ts'
import { startScheduler } from '../work/schedule.ts'
import { createServer, type Server } from '../work/serve.ts'
import { createTickWatch } from '../work/tick-watch.ts'
import { createTick } from '../work/ticks.ts'
import { everyKind } from '../work/wake.ts'
import { startWatch, type WatchDeps, type WorkWatch } from '../work/watch.ts'
import { createChores } from './chores.ts'
import { createLooks } from './looks.ts'
import { mendTimes } from './mend-times.ts'

export interface WorkersDeps extends CollectDeps, DeliverDeps, KeepDeps {
  clock: Clock
  /** For statements that may take long. Absent: `db`. */
  patientDb?: Database
  queues: Queues
  observePoll: PollObserver
}

export interface Workers {
  watch: WorkWatch
  /**
   * Takes nothing new, and lets running work end for up to `withinMs`. Then it cuts off the rest, which is due again at
   * once.
   */
  stop(withinMs: number): Promise<void>
}

/** How many connections and endpoints this process serves at most. Each one occupies a job while it is served. */
const concurrency = { poll: 1_000, collect: 1_000, deliver: 2_000 }

export async function startWorkers(deps: WorkersDeps): Promise<Workers> {
  const { queues, db, observePoll } = deps
  const kinds = {
    poll: pollWork({ ...deps, observe: observePoll }),
    collect: collectWork(deps),
    deliver: deliverWork(deps),
  }
  const servers: Record<WorkName, Server> = {
    poll: createServer(kinds.poll, deps),
    collect: createServer(kinds.collect, deps),
    deliver: createServer(kinds.deliver, deps),
  }
  deps.wake.listen((kind) => servers[kind].look())
  const ticks = createTickWatch()
  const tick = createTick({
    enqueueDue: createLooks({ ...deps, kinds, servers }),
    chores: createChores({ ...deps, db: deps.patientDb ?? db }),
    passed: ticks.passed,
  })
  const scheduler = await startScheduler(deps)
  const ticking = queues.work('dispatch', tick, { concurrency: 6 })
  const watch = startWatch({ ...deps, ticks, tick, mendTimes: (now, how) => mendTimes(db, now, how), dueOf: dueOf(db) })
  const working = everyKind.map(
    (kind): RunningWorker =>
      queues.work(kind, ({ leaseId }, signal) => servers[kind].serve(leaseId, signal), {
        concurrency: concurrency[kind],
      }),
  )
  return {
    watch,
    async stop(withinMs) {
      watch.stop()
      scheduler.stop()
      ticking.abort()
      const isStoreThere = await Promise.race([
        queues.ping().then(
          () => true,
          () => false,
        ),
        delay(storeMs, false, { ref: false }),
      ])
      // the results of running work couldn't be stored anyway
      if (!isStoreThere) for (const worker of working) worker.abort()
      await settled(ticking.drain(), storeMs) // first, because no worker would take work that is claimed from now on
      for (const server of Object.values(servers)) server.stop()
      const hurry = setTimeout(() => {
        for (const worker of working) worker.abort()
      }, withinMs)
      await settled(Promise.all(working.map((worker) => worker.drain())), (isStoreThere ? withinMs : 0) + storeMs)
      clearTimeout(hurry)
    },
  }
}

/** Returns where to look for overdue work of each kind. */
export function dueOf(db: Database): WatchDeps['dueOf'] {
  return {
    poll: {
      waiting: (now) => longestDue(db, { kind: 'poll', oldestDue: oldestPoll(now), served: false }, now),
      underWay: (now) => longestDue(db, { kind: 'poll', oldestDue: oldestPoll(now), served: true }, now),
    },
    collect: {
      waiting: (now) => longestDue(db, { kind: 'collect', oldestDue: oldestCollection(now), served: false }, now),
      underWay: (now) => longestDue(db, { kind: 'collect', oldestDue: oldestCollection(now), served: true }, now),
    },
    // A worker may serve a hanging or slow endpoint for long, for good reason.
    deliver: { waiting: (now) => longestDueDeliveries(db, now), underWay: async () => [] },
  }
}

/** How long stopping waits for the queue's store. An unreachable store must not hold up the end. */
const storeMs = 2_000

async function settled(work: Promise<unknown>, withinMs: number): Promise<void> {
  await Promise.race([work, delay(withinMs, undefined, { ref: false })])
}
