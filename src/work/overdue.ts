// Owns noticing that work which may begin isn't done: what is due and has room, what was claimed and waits in a queue that
// nobody works on, and what is claimed again and again.
import type { Queues } from '../queue/queues.ts'
import type { WorkName } from './kind.ts'
import { everyKind } from './wake.ts'

/** How late work may be, in milliseconds, before something must be wrong. */
const overdueAfterMs = 60_000
/** What may begin is claimed at the next tick, the longest due first. */
const claimedWithinMs = 5_000
/** What is under way may take two calls. */
const doneWithinMs = 120_000

/** Work that may be begun, and since when. */
export interface DueWork {
  id: string
  dueAt: Date
}

/** Where due work of a kind is found. Nothing is claimed. */
export interface DueOf {
  /** What has been due for the longest, of each owner that allows it to begin now and that nobody serves. */
  waiting(now: Date): Promise<DueWork[]>
  /** The same of owners that are served; it may be under way. */
  underWay(now: Date): Promise<DueWork[]>
}

export interface OverdueDeps {
  queues: Pick<Queues, 'all'>
  dueOf: Record<WorkName, DueOf>
}

export interface OverdueWatch {
  /** Looks again. Call it every few seconds. */
  look(now: Date): Promise<void>
  /** By the last look: how late the oldest work is that may begin, in milliseconds. */
  lateness(): Record<WorkName, number>
  /** The kinds of which work was late at looks that are far enough apart for it to have been done. */
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

/** Work that was late, and since which look it is. */
interface Late extends DueWork {
  since: Date
  forMs: number
  /** How long it may still be so for good reason. */
  mayTakeMs: number
}

function isSame(one: DueWork, other: DueWork): boolean {
  return one.id === other.id && one.dueAt.getTime() === other.dueAt.getTime()
}

/** Claimed work that no worker has taken yet. */
async function longestWaiting({ all }: Pick<Queues, 'all'>, kind: WorkName): Promise<DueWork[]> {
  const waiting = await all[kind].getWaiting(0, 0)
  return waiting.flatMap((job) => (job?.id ? [{ id: job.id, dueAt: new Date(job.timestamp) }] : []))
}
