// Owns noticing that work which may begin isn't done: what is due and has room, what was claimed and waits in a queue that
// nobody works on, and what is claimed again and again.
import { sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import type { QueueName } from '../queue/jobs.ts'
import type { Queues } from '../queue/queues.ts'
import { type DueWork, leasedSince, longestDue } from '../connections/rooms.ts'
import type { WorkKind } from '../work/ticks.ts'

/** How late work may be, in milliseconds, before something must be wrong. */
const overdueAfterMs = 60_000
/** What may begin is claimed at the next tick, the longest due first. */
const claimedWithinMs = 5_000
/** What is claimed may wait in the queue, and take two calls. */
const doneWithinMs = 120_000
/** The queues that each kind of work waits in. */
const queuesOf: Record<WorkKind, readonly QueueName[]> = {
  poll: ['poll'],
  collect: ['collect'],
  deliver: ['deliver', 'trial', 'retry'],
}
export const workKinds = Object.keys(queuesOf) as WorkKind[]

export interface OverdueWatch {
  /** Looks again. Call it every few seconds. */
  look(now: Date): Promise<void>
  /** By the last look: how late the oldest work is that may begin, in milliseconds. */
  lateness(): Record<WorkKind, number>
  /** The kinds of which work was late at looks that are far enough apart for it to have been done. */
  overdue(): WorkKind[]
}

export function createOverdueWatch({ db, queues }: { db: Database; queues: Pick<Queues, 'all'> }): OverdueWatch {
  let lateMs = inAll(0)
  let late = inAll<readonly Late[]>([])

  return {
    async look(now) {
      const seen = { lateMs: inAll(0), late: inAll<readonly Late[]>([]) }
      for (const kind of workKinds) {
        const waiting = [...(await longestDueOf(db, now, kind)), ...(await longestWaiting(queues, kind))]
        const leased = kind === 'deliver' ? [] : await leasedSince(db, after(now, -overdueAfterMs), kind)
        const latenessOf = ({ dueAt }: DueWork) => now.getTime() - dueAt.getTime()
        const tooLate = [
          ...waiting.map((one) => ({ ...one, mayTakeMs: claimedWithinMs })),
          ...leased.map((one) => ({ ...one, mayTakeMs: doneWithinMs })),
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
    overdue: () => workKinds.filter((kind) => late[kind].some(({ forMs, mayTakeMs }) => forMs >= mayTakeMs)),
  }
}

function inAll<Value>(value: Value): Record<WorkKind, Value> {
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

async function longestDueOf(db: Database, now: Date, kind: WorkKind): Promise<DueWork[]> {
  return kind === 'deliver' ? longestDueDeliveries(db, now) : longestDue(db, now, kind)
}

/** By endpoint, of those that answer and have nothing under way: the others may have to wait for good reason. */
async function longestDueDeliveries(db: Database, now: Date): Promise<DueWork[]> {
  const longest = (isRetry: boolean) => sql`
    SELECT min(next_attempt_at) FROM deliveries
    WHERE endpoint_id = endpoint.id AND is_retry = ${isRetry} AND lease_until IS NULL AND next_attempt_at <= ${now}
      AND NOT manual_requested`
  const { rows } = await db.execute<{ id: string; dueAt: string | null }>(sql`
    SELECT id, least((${longest(false)}), (${longest(true)})) AS "dueAt" FROM webhook_endpoints endpoint
    WHERE deleted_at IS NULL AND disabled_at IS NULL AND failing_since IS NULL
      AND (blocked_until IS NULL OR blocked_until <= ${now})
      AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint_id = endpoint.id AND lease_until IS NOT NULL)`)
  return rows.flatMap(({ id, dueAt }) => (dueAt === null ? [] : [{ id, dueAt: new Date(dueAt) }]))
}

/** Claimed work that no worker has taken yet. */
async function longestWaiting({ all }: Pick<Queues, 'all'>, kind: WorkKind): Promise<DueWork[]> {
  const waiting = await Promise.all(queuesOf[kind].map((name) => all[name].getWaiting(0, 0)))
  return waiting.flat().flatMap((job) => (job?.id ? [{ id: job.id, dueAt: new Date(job.timestamp) }] : []))
}
