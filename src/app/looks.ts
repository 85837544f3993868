// Owns what each look of a tick does: have those looked at that are served here, end what nobody may ask about, and
// claim what is due.
import type { Clock } from '../base/clock.ts'
import { giveUpOverdue } from '../collecting/give-up.ts'
import type { Database } from '../db/client.ts'
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
  /** Of this process. Absent: nobody is served here. */
  servers?: Record<WorkName, Pick<Server, 'look'>>
}

/** How often it is looked for what takes too long while nobody may ask about it. */
const overdueEveryMs = 5_000

/** How often endpoints in trouble are looked for: with a thousand of them that takes long, and they don't hurry. */
const troubleEveryMs = 100

/** What each look of a tick claims and enqueues; true: there is more. */
export function createLooks(deps: LookDeps): TickDeps['enqueueDue'] {
  const { db, clock, kinds, servers } = deps
  const isOverdueTurn = { poll: turnEvery(overdueEveryMs), collect: turnEvery(overdueEveryMs) }
  const isTroubleTurn = turnEvery(troubleEveryMs)
  const look = (kind: WorkName, options = {}) => {
    servers?.[kind].look()
    return claim(kinds[kind], deps, options)
  }
  return {
    async poll() {
      const overdueTurn = isOverdueTurn.poll()
      if (overdueTurn) await loseOverdue({ db, clock })
      const more = await look('poll')
      if (overdueTurn) await settleUnasked({ db, clock })
      return more
    },
    async collect() {
      if (isOverdueTurn.collect()) await giveUpOverdue({ db, clock })
      return look('collect')
    },
    deliver: () => look('deliver', { inTrouble: isTroubleTurn() }),
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
