// Owns handing out what is due: the owners that have some are leased, and a job for each lease wakes a worker.
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

/** Leases whose jobs may wait for a worker at the most: they should be taken before they are over. */
const mostWaiting = 1_000

export type Claimable = Pick<Kind<Item, { item: Item }>, 'name' | 'due'>

/** Claims once. Returns whether there may be more. */
export async function claim(kind: Claimable, { db, clock, queues }: Deps): Promise<boolean> {
  const queue = queues.all[kind.name]
  const { waiting = 0 } = await queue.getJobCounts('waiting')
  const room = mostWaiting - waiting
  if (room <= 0) return false
  const now = clock.now()
  const owners = await kind.due(db, now, room)
  const leases = await takeLeases(db, kind.name, owners, now)
  if (leases.length === 0) return false
  try {
    await queue.addBulk(leases.map(({ id }) => ({ name: kind.name, data: { leaseId: id }, opts: { jobId: id } })))
  } catch (error) {
    await endLeases(
      db,
      leases.map(({ id }) => id),
    )
    throw error
  }
  return owners.length === room
}
