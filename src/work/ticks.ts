// Owns what a tick does: claim what is due, enqueue it, and look again while there is more.
// What is due is said by imports.ts and deliveries.ts.
import { setTimeout as delay } from 'node:timers/promises'
import { giveUpOverdue } from '../collecting/give-up.ts'
import type { Database } from '../db/client.ts'
import { releaseCollections, releasePolls } from './leases.ts'
import { loseOverdue } from '../imports/lose-overdue.ts'
import { settleUnasked } from '../imports/settle.ts'
import { type DeliveryLane, deliveryLanes, jobIds, type Payload, type QueueName } from '../queue/jobs.ts'
import type { Queues } from '../queue/queues.ts'
import { rollUp } from '../reporting/daily-outcomes.ts'
import { type KeepDeps, keepPartitions } from '../history/drop-months.ts'
import { deleteOld } from '../webhooks/prune.ts'
import { claimDeliveries, endDeliveryLeases, releaseDeliveries } from '../delivering/rooms.ts'
import { claimCollections, claimPolls } from '../connections/rooms.ts'
import type { Pass } from './tick-watch.ts'

export type TickKind = Payload<'dispatch'>['kind']
/** Ticks that do their work themselves. */
type Chore = 'roll-up' | 'maintain'
export type WorkKind = Exclude<TickKind, Chore>

export interface TickDeps extends KeepDeps {
  /** For the days and the months of history, whose statements may take long; absent: `db`. */
  patientDb?: Database
  queues: Pick<Queues, 'all'>
  /** Told of every pass that went well: a tick makes several while there is more. */
  passed?(what: Pass): void
}

/** A queue that dispatch fills, looked at apart from the others: a long look at one must not hold up another. */
type Look = Exclude<QueueName, 'dispatch'>

const looks: Record<WorkKind, readonly Look[]> = { poll: ['poll'], collect: ['collect'], deliver: deliveryLanes }
/**
 * How long to wait between two looks while there is more than may start at once. A look at trials and retries takes
 * long with a thousand endpoints, and these don't hurry.
 */
const pauseMs: Record<Look, number> = { poll: 50, collect: 100, deliver: 15, trial: 250, retry: 250 }
/** How often it is looked for what takes too long while nobody may ask about it. */
const overdueEveryMs = 5_000

/**
 * The processor of the `dispatch` queue. A look that is going on in this process when a tick comes is left the work, and
 * is made once more.
 */
export function createTick(deps: TickDeps): (payload: Payload<'dispatch'>, signal: AbortSignal) => Promise<void> {
  const running = new Map<Look | Chore, Run>()
  const patient = { ...deps, db: deps.patientDb ?? deps.db }
  const passed = (what: Pass) => deps.passed?.(what)
  const round: Round = {
    ...deps,
    isOverdueTurn: { poll: turnEvery(overdueEveryMs), collect: turnEvery(overdueEveryMs) },
  }

  async function alone(what: Look | Chore, work: (state: Run) => Promise<void>): Promise<void> {
    const same = running.get(what)
    if (same && performance.now() - same.aliveAt < abandonedAfterMs(what)) {
      same.again = true
      return
    }
    const state = { again: false, aliveAt: performance.now() }
    running.set(what, state)
    try {
      await work(state)
    } finally {
      if (running.get(what) === state) running.delete(what)
    }
  }

  async function look(what: Look, state: Run, signal: AbortSignal): Promise<void> {
    do {
      state.again = false
      if (await enqueueDue[what](round)) state.again = true
      state.aliveAt = performance.now()
      passed(what)
      if (state.again) await delay(pauseMs[what])
    } while (state.again && !signal.aborted)
  }

  return async ({ kind }, signal) => {
    if (kind === 'maintain') return alone(kind, () => maintain(patient, signal))
    if (kind === 'roll-up') return alone(kind, () => rollUp(patient, signal, () => passed(kind)))
    const made = await Promise.allSettled(looks[kind].map((what) => alone(what, (state) => look(what, state, signal))))
    for (const one of made) if (one.status === 'rejected') throw one.reason
  }
}

/** Something that is looked at or done by one tick at a time. */
interface Run {
  /** A tick came meanwhile. */
  again: boolean
  /** When it last got on; of `performance.now()`. */
  aliveAt: number
}

/** After how long without getting on a run has lost its place to the next tick: whatever hangs mustn't stop the others. */
function abandonedAfterMs(what: Look | Chore): number {
  return what === 'roll-up' || what === 'maintain' ? 2 * 3_600_000 : 60_000
}

/** Each of them, whatever becomes of the other. */
async function maintain(deps: TickDeps, signal: AbortSignal): Promise<void> {
  try {
    await keepPartitions(deps, signal)
  } finally {
    await deleteOld(deps, signal)
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
  /** Whether it is looked for this time what has taken too long, and nobody may ask about. */
  isOverdueTurn: Record<'poll' | 'collect', () => boolean>
}

/** Claims and enqueues one round; true: there is more. */
const enqueueDue: Record<Look, (round: Round) => Promise<boolean>> = {
  async poll({ db, clock, queues, isOverdueTurn }) {
    const overdueTurn = isOverdueTurn.poll()
    if (overdueTurn) await loseOverdue({ db, clock })
    const { ids, leaseUntil, saturated } = await claimPolls(db, clock.now())
    const jobs = ids.map((importId) => job('poll', { importId, leaseUntil }, jobIds.poll))
    await enqueue(queues, 'poll', jobs, () => releasePolls(db, ids))
    if (overdueTurn) await settleUnasked({ db, clock })
    return saturated
  },
  async collect({ db, clock, queues, isOverdueTurn }) {
    if (isOverdueTurn.collect()) await giveUpOverdue({ db, clock })
    const { ids, leaseUntil, saturated } = await claimCollections(db, clock.now())
    const jobs = ids.map((importId) => job('collect', { importId, leaseUntil }, jobIds.collect))
    await enqueue(queues, 'collect', jobs, () => releaseCollections(db, ids))
    return saturated
  },
  async deliver(round) {
    await endDeliveryLeases(round.db, round.clock.now())
    return enqueueDeliveries(round, 'deliver')
  },
  trial: (round) => enqueueDeliveries(round, 'trial'),
  retry: (round) => enqueueDeliveries(round, 'retry'),
}

/** What may wait in each lane: enough to keep its slots busy, and over before the leases are. */
const maxWaiting: Record<DeliveryLane, number> = { deliver: 64, trial: 32, retry: 100 }

async function enqueueDeliveries({ db, clock, queues }: TickDeps, lane: DeliveryLane): Promise<boolean> {
  const { waiting = 0 } = await queues.all[lane].getJobCounts('waiting')
  const claimed = await claimDeliveries(db, clock.now(), lane, maxWaiting[lane] - waiting)
  const jobs = claimed.map(({ id, number, manual }) =>
    job(lane, { deliveryId: id, number, manual }, manual ? jobIds.manualDelivery : jobIds.deliver),
  )
  const ids = claimed.map(({ id }) => id)
  await enqueue(queues, lane, jobs, () => releaseDeliveries(db, ids))
  return claimed.length > 0
}

function job<Name extends Look>(name: Name, data: Payload<Name>, idOf: (data: Payload<Name>) => string) {
  return { name, data, opts: { jobId: idOf(data) } }
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
