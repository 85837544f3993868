// Owns that polls which run at the same time share their statements: what they need is read, and what came of most
// of them is written, for many imports at once, a few milliseconds apart.
import DataLoader from 'dataloader'
import type { ConnectionAccess, ConnectionAccesses } from '../connections/access.ts'
import type { Database } from '../db/client.ts'
import { recordUnchanged, type UnchangedPoll } from '../imports/record-unchanged.ts'
import { loadTracked, type TrackedImport } from '../imports/tracked.ts'

/** How long a statement waits for company, in milliseconds. */
const gatherMs = 10
const maxBatchSize = 500

/** An import and where to ask about it. */
export interface Pollable {
  tracked: TrackedImport
  access: ConnectionAccess
}

export interface PollBatches {
  /** Null: there is no such import, or nothing can be asked over its connection. */
  load(importId: string): Promise<Pollable | null>
  recordUnchanged(poll: UnchangedPoll): Promise<void>
}

export function createPollBatches({ db, accesses }: { db: Database; accesses: ConnectionAccesses }): PollBatches {
  const options = { cache: false, maxBatchSize, batchScheduleFn: (run: () => void) => void setTimeout(run, gatherMs) }
  const loads = new DataLoader<string, Pollable | null>(async (ids) => {
    const tracked = new Map((await loadTracked(db, ids)).map((row) => [row.id, row]))
    const byConnection = await accesses.load([...tracked.values()].map((row) => row.connectionId))
    return ids.map((id) => pair(tracked.get(id), byConnection))
  }, options)
  const records = new DataLoader<UnchangedPoll, null>(async (polls) => {
    await recordUnchanged(db, polls)
    return polls.map(() => null)
  }, options)
  return {
    load: (importId) => loads.load(importId),
    async recordUnchanged(poll) {
      await records.load(poll)
    },
  }
}

function pair(tracked: TrackedImport | undefined, accesses: ReadonlyMap<string, ConnectionAccess>): Pollable | null {
  const access = tracked && accesses.get(tracked.connectionId)
  return tracked && access ? { tracked, access } : null
}
