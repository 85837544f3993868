// Owns what a tick does: claim what is due, enqueue it, and look again while there is more.
// What is due is said by imports.ts and deliveries.ts.
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/client.ts'
import { releaseCollections, releasePolls } from '../imports/leases.ts'
import { loseOverdue } from '../imports/lose-overdue.ts'
import { type DeliveryLane, deliveryLanes, jobIds, type Payload, type QueueName } from '../queue/jobs.ts'
import type { Queues } from '../queue/queues.ts'
import { deleteOld } from '../webhooks/retention.ts'
import { claimDeliveries, type LaneRoom, releaseDeliveries } from './deliveries.ts'
import { claimCollections, claimPolls } from './imports.ts'

export type TickKind = Payload<'dispatch'>['kind']
export type WorkKind = Exclude<TickKind, 'maintain'>

export interface TickDeps {
  db: Database
  clock: Clock
  queues: Pick<Queues, 'all'>
}

/** How long a tick waits between looks, while there is more than may start at once. */
const pauseMs: Record<WorkKind, number> = { poll: 50, collect: 100, deliver: 15 }
/**
 * How often trials and retries are looked for: with a thousand dead endpoints that takes long enough for first attempts
 * to wait behind it.
 */
const slowLanesEveryMs = 100
/** How often imports are looked for whose deadline passes while nobody may ask about them. */
const overdueEveryMs = 5_000

/**
 * The processor of the `dispatch` queue. A tick that finds one of its kind running in this process leaves it the work,
 * and has it look once more.
 */
export function createTick(deps: TickDeps): (payload: Payload<'dispatch'>, signal: AbortSignal) => Promise<void> {
  const running = new Map<TickKind, { again: boolean }>()
  const round: Round = { ...deps, isSlowTurn: turnEvery(slowLanesEveryMs), isOverdueTurn: turnEvery(overdueEveryMs) }

  async function look(kind: WorkKind, state: { again: boolean }, signal: AbortSignal): Promise<void> {
    do {
      state.again = false
      if (await enqueueDue[kind](round)) state.again = true
      if (state.again) await delay(pauseMs[kind])
    } while (state.again && !signal.aborted)
  }

  return async ({ kind }, signal) => {
    const same = running.get(kind)
    if (same) {
      same.again = true
      return
    }
    const state = { again: false }
    running.set(kind, state)
    try {
      if (kind === 'maintain') return await deleteOld(deps, signal)
      await look(kind, state, signal)
    } finally {
      running.delete(kind)
    }
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

interface Round extends TickDeps {
  /** Whether trials and retries are looked for this time. */
  isSlowTurn(): boolean
  /** Whether imports are that nobody may ask about and whose deadline has passed. */
  isOverdueTurn(): boolean
}

/** Claims and enqueues one round of a kind; true: there is more. */
const enqueueDue: Record<WorkKind, (round: Round) => Promise<boolean>> = {
  async poll({ db, clock, queues, isOverdueTurn }) {
    if (isOverdueTurn()) await loseOverdue({ db, clock })
    const { ids, saturated } = await claimPolls(db, clock.now())
    const jobs = ids.map((importId) => job('poll', { importId }, jobIds.poll(importId)))
    await enqueue(queues, 'poll', jobs, () => releasePolls(db, ids))
    return saturated
  },
  async collect({ db, clock, queues }) {
    const { ids, saturated } = await claimCollections(db, clock.now())
    const jobs = ids.map((importId) => job('collect', { importId }, jobIds.collect(importId)))
    await enqueue(queues, 'collect', jobs, () => releaseCollections(db, ids))
    return saturated
  },
  async deliver({ db, clock, queues, isSlowTurn }) {
    const room = await laneRoom(queues)
    const isSlow = isSlowTurn()
    const taken = isSlow ? room : { ...room, trial: 0, retry: 0 }
    const { deliveries, saturated } = await claimDeliveries(db, clock.now(), taken)
    let left = deliveries
    for (const lane of deliveryLanes) {
      const claimed = deliveries.filter((delivery) => delivery.lane === lane)
      const jobs = claimed.map(({ id, number, manual }) =>
        job(lane, { deliveryId: id, number, manual }, manual ? jobIds.manualDelivery(id, number) : jobIds.deliver(id)),
      )
      const ids = left.map(({ id }) => id) // the lanes behind it aren't come to
      await enqueue(queues, lane, jobs, () => releaseDeliveries(db, ids))
      left = left.filter((delivery) => delivery.lane !== lane)
    }
    return saturated || !isSlow // the other lanes' turn comes soon
  },
}

/** What may wait in each lane: enough to keep its slots busy, and over before the leases are. */
const maxWaiting: LaneRoom = { deliver: 400, trial: 100, retry: 100 }

async function laneRoom(queues: TickDeps['queues']): Promise<LaneRoom> {
  const room = async (lane: DeliveryLane) => {
    const { waiting = 0 } = await queues.all[lane].getJobCounts('waiting')
    return [lane, Math.max(0, maxWaiting[lane] - waiting)]
  }
  return Object.fromEntries(await Promise.all(deliveryLanes.map(room))) as LaneRoom
}

function job<Name extends Exclude<QueueName, 'dispatch'>>(name: Name, data: Payload<Name>, jobId: string) {
  return { name, data, opts: { jobId } }
}

/** Enqueues what was claimed, or gives it back. */
async function enqueue(
  queues: TickDeps['queues'],
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
