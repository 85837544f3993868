// Owns noticing work that may begin but doesn't: due work with room, claimed work in a queue without workers, and work
// that is claimed again and again.
import type { Queues } from '../queue/queues.ts'
import type { WorkName } from './kind.ts'
import { everyKind } from './wake.ts'

/** How late work may be, in milliseconds, before something must be wrong. */
const overdueAfterMs = 60_000
/** Work that may begin is claimed at the next tick, the longest due first. */
const claimedWithinMs = 5_000
/** Work under way may take two calls. */
const doneWithinMs = 120_000

/** Work that may begin, and when it was due. */
export interface DueWork {
  id: string
  dueAt: Date
}

/** Where to find due work of a kind. Nothing is claimed. */
export interface DueOf {
  /** Returns the longest due work of each owner that has room and that no worker serves. */
  waiting(now: Date): Promise<DueWork[]>
  /** Returns the longest due work of each owner that a worker serves. It may be under way. */
  underWay(now: Date): Promise<DueWork[]>
}

export interface OverdueDeps {
  queues: Pick<Queues, 'all'>
  dueOf: Record<WorkName, DueOf>
}

export interface OverdueWatch {
  /** Checks again. Call it every few seconds. */
  look(now: Date): Promise<void>
  /** Returns how late the oldest work is that may begin, in milliseconds, by the last check. */
  lateness(): Record<WorkName, number>
  /** Returns the kinds whose work was late at checks so far apart that it should have been done in between. */
  overdue(): WorkName[]
}

export function createOverdueWatch({ queues, dueOf }: OverdueDeps): OverdueWatch {
  let lateMs = inAll(0)
  let late = inAll<readonly Late[]>([])

  return {
    async look(now) {
      const seen = { lateMs: inAll(0), late: inAll<readonly Late[]>([]) }
      for (const kind of everyKind) {
        const waiting = [...(await dueOf[kind].waiting(now)), ...(await longestWaiting(queues, kind))]
        const underWay = await dueOf[kind].underWay(now)
        const latenessOf = ({ dueAt }: DueWork) => now.getTime() - dueAt.getTime()
        const tooLate = [
          ...waiting.map((one) => ({ ...one, mayTakeMs: claimedWithinMs })),
          ...underWay.map((one) => ({ ...one, mayTakeMs: doneWithinMs })),
        ].filter((one) => latenessOf(one) >= overdueAfterMs)
        seen.lateMs[kind] = Math.max(0, ...waiting.map(latenessOf))
        seen.late[kind] = tooLate.map((one) => {
          const before = late[kind].find((other) => isSame(one, other))
          return { ...one, forMs: before ? now.getTime() - before.since.getTime() : 0, since: before?.since ?? now }
        })
      }
      ;({ lateMs, late } = seen)
    },
    lateness: () => lateMs,
    overdue: () => everyKind.filter((kind) => late[kind].some(({ forMs, mayTakeMs }) => forMs >= mayTakeMs)),
  }
}

function inAll<Value>(value: Value): Record<WorkName, Value> {
  return { poll: value, collect: value, deliver: value }
}

/** Late work, and since which check. */
interface Late extends DueWork {
  since: Date
  forMs: number
  /** How long it may stay so for good reason. */
  mayTakeMs: number
}

function isSame(one: DueWork, other: DueWork): boolean {
  return one.id === other.id && one.dueAt.getTime() === other.dueAt.getTime()
}

/** Returns claimed work that no worker has taken yet. */
async function longestWaiting({ all }: Pick<Queues, 'all'>, kind: WorkName): Promise<DueWork[]> {
  const waiting = await all[kind].getWaiting(0, 0)
  return waiting.flatMap((job) => (job?.id ? [{ id: job.id, dueAt: new Date(job.timestamp) }] : []))
}
