// Owns what each look of a tick does: claim what is due of its kind, and enqueue it.
import type { Clock } from '../base/clock.ts'
import { giveUpOverdue } from '../collecting/give-up.ts'
import type { Database } from '../db/client.ts'
import { claimDeliveries, endDeliveryLeases, releaseDeliveries } from '../delivering/rooms.ts'
import { loseOverdue, settleUnasked } from '../imports/end-unasked.ts'
import { type DeliveryLane, jobIds, type Payload, type QueueName } from '../queue/jobs.ts'
import type { Queues } from '../queue/queues.ts'
import { type Claimable, claim } from '../work/claim.ts'
import type { TickDeps } from '../work/ticks.ts'

export interface LookDeps {
  db: Database
  clock: Clock
  queues: Pick<Queues, 'all'>
  kinds: Record<'poll' | 'collect', Claimable>
}

/** How often it is looked for what takes too long while nobody may ask about it. */
const overdueEveryMs = 5_000

/** What each look of a tick claims and enqueues; true: there is more. */
export function createLooks(deps: LookDeps): TickDeps['enqueueDue'] {
  const { db, clock } = deps
  const isOverdueTurn = { poll: turnEvery(overdueEveryMs), collect: turnEvery(overdueEveryMs) }
  return {
    async poll() {
      const overdueTurn = isOverdueTurn.poll()
      if (overdueTurn) await loseOverdue({ db, clock })
      const more = await claim(deps.kinds.poll, deps)
      if (overdueTurn) await settleUnasked({ db, clock })
      return more
    },
    async collect() {
      if (isOverdueTurn.collect()) await giveUpOverdue({ db, clock })
      return claim(deps.kinds.collect, deps)
    },
    async deliver() {
      await endDeliveryLeases(db, clock.now())
      return enqueueDeliveries(deps, 'deliver')
    },
    trial: () => enqueueDeliveries(deps, 'trial'),
    retry: () => enqueueDeliveries(deps, 'retry'),
  }
}

/** True at most once in so many milliseconds. */
function turnEvery(ms: number): () => boolean {
  let nextAt = 0
  return () => {
    if (performance.now() < nextAt) return false
    nextAt = performance.now() + ms
    return true
  }
}

/** What may wait in each lane: enough to keep its slots busy, and over before the leases are. */
const maxWaiting: Record<DeliveryLane, number> = { deliver: 64, trial: 32, retry: 100 }

async function enqueueDeliveries({ db, clock, queues }: LookDeps, lane: DeliveryLane): Promise<boolean> {
  const { waiting = 0 } = await queues.all[lane].getJobCounts('waiting')
  const claimed = await claimDeliveries(db, clock.now(), lane, maxWaiting[lane] - waiting)
  const jobs = claimed.map(({ id, number, manual }) =>
    job(lane, { deliveryId: id, number, manual }, manual ? jobIds.manualDelivery : jobIds.deliver),
  )
  const ids = claimed.map(({ id }) => id)
  await enqueue(queues, lane, jobs, () => releaseDeliveries(db, ids))
  return claimed.length > 0
}

function job<Name extends DeliveryLane>(name: Name, data: Payload<Name>, idOf: (data: Payload<Name>) => string) {
  return { name, data, opts: { jobId: idOf(data) } }
}

/** Enqueues what was claimed, or gives it back. */
async function enqueue(
  queues: LookDeps['queues'],
  name: QueueName,
  jobs: Parameters<Queues['all']['poll']['addBulk']>[0],
  release: () => Promise<void>,
): Promise<void> {
  if (jobs.length === 0) return
  try {
    await queues.all[name].addBulk(jobs)
  } catch (error) {
    await release()
    throw error
  }
}
