// Owns what a tick does: claim what is due, enqueue it, and look again while there is more.
// What is due is said by imports.ts and deliveries.ts.
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/client.ts'
import { releaseCollections, releasePolls } from '../imports/leases.ts'
import { loseUnauthorized } from '../imports/lose-unauthorized.ts'
import { jobIds, type Payload } from '../queue/jobs.ts'
import type { Queues } from '../queue/queues.ts'
import { claimDeliveries, releaseDeliveries } from './deliveries.ts'
import { claimCollections, claimPolls } from './imports.ts'

export type WorkKind = Payload<'dispatch'>['kind']

export interface TickDeps {
  db: Database
  clock: Clock
  queues: Pick<Queues, 'all'>
}

/** How long one tick goes on looking while there is more than may start at once, and how long it waits between looks. */
const lookMs = 400
const pauseMs = 40
/** How often imports are looked for whose deadline passes while nobody may ask about them. */
const overdueEveryMs = 5_000

/** The processor of the `dispatch` queue. A tick that finds one of its kind running in this process leaves it the work. */
export function createTick(deps: TickDeps): (payload: Payload<'dispatch'>, signal: AbortSignal) => Promise<void> {
  const running = new Set<WorkKind>()
  let nextOverdueAt = performance.now()
  return async ({ kind }, signal) => {
    if (running.has(kind)) return
    running.add(kind)
    try {
      if (kind === 'poll' && performance.now() >= nextOverdueAt) {
        nextOverdueAt = performance.now() + overdueEveryMs
        await loseUnauthorized(deps)
      }
      const until = performance.now() + lookMs
      while (!signal.aborted && (await enqueueDue[kind](deps)) && performance.now() < until) await delay(pauseMs)
    } finally {
      running.delete(kind)
    }
  }
}

/** Claims and enqueues one round of a kind; true: there is more. */
const enqueueDue: Record<WorkKind, (deps: TickDeps) => Promise<boolean>> = {
  async poll({ db, clock, queues }) {
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
  async deliver({ db, clock, queues }) {
    const { deliveries, saturated } = await claimDeliveries(db, clock.now())
    const jobs = deliveries.map(({ id, manual, manualAttempts }) =>
      job(
        'deliver',
        { deliveryId: id, manual },
        manual ? jobIds.manualDelivery(id, manualAttempts) : jobIds.deliver(id),
      ),
    )
    const ids = deliveries.map(({ id }) => id)
    await enqueue(queues, 'deliver', jobs, () => releaseDeliveries(db, ids))
    return saturated
  },
}

function job<Name extends 'poll' | 'collect' | 'deliver'>(name: Name, data: Payload<Name>, jobId: string) {
  return { name, data, opts: { jobId } }
}

/** Enqueues what was claimed, or gives it back. */
async function enqueue(
  queues: TickDeps['queues'],
  name: WorkKind,
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
