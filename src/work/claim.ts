// Owns handing out due work: it leases owners that have some, and a job for each lease wakes a worker.
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import type { Queues } from '../queue/queues.ts'
import type { Item, Kind } from './kind.ts'
import { endLeases, takeLeases } from './leases.ts'

interface Deps {
  db: Database
  clock: Clock
  queues: Pick<Queues, 'all'>
}

/** How many jobs may wait for a worker at most. Workers should take them before their leases are over. */
const mostWaiting = 1_000
/** How many owners in trouble are claimed at once. There may be thousands, and no other owner should wait for them. */
const mostInTrouble = 30
/** Jobs without a priority go before jobs with one. */
const priorityInTrouble = 1

export type Claimable = Pick<Kind<Item, { item: Item }>, 'name' | 'due' | 'dueInTrouble'>

/** Claims once. `inTrouble: false` leaves owners in trouble to a later call. Returns true if there may be more. */
export async function claim(kind: Claimable, deps: Deps, { inTrouble = true } = {}): Promise<boolean> {
  const { db, clock, queues } = deps
  const { waiting = 0, prioritized = 0 } = await queues.all[kind.name].getJobCounts('waiting', 'prioritized')
  const owners = await find(kind.due, mostWaiting - waiting)
  await handOut(kind, deps, owners.found)
  if (!inTrouble) return true
  const troubled = await find(kind.dueInTrouble, Math.min(mostWaiting - prioritized, mostInTrouble))
  await handOut(kind, deps, troubled.found, priorityInTrouble)
  return owners.isFull || troubled.isFull

  async function find(due: Claimable['dueInTrouble'], room: number) {
    const found = due && room > 0 ? await due(db, clock.now(), room) : []
    return { found, isFull: found.length > 0 && found.length === room }
  }
}

async function handOut(
  { name }: Claimable,
  { db, clock, queues }: Deps,
  owners: readonly string[],
  priority = 0,
): Promise<void> {
  const leases = await takeLeases(db, name, owners, clock.now())
  if (leases.length === 0) return
  const optionsOf = (id: string) => ({ jobId: id, ...(priority > 0 && { priority }) })
  try {
    await queues.all[name].addBulk(leases.map(({ id }) => ({ name, data: { leaseId: id }, opts: optionsOf(id) })))
  } catch (error) {
    await endLeases(
      db,
      leases.map(({ id }) => id),
    )
    throw error
  }
}
