// Owns the work of a tick's pass: wake the owners served here, end imports that may not be polled, and claim due work.
import type { Clock } from '../base/clock.ts'
import { giveUpOverdue } from '../collecting/give-up.ts'
import { outageMs, spreadAfterOutage } from '../connections/after-outage.ts'
import type { Database } from '../db/client.ts'
import { tellOverdue, tellWaiting } from '../imports/attention-unasked.ts'
import { loseOverdue, settleUnasked } from '../imports/end-unasked.ts'
import type { Queues } from '../queue/queues.ts'
import { type Claimable, claim } from '../work/claim.ts'
import type { WorkName } from '../work/kind.ts'
import type { Server } from '../work/serve.ts'
import type { TickDeps } from '../work/ticks.ts'

export interface LookDeps {
  db: Database
  clock: Clock
  queues: Pick<Queues, 'all'>
  kinds: Record<WorkName, Claimable>
  /** The servers of this process. Absent: this process serves no owners. */
  servers?: Record<WorkName, Pick<Server, 'look'>>
}

/** How often to look for imports that are overdue and may not be polled. */
const overdueEveryMs = 5_000

/** How often endpoints in trouble are looked for. With a thousand of them that takes long, and they don't hurry. */
const troubleEveryMs = 100

/** Returns the passes of the ticks. Each claims and enqueues due work, and returns true if there is more. */
export function createLooks(deps: LookDeps): TickDeps['enqueueDue'] {
  const { db, clock, kinds, servers } = deps
  const isOverdueTurn = { poll: turnEvery(overdueEveryMs), collect: turnEvery(overdueEveryMs) }
  const isTroubleTurn = turnEvery(troubleEveryMs)
  /** Begins long ago, because a starting process doesn't know whether other processes have polled. */
  let pollsLookedAt = new Date(0)
  const look = (kind: WorkName, options = {}) => {
    servers?.[kind].look()
    return claim(kinds[kind], deps, options)
  }
  return {
    async poll() {
      const lookedAt = clock.now()
      if (lookedAt.getTime() - pollsLookedAt.getTime() >= outageMs) await spreadAfterOutage(db, lookedAt)
      pollsLookedAt = lookedAt
      const overdueTurn = isOverdueTurn.poll()
      if (overdueTurn) await loseOverdue({ db, clock })
      const more = await look('poll')
      if (overdueTurn) {
        await settleUnasked({ db, clock })
        await tellWaiting({ db, clock })
        await tellOverdue({ db, clock })
      }
      return more
    },
    async collect() {
      if (isOverdueTurn.collect()) await giveUpOverdue({ db, clock })
      return look('collect')
    },
    deliver: () => look('deliver', { inTrouble: isTroubleTurn() }),
  }
}

/** Returns a function that returns true at most once in `ms` milliseconds. */
function turnEvery(ms: number): () => boolean {
  let nextAt = 0
  return () => {
    if (performance.now() < nextAt) return false
    nextAt = performance.now() + ms
    return true
  }
}
